"""A long document is taken a window at a time: memory does not grow with it, and a stop is seen before the next one."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice

import pytest
from durability import quick, word_library
from faults import replaced, watched
from tests_support import WordTokenizer

from ingest.chunking import Chunker, Split
from ingest.docstore import ChunkRow
from ingest.docstore.store import DocStore
from ingest.docstore.vector_cache import KeptVectors
from ingest.docstore.versions import Versions
from ingest.index import Sizes
from ingest.index.indexing import EMBED_BATCH
from ingest.index.staging import Prepared, stage
from ingest.lexical.writer import LexicalEntry, LexicalWriter
from ingest.loaders.output_limits import DEFAULT_MOST
from ingest.loaders.sandbox.protocol import HEADER, encode, encode_segment
from ingest.loaders.sandbox.receiving import receive
from ingest.maintenance.doctor import examine
from ingest.models import Block, Document, chunk_id
from ingest.segments import Segment
from ingest.vectors.store import VectorStore

pytestmark = pytest.mark.usefixtures("shared_chroma")

PART, SEGMENT = 20, 700 * 1024
WRITING = {
    "add_pending": Versions,
    "add_chunks": Versions,
    "add": LexicalWriter,
    "commit": LexicalWriter,
    "put": KeptVectors,
    "upsert": VectorStore,
    "activate": Versions,
}


@pytest.fixture
def part() -> int:
    return PART


@pytest.fixture
def unprocessed(settings, part):
    """Returns a Footnote with real stores, small windows, and fakes of the model and the reading processes."""
    with quick(settings, sizes=Sizes(part=part)) as one:
        yield one


@pytest.fixture
def long_text(write):
    """Returns a text of three windows of chunks."""
    return write("long.txt", "\n\n".join(f"word{i} " * 55 for i in range(2 * PART + 10)))


@pytest.mark.slow
@pytest.mark.parametrize("step", [name for name in WRITING if name != "activate"])
def test_a_stop_in_a_step_is_seen_before_its_next_window(unprocessed, long_text, step):
    cancel, after = threading.Event(), []
    with ExitStack() as stack:
        for name, kind in WRITING.items():
            told = lambda _, name=name: after.append(name) if cancel.is_set() else None  # noqa: E731
            stack.enter_context(watched(kind, name, told))
        stack.enter_context(watched(WRITING[step], step, lambda _: cancel.set()))
        report = unprocessed.ingest([long_text], cancel=cancel)
    assert report.cancelled
    # Vectors are stored while the next window is embedded, and what is embedded is kept.
    assert after.count("put") <= 1
    assert after.count("upsert") <= 2
    assert not set(after) - ({"put", "upsert"} if step in {"put", "upsert"} else set())
    again = unprocessed.ingest([long_text])
    assert (again.count("added"), again.unembedded) == (0 if step in {"put", "upsert"} else 1, 0)
    assert examine(unprocessed.settings, open_library=word_library).problems == ()


def test_a_stop_while_a_text_is_split_is_seen_before_its_next_window(unprocessed, long_text):
    cancel, made = threading.Event(), []

    def stop_at_ten(_):
        made.append(1)
        if len(made) == 10:
            cancel.set()

    with watched(Chunker, "_exceeds", stop_at_ten):
        assert unprocessed.ingest([long_text], cancel=cancel).cancelled
    assert len(made) <= PART + 1


def test_a_stopped_file_is_resumed_part_by_part(unprocessed, write, long_text):
    cancel, second = threading.Event(), threading.Event()
    with watched(LexicalWriter, "commit", lambda _: cancel.set()):
        assert unprocessed.ingest([long_text], cancel=cancel).cancelled
    index, total = unprocessed.index("default"), 2 * PART + 10
    (version,) = index.docstore.versions.leftovers(index.collection.id, "pending")
    with watched(Versions, "add_pending", lambda _: second.set()):
        assert unprocessed.ingest([long_text], cancel=second).cancelled
    # What the first try stored stays until it is written over: deleting it all at once would take no stop.
    assert sum(map(len, index.docstore.versions.chunk_ids([version]))) == total
    assert unprocessed.ingest([long_text]).chunks == total
    assert index.docstore.chunk_ids(index.collection.id) == [chunk_id(version, at) for at in range(total)]
    assert index.docstore.holdings.status(index.collection).bytes_text == len(long_text.read_text())


def test_a_second_try_that_reads_less_removes_everything_of_the_first(unprocessed, long_text):
    cancel = threading.Event()
    with watched(LexicalWriter, "commit", lambda _: cancel.set()):
        assert unprocessed.ingest([long_text], cancel=cancel).cancelled
    index = unprocessed.index("default")
    real = Split.__iter__
    # Simulates a page that takes too long to recognise the second time.
    with replaced(Split, "__iter__", lambda self: islice(real(self), 3)):
        assert unprocessed.ingest([long_text]).chunks == 3
    ids = index.docstore.chunk_ids(index.collection.id)
    leg = index.leg(index.embedders()["current"])
    assert len(ids) == 3
    assert leg.store.ids() == set(index.lexical.ids()) == set(ids)
    assert index.docstore.kept.count_unused(leg.row.id) == 0
    assert index.embedders()["current"].garbage == 2 * PART + 10 - 3
    assert examine(unprocessed.settings, open_library=word_library).problems == ()


@pytest.mark.parametrize("lost", ["text", "vectors"])
def test_a_stop_while_an_index_is_put_back_is_seen_before_its_next_part(unprocessed, write, long_text, lost):
    unprocessed.ingest([long_text])
    index, cancel, parts = unprocessed.index("default"), threading.Event(), []

    def stop(_):
        parts.append(1)
        cancel.set()

    if lost == "text":
        index.lexical.wipe()
    else:
        index.leg(index.embedders()["current"]).store.drop()
    with watched(*((LexicalWriter, "add") if lost == "text" else (VectorStore, "upsert")), stop):
        assert unprocessed.ingest([write("new.txt", "News.")], cancel=cancel).cancelled
    assert len(parts) <= (1 if lost == "text" else 2)  # vectors are stored while the next part is looked up
    assert unprocessed.ingest([write("new.txt", "News.")]).count("added") == 1
    assert len(index.lexical.ids()) == index.leg(index.embedders()["current"]).store.count() == 2 * PART + 11


def test_a_long_document_is_written_window_by_window(unprocessed, long_text):
    sizes = {}
    with ExitStack() as stack:
        told = lambda a: sizes.setdefault("add_pending", []).append(len(a[-1][0].chunks))  # noqa: E731
        stack.enter_context(watched(Versions, "add_pending", told))
        for name, kind in {"add_chunks": Versions, "indexed_chunks": DocStore}.items():
            told = lambda a, name=name: sizes.setdefault(name, []).append(len(a[-1]))  # noqa: E731
            stack.enter_context(watched(kind, name, told))
        stack.enter_context(watched(LexicalWriter, "add", lambda a: sizes.setdefault("add", []).append(len(a[1]))))
        stack.enter_context(watched(VectorStore, "upsert", lambda a: sizes.setdefault("upsert", []).append(len(a[1]))))
        (outcome,) = unprocessed.ingest([long_text]).documents
    assert outcome.chunks == 2 * PART + 10
    assert sizes["add_pending"] == [PART]
    assert sizes["add_chunks"] == sizes["add"][1:] == [PART, 10]
    assert max(sizes["indexed_chunks"]) <= PART
    assert max(sizes["upsert"]) <= EMBED_BATCH
    assert unprocessed.search("word45", 1)[0].chunk.text.startswith("word45 ")


@pytest.mark.parametrize("part", [3])
def test_documents_that_are_written_together_lose_nothing_at_the_edges_of_windows(unprocessed, write):
    paths = [write(f"{name}.txt", "\n\n".join(f"{name}{i} " * 55 for i in range(4))) for name in "abcdefgh"]
    assert unprocessed.ingest(paths).count("added") == 8
    index = unprocessed.index("default")
    assert sorted(index.lexical.ids()) == index.docstore.chunk_ids(index.collection.id)
    assert len(index.lexical.ids()) == 32


def test_neighbours_of_a_chunk_are_indexed_across_windows(settings):
    from ingest.lexical.store import LexicalStore

    entries = [LexicalEntry(f"v-{i:06d}", "v", f"text{i}", "", "n.txt") for i in range(6)]
    found = []
    for name, parts in (("whole", [entries]), ("parts", [entries[:2], entries[2:3], entries[3:]])):
        store = LexicalStore(settings.data_dir / name)
        with store.writing() as lexical:
            for part in parts:
                lexical.add(part)
            lexical.commit()
        found.append([store.search(f"text{i}", 10) for i in range(6)])
        assert sorted(store.ids()) == [entry.chunk_id for entry in entries]
    assert found[0] == found[1]


def frames_of(segments: int) -> Iterator[bytes]:
    """Yields a worker's answer for a long text, one frame at a time."""
    yield from (frame[HEADER.size :] for frame in [*encode(Document("", "t", ()))][:1])
    for number in range(segments):
        text = f"word{number:03d} and more words. " * (SEGMENT // 24)
        blocks = (Block("paragraph", 0, len(text)),)
        yield encode_segment(Segment(number * len(text), text, blocks, continues=number > 0))[HEADER.size :]
    yield from (frame[HEADER.size :] for frame in [*encode(Document("", "t", ()))][-1:])


@pytest.mark.slow
@pytest.mark.parametrize("part", [512])
def test_a_document_of_any_length_is_received_and_stored_in_the_same_memory(unprocessed, write):
    unprocessed.ingest([write("short.txt", "So that there is a collection.")])
    index, peaks = unprocessed.index("default"), []
    for number in (3, 5):  # both exceed the limit in memory
        tracemalloc.start()
        document = receive(frames_of(number), DEFAULT_MOST).result
        chunks = Split(Chunker(WordTokenizer(), 64), document)
        (staged,) = stage(index, [Prepared(f"/{number}.txt", "sha", "p", 1, document, chunks, 0.0)], None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert staged.chunks > 100 * number
        assert index.docstore.pages(staged.id) == []
        (first,) = index.docstore.indexed_chunks([f"{staged.id}-{staged.chunks - 1:06d}"])
        assert first.chunk.end == document.tally.characters - 1
    assert peaks[1] < 1.2 * peaks[0] + 100_000


def test_a_stop_is_seen_before_the_next_chunk_is_made(unprocessed, write):
    cancel, made = threading.Event(), []

    def stop_at_three(_):
        made.append(1)
        if len(made) == 3:
            cancel.set()

    text = write("long.txt", "\n\n".join(f"word{i} " * 55 for i in range(30)))
    with watched(Chunker, "_exceeds", stop_at_three):
        assert unprocessed.ingest([text], cancel=cancel).cancelled
    assert len(made) <= 4


def test_a_version_of_a_million_chunks_is_found_whole(settings):
    from ingest.lexical.store import LexicalStore

    ids = [chunk_id("v", position) for position in range(999_998, 1_000_002)]
    store = LexicalStore(settings.data_dir / "millions")
    with store.writing() as lexical:
        lexical.add([LexicalEntry(one, "v", f"text{i}", "", "n.txt") for i, one in enumerate(ids)])
        lexical.commit()
    assert sorted(store.ids()) == sorted(ids)


def test_chunks_are_in_order_beyond_a_million(unprocessed, write):
    unprocessed.ingest([write("a.txt", "Words.")])
    index = unprocessed.index("default")
    (first,) = index.docstore.chunk_ids(index.collection.id)
    version = first.rpartition("-")[0]
    positions = [999_999, 1_000_000]
    rows = [ChunkRow(chunk_id(version, at), at, 0, 1, "W", None, (), b"k", "", "") for at in positions]
    index.docstore.versions.add_chunks(version, rows)
    wanted = [chunk_id(version, at) for at in (0, *positions)]
    assert index.docstore.chunk_ids(index.collection.id) == wanted
    assert [one.chunk.id for one in index.docstore.indexed_chunks(wanted)] == wanted
