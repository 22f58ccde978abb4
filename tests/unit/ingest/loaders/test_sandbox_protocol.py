"""A worker may say anything: its answer is a Document that holds together, an error of loading, or refused."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import LoadError
from ingest.loaders.output_limits import DEFAULT_MOST, size_of
from ingest.loaders.sandbox.protocol import HEADER, decode, encode, longest_answer
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


def parts(body: bytes) -> tuple[dict, bytes]:
    end = HEADER.size + HEADER.unpack_from(body)[0]
    return json.loads(body[HEADER.size : end]), body[end:]


def joined(message: object, rest: bytes) -> bytes:
    head = json.dumps(message).encode()
    return HEADER.pack(len(head)) + head + rest


def decoded(body: bytes, most: int = DEFAULT_MOST) -> Document | LoadError | None:
    try:
        return decode(body, most)
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


def test_a_good_answer_arrives():
    assert decode(encode(GOOD)[HEADER.size :]) == GOOD


@given(st.data())
def test_any_field_may_be_anything(data):
    message, rest = parts(encode(GOOD)[HEADER.size :])
    here, key = message, data.draw(st.sampled_from(sorted(message)))
    while isinstance(here[key], list) and here[key] and data.draw(st.booleans()):
        here, key = here[key], data.draw(st.integers(0, len(here[key]) - 1))
    here[key] = data.draw(ANYTHING)
    result = decoded(joined(message, rest))
    assert not isinstance(result, Document) or holds_together(result)


@given(ANYTHING, st.binary(max_size=40))
def test_the_whole_message_may_be_anything(message, rest):
    result = decoded(joined(message, rest))
    assert not isinstance(result, Document) or holds_together(result)


@given(st.data())
def test_any_byte_may_be_another(data):
    body = bytearray(encode(GOOD)[HEADER.size :])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    result = decoded(bytes(body[: data.draw(st.integers(0, len(body)))]))
    assert not isinstance(result, Document) or holds_together(result)


@pytest.mark.parametrize("kind", ["SystemExit", "FootnoteError", "annotations", "", "StoreError"])
def test_an_error_is_one_of_loading_whatever_it_says(kind):
    assert type(decode(joined({"kind": kind, "error": "words"}, b""))) is LoadError


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
    message, _ = parts(encode(GOOD)[HEADER.size :])
    text = GOOD.text.encode()
    assert decoded(joined(message, text + pack(rows))) is None


EMPTY = {"title": "", "blocks": [], "pages": [], "warnings": [], "text": 0}
SMALL_FILES = 1024 * 1024


def filled(field: str, values: str) -> bytes:
    """An answer that is as long as one of a small file may be, a field of which is the list of as many `values`."""
    head, tail = json.dumps({**EMPTY, field: [0]}).encode().split(b"0", 1)
    n = (longest_answer(SMALL_FILES) - len(head) - len(tail) - HEADER.size) // len(values)
    body = head + (values * n).encode().rstrip(b",") + tail
    return HEADER.pack(len(body)) + body


def wide_text() -> bytes:
    """An answer of the same length whose text has one character that makes all of them take four bytes each."""
    text = b"a" * (longest_answer(SMALL_FILES) - 200) + "\N{GRINNING FACE}".encode()
    return joined({**EMPTY, "text": len(text)}, text)


@pytest.mark.parametrize(
    "body",
    [
        filled("blocks", "[],"),
        filled("blocks", "[[],[],[]],"),
        filled("pages", "{},"),
        filled("pages", "1.5,"),
        filled("warnings", '"",'),
        filled("warnings", '"ab\\"",'),
        filled("warnings", "["),
        filled("title", '{"":{}},'),
        wide_text(),
    ],
    ids=["lists", "lists in lists", "objects", "numbers", "empty strings", "strings", "depth", "title", "text"],
)
def test_an_answer_that_would_fill_memory_is_refused_before_it_is_taken_apart(body):
    tracemalloc.start()
    try:
        assert decoded(body, SMALL_FILES) is None
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * len(body)


def test_as_many_pieces_as_a_file_may_give_arrive():
    n = 1_000
    text = "a b\n" * n
    rows = [*range(0, len(text), 4)]
    blocks = tuple(Block("heading", at, at + 3, 6, '"[{,\\') for at in rows)
    pages = tuple(Page(i, at, at + 3, "[1,2,3]", "ocr", 1 / 3) for i, at in enumerate(rows, start=1))
    one = Document(text, '",,,"', blocks, pages, ("{,}",) * n)
    assert decode(encode(one)[HEADER.size :], size_of(one)) == one
    assert decoded(encode(one)[HEADER.size :], size_of(one) - 1) is None


def test_more_than_a_file_may_give_is_refused():
    body = encode(GOOD)[HEADER.size :]
    assert decoded(body, 2_000) == GOOD
    assert decoded(body, 300) is None
