"""Formats the figures of one run as two Markdown tables: all figures, and Footnote's bars."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.peers.results import Figures, FootnoteFigures, percentiles

MB, GB = 10**6, 10**9
# Bars of Footnote; the ratios are to a peer of the same run.
LEAST_RATE, MOST_TEXT, MOST_SECOND = 1.5, 0.05, 0.03
MOST_COLD_SECONDS, MOST_COLD, MOST_WARM, MOST_MEMORY = 2.0, 0.25, 1.5, GB


@dataclass(frozen=True, slots=True)
class Bar:
    """A requirement: its name, the measured value, the required value, and if it is met."""

    what: str
    measured: str
    required: str
    met: bool


def figures_table(contestants: Sequence[Figures]) -> str:
    """Returns a table with a column for each contestant."""
    rows: list[tuple[str, Callable[[Figures], str]]] = [
        ("chunks", lambda one: f"{one.chunks:,}"),
        ("reading and splitting, s", lambda one: _seconds(one.split)),
        ("embedding and storing, s", lambda one: _seconds(one.store)),
        ("whole process, s", lambda one: f"{one.seconds:.1f}"),
        ("processors, s", lambda one: f"{one.processor:.1f}"),
        ("tokens given to the model", lambda one: f"{one.given:,}"),
        ("tokens read by it", lambda one: f"{one.read:,}"),
        ("share read", lambda one: f"{one.share:.1%}"),
        ("tokens read per second", lambda one: f"{one.rate:,.0f}"),
        ("tokens read per processor second", lambda one: f"{one.processor_rate:,.0f}"),
        ("peak memory, largest process, MB", lambda one: f"{one.largest / MB:,.0f}"),
        ("peak memory, all processes, MB", lambda one: f"{one.together / MB:,.0f}"),
        ("disk, MB", lambda one: f"{one.disk / MB:.1f}"),
        ("disk, bytes a chunk", lambda one: f"{one.bytes_a_chunk:,.0f}"),
        ("search in a new process, s", lambda one: f"{one.cold_median:.2f}"),
        ("search, p50 / p95, ms", lambda one: "{:.1f} / {:.1f}".format(*percentiles(one.warm))),
    ]
    head = ["", *(one.name for one in contestants)]
    body = [[name, *(cell(one) for one in contestants)] for name, cell in rows]
    return _table(head, "-" + ":" * len(contestants), body)


def bars_table(bars: Iterable[Bar]) -> str:
    """Returns a table with a row for each bar."""
    body = [[bar.what, bar.measured, bar.required, "yes" if bar.met else "NO"] for bar in bars]
    return _table(["Footnote", "measured", "required", "met"], "-::-", body)


def bars(own: FootnoteFigures, langchain: Figures, llamaindex: Figures) -> list[Bar]:
    """Compares Footnote with its bars."""
    return [
        *(_at_least(f"tokens read per second / {peer.name}'s", own.common, peer) for peer in (langchain, llamaindex)),
        Bar("share of the text read", f"{own.common.share:.1%}", "100%", own.common.read == own.common.given),
        _text(own, langchain),
        *_repeated(own),
        *_cold("search in a new process", own.common.cold, langchain),
        *_cold("answer in a new process", own.ask, langchain),
        *_warm(own, langchain),
        Bar(
            "peak memory of all processes of the ingest, MB",
            f"{own.common.together / MB:,.0f}",
            f"< {MOST_MEMORY / MB:,.0f}",
            own.common.together < MOST_MEMORY,
        ),
    ]


def _at_least(what: str, own: Figures, peer: Figures) -> Bar:
    ratio = own.rate / peer.rate
    return Bar(what, f"{ratio:.2f}", f">= {LEAST_RATE}", ratio >= LEAST_RATE)


def _text(own: FootnoteFigures, peer: Figures) -> Bar:
    share = own.text / peer.seconds
    measured = f"{share:.1%} ({own.text:.1f} / {peer.seconds:.1f} s)"
    what = f"until the text of all files can be searched / {peer.name}'s ingest"
    return Bar(what, measured, f"<= {MOST_TEXT:.0%}", share <= MOST_TEXT)


def _repeated(own: FootnoteFigures) -> list[Bar]:
    share = own.second / own.common.seconds
    loaded = ", ".join(own.second_runtimes) or "none"
    embedded = f"{own.changed_embedded} in {own.changed:.1f} s"
    return [
        Bar(
            "second ingest / first",
            f"{share:.1%} ({own.second:.1f} / {own.common.seconds:.1f} s)",
            f"<= {MOST_SECOND:.0%}",
            share <= MOST_SECOND,
        ),
        Bar("runtimes of models loaded by it", loaded, "none", not own.second_runtimes),
        Bar(
            "texts embedded after one file changed",
            embedded,
            f"<= {own.changed_chunks}, its chunks",
            own.changed_embedded <= own.changed_chunks,
        ),
    ]


def _cold(what: str, times: Sequence[float], peer: Figures) -> list[Bar]:
    median = statistics.median(times)
    ratio = median / peer.cold_median
    return [
        Bar(f"{what}, s", f"{median:.2f}", f"<= {MOST_COLD_SECONDS:.0f}", median <= MOST_COLD_SECONDS),
        Bar(f"{what} / {peer.name}'s search", f"{ratio:.2f}", f"<= {MOST_COLD}", ratio <= MOST_COLD),
    ]


def _warm(own: FootnoteFigures, peer: Figures) -> list[Bar]:
    median, _ = percentiles(own.common.warm)
    bare, _ = percentiles(own.bare)
    theirs, _ = percentiles(peer.warm)
    return [
        Bar(
            "search, p50 / embedding the question and one Chroma query",
            f"{median / bare:.2f} ({median:.1f} / {bare:.1f} ms)",
            f"<= {MOST_WARM}",
            median <= MOST_WARM * bare,
        ),
        Bar(f"search, p50 / {peer.name}'s", f"{median / theirs:.2f}", "< 1", median < theirs),
    ]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _table(head: Sequence[str], aligned: str, body: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table; `aligned` has "-" for each column of text and ":" for each of numbers."""
    rule = ["---" if one == "-" else "---:" for one in aligned]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))
