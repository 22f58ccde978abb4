"""Embedding waits for texts, and goes on: after other processes, after a text that fails, and in a running chat."""

from __future__ import annotations

import threading

import pytest
from durability import WordModel, quick
from faults import failing, watched
from unembedded import leave_two_unembedded, names, unembedded, vectors
from waiting import wait_until

from ingest.index.writer import EMBEDDED_AT_ONCE
from ingest.late_embedding import embed_leftovers
from ingest.library import Library
from ingest.vectors.store import VectorStore

pytestmark = pytest.mark.usefixtures("shared_chroma")


@pytest.fixture
def unprocessed(settings):
    """A Footnote with real stores, and fakes of the model and the reading processes."""
    with quick(settings) as one:
        yield one


@pytest.fixture
def stopped(unprocessed, write):
    leave_two_unembedded(unprocessed, write)
    return unprocessed


def waits(footnote) -> bool:
    """Whether another process waits to write."""
    return bool(footnote.library.docstore.database.query("SELECT 1 FROM jobs WHERE state = 'waiting'"))


def ingested_while(footnote, path, work):
    """Ingests a file; when its first vectors are to be written, another thread begins `work` and waits to write."""
    threads = []

    def begin(_):
        if not threads:
            threads.append(threading.Thread(target=work))
            threads[0].start()
            wait_until(lambda: waits(footnote))

    with watched(VectorStore, "upsert", begin, before=True):
        report = footnote.ingest([path])
    threads[0].join()
    return report


def test_texts_of_another_process_are_written_before_the_vectors(unprocessed, settings, write):
    one, two = write("one.txt", "apples are red"), write("two.txt", "bears are brown")
    order = []

    def other_ingest() -> None:
        with quick(settings) as other:
            report = other.ingest([two], on_progress=lambda moment: order.append(moment) if moment.embedding else None)
            order.append(report)

    report = ingested_while(unprocessed, one, other_ingest)
    assert report.unembedded == 0
    assert order[-1].count("added") == 1
    assert order[-1].unembedded == 0
    assert len(vectors(unprocessed)) == 2


def test_a_running_chat_embeds_what_is_left(stopped):
    stop = threading.Event()
    work = threading.Thread(target=embed_leftovers, args=(stopped.library, stop, 0.01))
    work.start()
    wait_until(lambda: unembedded(stopped) == 0)
    stop.set()
    work.join()
    assert len(vectors(stopped)) == 3


def test_a_running_chat_leaves_the_work_to_a_process_that_writes(stopped):
    index, stop = stopped.index("default"), threading.Event()
    with index.queue.turn("test"):
        work = threading.Thread(target=embed_leftovers, args=(stopped.library, stop, 0.001))
        work.start()
        work.join(0.2)
        waiting = waits(stopped)
        stop.set()
    work.join()
    assert not waiting
    assert unembedded(stopped) == 2


def test_a_text_that_the_model_cannot_embed_stops_no_other(settings, write, caplog):
    class Choosy(WordModel):
        def encode_chunks(self, texts):
            if any("poison" in text for text in texts):
                raise ValueError("no poison")
            return super().encode_chunks(texts)

    paths = [write("a.txt", "apples are red"), write("bad.txt", "poison is green"), write("c.txt", "cedars are tall")]
    with quick(settings, open_embedder=Choosy) as footnote:
        report = footnote.ingest(paths)
        assert (report.count("added"), report.unembedded, report.embedded) == (3, 1, 2)
        assert "bad.txt cannot be embedded" in caplog.text
        assert names(footnote.search("poison", 1)) == ["bad.txt"]
        assert footnote.ingest([write("d.txt", "lions are yellow")]).unembedded == 1
        assert len(vectors(footnote)) == 3
    with quick(settings) as footnote:
        assert footnote.ingest(paths).unembedded == 0


def test_a_long_document_lets_others_write_in_between(unprocessed, settings, write):
    chunks = 2 * EMBEDDED_AT_ONCE + 8
    long = write("long.txt", "\n\n".join(f"word{i} " * 55 for i in range(chunks)))
    unprocessed.ingest([write("short.txt", "apples are red")])
    left = []

    def remove() -> None:
        with quick(settings) as other:
            other.remove(str(write("short.txt", "gone")))
            left.append(other.index("default").count_unembedded())

    report = ingested_while(unprocessed, long, remove)
    assert left == [chunks - EMBEDDED_AT_ONCE]
    assert (report.unembedded, report.embedded) == (0, chunks)
    assert len(vectors(unprocessed)) == chunks


def test_a_running_chat_goes_on_after_an_error(stopped):
    stop, failed = threading.Event(), []
    work = threading.Thread(target=embed_leftovers, args=(stopped.library, stop, 0.01))
    with failing(Library, "collections", OSError("disk"), when=lambda _: not failed and not failed.append(1)):
        work.start()
        wait_until(lambda: unembedded(stopped) == 0)
    stop.set()
    work.join()
    assert failed == [1]
