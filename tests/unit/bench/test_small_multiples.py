"""Charts are well-formed, keep to their scales, and their labels do not overlap."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from bench.storage.small_multiples import LEAST_GAP, Line, Panel, drawn, short, spread, ticks

SVG = "{http://www.w3.org/2000/svg}"
TIMES = Panel(
    "Time", "ms", [Line("p50", [(1_000, 10), (100_000, 40)]), Line("p95 <all>", [(1_000, 20), (100_000, 41)])]
)
DISK = Panel("Disk", "bytes", [Line("store", [(1_000, 900), (10_000, 700), (100_000, 600)])])


def chart(*panels: Panel) -> ET.Element:
    return ET.fromstring(drawn(panels, "chunks"))


def corners(line: ET.Element) -> list[tuple[float, float]]:
    return [tuple(map(float, corner.split(","))) for corner in line.attrib["points"].split()]


def test_every_line_is_drawn_with_its_label_and_every_axis_with_its_unit():
    svg = chart(TIMES, DISK)
    texts = {text.text for text in svg.iter(f"{SVG}text")}
    assert {"Time", "ms", "p50", "p95 <all>", "Disk", "bytes", "store", "chunks", "1k", "10k", "100k"} <= texts
    assert len([*svg.iter(f"{SVG}polyline")]) == 3


def test_equal_factors_are_equally_far_apart_and_larger_values_higher():
    (line,) = chart(DISK).iter(f"{SVG}polyline")
    (x1, y1), (x2, y2), (x3, y3) = corners(line)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 < y2 < y3


def test_charts_share_the_horizontal_axis():
    short_one = Panel("One size", "ms", [Line("p50", [(10_000, 1)])])
    alone, whole = chart(short_one, DISK).iter(f"{SVG}polyline")
    assert corners(alone)[0][0] == corners(whole)[1][0]


def test_a_page_may_be_light_or_dark():
    style = chart(TIMES).find(f"{SVG}style").text
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for part in (light, dark):
        assert re.search(r"\.page \{ fill: #\w+", part)
        assert re.search(r"\.s0 \{ stroke: #\w+", part)


def test_one_size_alone_and_zeros_can_be_drawn():
    assert chart(Panel("Zero", "ms", [Line("none", [(500, 0.0)])])) is not None


def test_nothing_cannot_be_drawn():
    with pytest.raises(ValueError, match="no points"):
        drawn([Panel("Empty", "ms", [])], "chunks")


@pytest.mark.parametrize(
    ("most", "expected"),
    [(1.0, [0, 0.5, 1.0]), (41, [0, 20, 40, 60]), (8, [0, 2, 4, 6, 8]), (11_000, [0, 5e3, 1e4, 1.5e4])],
)
def test_ticks_are_round_and_reach_the_most(most, expected):
    assert ticks(most) == pytest.approx(expected)


@pytest.mark.parametrize("wanted", [[50, 51, 52], [199, 200, 198], [0, 1], [20, 100, 180], []])
def test_labels_are_apart_inside_the_chart_and_in_order(wanted):
    placed = spread(wanted, 0, 200)
    assert all(-1e-9 <= one <= 200 + 1e-9 for one in placed)
    assert all(after - before >= LEAST_GAP - 1e-9 for before, after in pairwise(sorted(placed)))
    assert sorted(range(len(wanted)), key=wanted.__getitem__) == sorted(range(len(wanted)), key=placed.__getitem__)


def test_labels_that_have_room_stay_where_their_lines_end():
    assert spread([20, 100, 180], 0, 200) == [20, 100, 180]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (0.5, "0.5"), (150, "150"), (999, "1k"), (1_020, "1k"), (15_000, "15k"), (100_058, "100k"), (1e6, "1M")],
)
def test_numbers_are_short(value, expected):
    assert short(value) == expected
