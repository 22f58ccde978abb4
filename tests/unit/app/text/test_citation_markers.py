"""Markers: only those that name a passage pass, whole and in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.citation_markers import MARKER, MarkerFilter, code_spans, marker_numbers, without_markers


def through(text: str, passages: int, pieces: list[int] | None = None) -> tuple[str, MarkerFilter]:
    markers, out, at = MarkerFilter(passages), "", 0
    for size in pieces or [len(text) or 1]:
        out += markers.feed(text[at : at + size])
        at += size
    out += markers.feed(text[at:])
    return out + markers.end(), markers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A [3]. B [1]. C [3].", "A [1]. B [2]. C [1]."),
        ("A [1, 2] and [1][2].", "A [1][2] and [1][2]."),
        ("A [1-3].", "A [1][2][3]."),
        ("A [1-2-3].", "A [1][2][3]."),
        ("A [9]. B [0].", "A. B."),
        ("A [9][2].", "A[1]."),
        ("A 【2】 and 【1†source】.", "A [1] and [2]."),
        ("`a[1]` and ```\nb[2]\n``` then [2]", "`a[1]` and ```\nb[2]\n``` then [1]"),
        ("list[int] [see] [", "list[int] [see] ["),
        ("ends with space  ", "ends with space"),
    ],
)
def test_markers_of(text, expected):
    assert through(text, 3)[0] == expected


def test_the_passage_of_each_footnote_is_known():
    assert through("A [3]. B [1].", 3)[1].numbers == {3: 1, 1: 2}


answers = st.text(alphabet="ab .[]123,-`【】\\\n", max_size=80)


@given(answers, st.lists(st.integers(1, 5), max_size=40))
def test_the_pieces_of_the_stream_make_no_difference(text, pieces):
    assert through(text, 3, pieces)[0] == through(text, 3)[0]


@given(answers, st.lists(st.integers(1, 5), max_size=40), st.integers(0, 3))
def test_no_marker_refers_to_a_missing_passage(text, pieces, passages):
    out, markers = through(text, passages, pieces)
    named = [n for marker in MARKER.finditer(out) for n in marker_numbers(marker)]
    if "`" not in text:
        assert set(named) <= set(markers.numbers.values())
    assert set(markers.numbers) <= set(range(1, passages + 1))
    assert sorted(markers.numbers.values()) == list(range(1, len(markers.numbers) + 1))


def test_unmarked_takes_out_markers_and_the_space_before_them():
    assert without_markers("A is b [1][2]. C [3].") == "A is b. C."


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a `b` c", ["`b`"]),
        ("``a ` b`` `c`", ["``a ` b``", "`c`"]),
        ("``a `b` c", ["`b`"]),
        ("no ` end", []),
        ("```a``b```", ["```a``b```"]),
    ],
)
def test_code_goes_to_the_next_backticks_of_the_same_number(text, code):
    assert [text[start:end] for start, end in code_spans(text)] == code
