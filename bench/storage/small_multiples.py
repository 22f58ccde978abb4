"""Draws line charts over a logarithmic axis side by side, as one SVG that is readable on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

COLUMNS = 3
WIDTH, HEIGHT = 350, 220
# Space round the lines of a panel; on the right, for their labels.
LEFT, RIGHT, TOP, BOTTOM = 52, 132, 46, 40
LEAST_GAP = 13.0
TICKS = 4
THOUSAND, MILLION = 1_000, 1_000_000
# Colours that colour-blind people can tell apart (Okabe and Ito), lighter on dark pages.
LIGHT = ("#0072b2", "#c04d00", "#007a58", "#9a3f7d", "#6b5b00")
DARK = ("#56b4e9", "#f0954f", "#3fc79a", "#e08fc4", "#e0cf4a")
STYLE = """
svg { font: 12px system-ui, sans-serif; }
.page { fill: #fff; } text { fill: #444; } .title { fill: #111; font-weight: 600; font-size: 13px; }
.axis { stroke: #888; } .grid { stroke: #e4e4e4; } .line { fill: none; stroke-width: 2; }
"""
DARK_STYLE = ".page { fill: #14171c; } text { fill: #b4bac2; } .title { fill: #f0f2f4; } .grid { stroke: #2a2f37; }"


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its label; `points` are (x, y) with x above 0, in the order of x."""

    label: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart with its own vertical axis, which begins at 0. `unit` is written above the axis."""

    title: str
    unit: str
    lines: Sequence[Line]


def drawn(panels: Sequence[Panel], across: str) -> str:
    """Returns an SVG of all panels, which share a logarithmic horizontal axis.

    Args:
        panels: the charts, in rows of `COLUMNS`.
        across: what the horizontal axis shows.

    Raises:
        ValueError: there is no point to draw.
    """
    places = sorted({x for panel in panels for line in panel.lines for x, _ in line.points})
    if not places:
        raise ValueError("There are no points to draw.")
    width, height = WIDTH * min(COLUMNS, len(panels)), HEIGHT * -(-len(panels) // COLUMNS)
    size = f'width="{width}" height="{height}"'
    dark = f"@media (prefers-color-scheme: dark) {{ {DARK_STYLE} {_colours(DARK)} }}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} role="img">',
        f"<title>{escape('; '.join(panel.title for panel in panels))}, by {escape(across)}</title>",
        f"<style>{STYLE}{_colours(LIGHT)}{dark}</style>",
        f'<rect class="page" {size}/>',
    ]
    for number, panel in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        parts += [f'<g transform="translate({column * WIDTH} {row * HEIGHT})">', *_panel(panel, places, across), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def ticks(most: float) -> list[float]:
    """Returns round values from 0 to at least `most`, above 0, about TICKS steps apart."""
    step = _round_step(most / TICKS)
    return [step * n for n in range(math.ceil(most / step - 1e-9) + 1)]


def spread(wanted: Sequence[float], least: float, most: float) -> list[float]:
    """Moves positions at least LEAST_GAP apart, between `least` and `most` if they fit, keeping their order."""
    order = sorted(range(len(wanted)), key=lambda one: wanted[one])
    placed = [wanted[one] for one in order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + LEAST_GAP)
    limit = most
    for i in reversed(range(len(placed))):
        placed[i] = limit = min(placed[i], limit)
        limit -= LEAST_GAP
    lift = max(0.0, least - min(placed, default=least))
    found = dict(zip(order, placed, strict=True))
    return [found[one] + lift for one in range(len(wanted))]


def short(value: float) -> str:
    """Writes a number with two digits that count: 1,020 as 1k."""
    rounded = float(f"{value:.2g}")
    for size, sign in ((MILLION, "M"), (THOUSAND, "k")):
        if rounded >= size:
            return f"{rounded / size:g}{sign}"
    return f"{rounded:g}"


def _panel(panel: Panel, places: Sequence[float], across: str) -> list[str]:
    marks = ticks(max((y for line in panel.lines for _, y in line.points), default=1.0) or 1.0)

    def x_of(x: float) -> float:
        share = math.log(x / places[0]) / (math.log(places[-1] / places[0]) or 1.0)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y_of(y: float) -> float:
        return HEIGHT - BOTTOM - y / marks[-1] * (HEIGHT - TOP - BOTTOM)

    parts = [_text(8, 18, panel.title, kind="title"), _text(8, 34, panel.unit)]
    for mark in marks:
        parts += [_level(y_of(mark), "grid" if mark else "axis"), _text(LEFT - 6, y_of(mark) + 4, short(mark), "end")]
    parts += [_text(x_of(x), HEIGHT - BOTTOM + 15, short(x), "middle") for x in _apart(places, x_of)]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, across, "middle"))
    ends = spread([y_of(line.points[-1][1]) for line in panel.lines], TOP, HEIGHT - BOTTOM)
    for colour, (line, end) in enumerate(zip(panel.lines, ends, strict=True)):
        parts += _line([(x_of(x), y_of(y)) for x, y in line.points], line.label, end, colour)
    return parts


def _level(y: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _line(corners: Sequence[tuple[float, float]], label: str, label_y: float, colour: int) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    dots = [f'<circle class="f{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in corners]
    text = _text(corners[-1][0] + 8, label_y + 4, label, kind=f"f{colour}")
    return [f'<polyline class="line s{colour}" points="{path}"/>', *dots, text]


def _apart(places: Sequence[float], x_of: Callable[[float], float]) -> list[float]:
    """Returns the last place, and others whose labels do not touch the next."""
    kept: list[float] = []
    for place in reversed(places):
        if not kept or x_of(kept[-1]) - x_of(place) >= 2 * LEAST_GAP:
            kept.append(place)
    return kept


def _round_step(least: float) -> float:
    """Returns the smallest of 1, 2 and 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def _colours(colours: Sequence[str]) -> str:
    return "".join(f".s{i} {{ stroke: {one}; }} .f{i} {{ fill: {one}; }}\n" for i, one in enumerate(colours))


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
