"""Tests answers of workers: each is a consistent document, an error of loading, or refused."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import whole

from ingest.errors import EmptyDocument, LoadError, NoRoom
from ingest.loaders.output_limits import DEFAULT_MOST, size_of
from ingest.loaders.sandbox.protocol import HEADER, MOST_TITLE, MOST_WARNINGS, encode
from ingest.loaders.sandbox.receiving import receive
from ingest.models import Block, Document, Page
from ingest.word_boxes import boxes, pack

PLACES = pack([0, 5, 1, 0.1, 0.1, 0.2, 0.2, 7, 12, 2, 0.1, 0.1, 0.2, 0.2])
GOOD = Document(
    "Title\n\nwords über all",
    "Title",
    (Block("heading", 0, 5, 1, "Title"), Block("paragraph", 7, 21)),
    (Page(1, 0, 5, "page 1"), Page(2, 7, 21, "page 2", "ocr", 0.5)),
    ("A warning.",),
    PLACES,
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def frames_of(result: Document | LoadError, **more: bool) -> list[bytes]:
    """The frames of an answer, without their lengths."""
    return [frame[HEADER.size :] for frame in encode(result, **more)]


def parts(body: bytes) -> tuple[dict, bytes]:
    end = HEADER.size + HEADER.unpack_from(body)[0]
    return json.loads(body[HEADER.size : end]), body[end:]


def joined(message: object, rest: bytes = b"") -> bytes:
    head = json.dumps(message).encode()
    return HEADER.pack(len(head)) + head + rest


def received(frames: list[bytes], most: int = DEFAULT_MOST) -> Document | LoadError:
    return whole(receive(frames, most).result)


def decoded(frames: list[bytes], most: int = DEFAULT_MOST) -> Document | LoadError | None:
    try:
        return received(frames, most)
    except ValueError:
        return None


def holds_together(document: Document) -> bool:
    json.dumps([document.title, *document.warnings, *(b.title for b in document.blocks)], ensure_ascii=False).encode()
    document.text.encode()
    at = 0
    for block in document.blocks:
        assert at <= block.start <= block.end <= len(document.text)
        at = block.end
    assert [page.number for page in document.pages] == list(range(1, len(document.pages) + 1))
    assert all(0 <= page.start <= page.end <= len(document.text) for page in document.pages)
    boxes(document.places, 0, len(document.text))
    return True


@pytest.mark.parametrize("unrecognised", [True, False])
@pytest.mark.parametrize("result", [GOOD, Document("a\ufffd b", "", ()), EmptyDocument("nothing"), LoadError("plain")])
def test_results_travel_unchanged(result, unrecognised):
    again = receive(frames_of(result, unrecognised=unrecognised), DEFAULT_MOST)
    assert again.unrecognised is unrecognised
    document = whole(again.result)
    assert type(document) is type(result)
    assert str(document) == str(result)
    assert isinstance(result, LoadError) or document == result


def test_unstorable_text_does_not_leave_a_worker():
    one = Document("a\ud800 b", "\ud800", (Block("heading", 0, 1, 2, "\ud800"),), (Page(1, 0, 3, "\0"),), ("\ud800",))
    again = received(frames_of(one))
    assert (again.text, again.title, again.blocks[0].title) == ("a\ufffd b", "\ufffd", "\ufffd")
    assert (again.pages[0].label, again.warnings) == ("\ufffd", ("\ufffd",))


@given(st.data())
def test_any_field_may_be_anything(data):
    frames = frames_of(GOOD)
    number = data.draw(st.integers(0, 1))
    message, rest = parts(frames[number])
    here, key = message, data.draw(st.sampled_from(sorted(message)))
    while isinstance(here[key], list) and here[key] and data.draw(st.booleans()):
        here, key = here[key], data.draw(st.integers(0, len(here[key]) - 1))
    here[key] = data.draw(ANYTHING)
    frames[number] = joined(message, rest)
    result = decoded(frames)
    assert not isinstance(result, Document) or holds_together(result)


@given(ANYTHING, st.binary(max_size=40), st.integers(0, 2))
def test_a_whole_frame_may_be_anything(message, rest, number):
    frames = frames_of(GOOD)
    frames[number] = joined(message, rest)
    result = decoded(frames)
    assert not isinstance(result, Document) or holds_together(result)


@given(st.data())
def test_any_byte_may_be_another(data):
    frames = frames_of(GOOD)
    number = data.draw(st.integers(0, 1))
    body = bytearray(frames[number])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    frames[number] = bytes(body[: data.draw(st.integers(0, len(body)))])
    result = decoded(frames)
    assert not isinstance(result, Document) or holds_together(result)


@pytest.mark.parametrize(
    "body", [b"", b"[]", joined([]), joined({}), joined({"error": 1}), joined("error"), HEADER.pack(9) + b"{}"]
)
def test_an_answer_of_another_form_is_refused(body):
    with pytest.raises(ValueError, match=r"not a loader's answer|Expecting value"):
        receive([body], DEFAULT_MOST)


@pytest.mark.parametrize("kind", ["SystemExit", "FootnoteError", "annotations", "", "StoreError"])
def test_every_error_of_a_loader_is_a_load_error(kind):
    assert type(received([joined({"unrecognised": False, "kind": kind, "error": "words"})])) is LoadError


@pytest.mark.parametrize(
    "rows",
    [
        [0, 1, 1, 0, 0, 1, 1] * 22,  # more words than characters
        [0, 99, 1, 0, 0, 1, 1],  # outside the text
        [0, 1, 3, 0, 0, 1, 1],  # on no page
        [0, 1, 0, 0, 0, 1, 1],
        [9, 10, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1],  # backwards
    ],
)
def test_places_that_cannot_be_the_texts_are_refused(rows):
    head, segment, end = frames_of(GOOD)
    message, _ = parts(segment)
    assert decoded([head, joined(message, GOOD.text.encode() + pack(rows)), end]) is None


HEAD = {"unrecognised": False, "title": "", "warnings": []}
SEGMENT = {"start": 0, "continues": False, "blocks": [], "pages": [], "text": 0}
LONG = 6 * 1024 * 1024


def filled(fields: dict, field: str, values: str) -> list[bytes]:
    """Returns frames with a long list of `values` in one field."""
    head, tail = json.dumps({**fields, field: [0]}).encode().split(b"[0", 1)
    body = head + b"[" + (values * (LONG // len(values))).encode().rstrip(b",") + tail
    filled = HEADER.pack(len(body)) + body
    return [filled] if fields is HEAD else [joined(HEAD), filled]


def wide_text() -> list[bytes]:
    """A segment whose text has one character that makes all of them take four bytes each."""
    text = b"a" * LONG + "\N{GRINNING FACE}".encode()
    return [joined(HEAD), joined({**SEGMENT, "text": len(text)}, text)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "frames",
    [
        filled(SEGMENT, "blocks", "[],"),
        filled(SEGMENT, "blocks", "[[],[],[]],"),
        filled(SEGMENT, "pages", "{},"),
        filled(SEGMENT, "pages", "1.5,"),
        filled(HEAD, "warnings", '"",'),
        filled(HEAD, "warnings", '"ab\\"",'),
        filled(HEAD, "warnings", "["),
        filled(HEAD, "title", '{"":{}},'),
        wide_text(),
    ],
    ids=["lists", "lists in lists", "objects", "numbers", "empty strings", "strings", "depth", "title", "text"],
)
def test_an_answer_that_would_fill_memory_is_refused_before_it_is_taken_apart(frames):
    tracemalloc.start()
    try:
        assert decoded(frames) is None
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 6 * len(frames[-1])


def test_as_many_pieces_as_a_file_may_give_arrive():
    n = 1_000
    text = "a b\n" * n
    rows = [*range(0, len(text), 4)]
    blocks = tuple(Block("heading", at, at + 3, 6, '"[{,\\') for at in rows)
    pages = tuple(Page(i, at, at + 3, "[1,2,3]", "ocr", 1 / 3) for i, at in enumerate(rows, start=1))
    one = Document(text, '",,,"', blocks, pages, ("{,}",) * n)
    assert received(frames_of(one), size_of(one)) == one
    assert decoded(frames_of(one), size_of(one) - 1) is None


def test_more_than_a_file_may_give_is_refused():
    assert decoded(frames_of(GOOD), 2_000) == GOOD
    assert decoded(frames_of(GOOD), 300) is None


def test_segments_that_are_smaller_than_they_are_cut_are_refused():
    """Each segment takes space: a file with one letter per segment would fill the disk."""
    letters = [joined({**SEGMENT, "start": at, "text": 1}, b"a") for at in range(3)]
    assert decoded([joined(HEAD), *letters, joined({})]) is None


def test_more_warnings_than_anybody_reads_are_counted():
    result = received(frames_of(Document("a", "", (), warnings=tuple("wide" for _ in range(MOST_WARNINGS + 5)))))
    assert result.warnings[-1] == "5 more warnings were omitted."
    assert len(result.warnings) == MOST_WARNINGS + 1


def test_a_long_document_is_kept_in_a_file_without_a_name_and_gone_through_again(tmp_path):
    long = Document("long words\n" * 400_000, "", (Block("paragraph", 0, 4_400_000),))
    taken = receive(frames_of(long), DEFAULT_MOST, tmp_path).result
    assert list(tmp_path.iterdir()) == []
    assert [segment.end for segment in taken.segments] == [segment.end for segment in taken.segments]
    assert taken.whole() == long


def test_a_document_that_cannot_be_kept_says_why(tmp_path):
    long = Document("long words\n" * 400_000, "", (Block("paragraph", 0, 4_400_000),))
    with pytest.raises(NoRoom, match="No such file"):
        receive(frames_of(long), DEFAULT_MOST, tmp_path / "missing")


LONG_TITLE = "x" * (MOST_TITLE + 1)


@pytest.mark.parametrize(
    ("number", "field", "value"),
    [
        (0, "title", LONG_TITLE),
        (1, "blocks", [["heading", 0, 5, 1, LONG_TITLE]]),
        (1, "pages", [[1, 0, 5, LONG_TITLE, "text", None]]),
        (1, "pages", [[1, 0, 5, "page 1", "ocr", True]]),
    ],
)
def test_data_that_would_grow_every_chunk_or_could_not_be_restored_is_refused(number, field, value):
    frames = frames_of(GOOD)
    message, rest = parts(frames[number])
    text = len(GOOD.text.encode())
    frames[number] = joined({**message, field: value}, rest[:text])
    assert decoded(frames) is None


def test_places_that_are_padded_are_refused():
    """Each empty stored block of deflate is five bytes that say nothing."""
    deflater = zlib.compressobj(0)
    padded = deflater.compress(zlib.decompress(PLACES))
    padded += b"".join(deflater.flush(zlib.Z_FULL_FLUSH) for _ in range(3)) + b"\x00\x00\x00\xff\xff" * 10_000
    padded += deflater.flush()
    assert len(zlib.decompressobj().decompress(padded)) == len(zlib.decompress(PLACES))
    head, segment, end = frames_of(GOOD)
    message, _ = parts(segment)
    assert decoded([head, joined(message, GOOD.text.encode() + padded), end]) is None
    assert decoded([head, joined(message, GOOD.text.encode() + PLACES), end]) == GOOD


def test_a_full_disk_is_reported_as_soon_as_a_segment_is_stored(tmp_path):
    code = """
import resource, signal, sys
from pathlib import Path
from ingest.errors import NoRoom
from ingest.loaders.sandbox.receiving import IN_MEMORY, SegmentSpool
from ingest.segments import Segment
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
spool = SegmentSpool(Path(sys.argv[1]))
try:
    spool.add(Segment(0, "x" * 2 * IN_MEMORY, ()))
except NoRoom as error:
    print("told:", error)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "told: File too large\n"
    assert done.stderr == ""
