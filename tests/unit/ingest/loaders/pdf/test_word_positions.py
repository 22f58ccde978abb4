"""The positions of words on their pages, as they are packed."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.word_boxes import boxes, pack, unpack

PLACES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5), *[st.floats(0, 1) for _ in range(4)]), max_size=30)


@given(PLACES)
def test_places_are_packed_and_found_again(words):
    at, places = 0, []
    for length, page, *edges in words:
        (left, right), (top, bottom) = sorted(edges[:2]), sorted(edges[2:])
        places.append((at, at + length, page, left, top, right, bottom))
        at += length + 1
    packed = pack([value for place in places for value in place])
    assert unpack(packed).shape == (len(places), 7)
    assert np.allclose(unpack(packed), np.array(places).reshape(-1, 7), atol=2e-5)
    for start, end, page, *_ in places:
        (found,) = boxes(packed, start, end)
        assert found.page == page


@pytest.mark.parametrize("packed", [b"x", b"x\x9c", pack([0, 1, 1, 0, 0, 1, 1])[:-3], zlib.compress(b"\2\0\0\0ab")])
def test_bytes_of_another_form_are_no_places(packed):
    with pytest.raises(ValueError, match="invalid word positions"):
        boxes(packed, 0, 1)
