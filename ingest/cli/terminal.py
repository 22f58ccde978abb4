"""Formats an ingest for a terminal, a log, and JSON."""

from __future__ import annotations

import io
import json
import signal
import sys
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from ingest.reports import FileStatus, IngestProgress, IngestReport, not_confined, unembedded_words
from ingest.text import storable_values

# Seconds between two progress lines if the output is not a terminal.
LINE_SECONDS = 5.0
COUNTED: tuple[FileStatus, ...] = ("added", "updated", "unchanged", "removed", "failed")
# Failures listed at the end; the rest are counted (`--json` and `footnote status` list all).
MOST_FAILURES = 50
STOPPING = "Stopping: finishing the current write. Press Ctrl-C again to stop at once."


class ProgressView:
    """Shows the progress of an ingest: a live bar on a terminal, plain lines elsewhere. Use it in a `with` block.

    Args:
        console: receives the output.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[of]} ·"),
            TimeElapsedColumn(),
            TextColumn("· left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._live.add_task("Looking for files", total=None, of="files")
        self._said = time.monotonic()
        self._embedding_since: float | None = None
        self._waiting = ""

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, progress: IngestProgress) -> None:
        """Shows progress; pass it as `on_progress`."""
        if progress.embedding and self._embedding_since is None:
            self._embedding_since = progress.seconds
            self._live.reset(self._task)
        moment = self._moment(progress)
        self._live.update(
            self._task, description=_phase(progress), completed=moment.done, total=moment.total, of=moment.of
        )
        if self._console.is_terminal:
            return
        if progress.waiting_for:
            self._say_waiting(progress.waiting_for)
        elif time.monotonic() - self._said >= LINE_SECONDS:
            self._line(f"{moment.done:,}/{moment.total or 0:,} {moment.of} · {moment.left} left")

    def _moment(self, progress: IngestProgress) -> _Moment:
        if self._embedding_since is None:
            total = None if progress.scanning else progress.files_total
            done, of, seconds = progress.files_done, f"files · {progress.chunks_total:,} chunks", progress.seconds
        else:
            total, done = progress.chunks_total, progress.chunks_done
            seconds = progress.seconds - self._embedding_since
            of = f"chunks embedded · {done / seconds if seconds else 0:.0f} chunks/s"
        return _Moment(done, total, of, _seconds_left(done, total or 0, seconds))

    def _say_waiting(self, writer: str) -> None:
        if not self._waiting:
            self._line(f"Waiting for {escape(writer)} to finish.")
        self._waiting = writer

    def _line(self, text: str) -> None:
        self._said = time.monotonic()
        self._live.console.print(text, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the bar shows: the numbers of things done and in all (None if unknown), their name, and the time left."""

    done: int
    total: int | None
    of: str
    left: str


def print_report(report: IngestReport, console: Console) -> None:
    """Prints the final table of added, updated, unchanged, removed and failed files, and the reasons of failures."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="bold")
    for name in (*COUNTED, "chunks", "embedded", "seconds"):
        table.add_column(name, justify="right")
    counts = [f"{report.count(name):,}" for name in COUNTED]
    table.add_row(*counts, f"{report.chunks:,}", f"{report.embedded:,}", f"{report.seconds:.1f}")
    console.print(table)
    failed = [outcome for outcome in report.documents if outcome.status == "failed"]
    for outcome in failed[:MOST_FAILURES]:
        console.print(f"[red]failed[/red]  {escape(one_line(outcome.error))}", highlight=False, soft_wrap=True)
    if len(failed) > MOST_FAILURES:
        console.print(f"… and {len(failed) - MOST_FAILURES:,} more failures: see `footnote status --json`.")
    for note in _notes(report):
        console.print(f"[yellow]note[/yellow]    {escape(note)}", highlight=False, soft_wrap=True)
    if report.skipped:
        console.print(f"Skipped files of unsupported types: {_kinds(report.skipped)}.", highlight=False)
    if report.unfollowed:
        console.print(f"Skipped symbolic links (--no-follow): {len(report.unfollowed):,}.", highlight=False)
    if report.cancelled:
        console.print("Stopped. The documents counted above are kept; run the same command again to continue.")
    if report.unembedded:
        console.print(unembedded_words(report.unembedded), highlight=False)


def _notes(report: IngestReport) -> Iterator[str]:
    """Yields the warnings of files that were read, and of the sandbox."""
    for outcome in report.documents:
        if outcome.status in {"added", "updated"}:
            yield from (f"{one_line(outcome.path)}: {one_line(warning)}" for warning in outcome.warnings)
    yield from map(not_confined, report.unconfined)


def report_json(report: IngestReport) -> dict[str, Any]:
    """Returns the report as the JSON object that `--json` prints."""
    counts: dict[str, Any] = {name: report.count(name) for name in COUNTED}
    return counts | {
        "chunks": report.chunks,
        "embedded": report.embedded,
        "seconds": round(report.seconds, 3),
        "text_seconds": round(report.text_seconds, 3),
        "documents": [
            {
                "path": outcome.path,
                "status": outcome.status,
                "pages": outcome.pages,
                "chunks": outcome.chunks,
                "error": outcome.error or None,
                "warnings": list(outcome.warnings),
            }
            for outcome in report.documents
        ],
        "skipped": list(report.skipped),
        "unfollowed": list(report.unfollowed),
        "cancelled": report.cancelled,
        "unembedded": report.unembedded,
        "unconfined": list(report.unconfined),
    }


def print_anything() -> None:
    """Escapes characters that the encoding of standard output lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def print_json(value: dict[str, Any]) -> None:
    """Prints an object as one line of valid JSON on standard output."""
    print(json.dumps(storable_values(value)), flush=True)  # noqa: T201 - the requested output


@contextmanager
def stopping(
    console: Console, said: str = STOPPING, *, keeps: Callable[[], bool] = lambda: True
) -> Iterator[threading.Event]:
    """Yields an event that the first Ctrl-C (or SIGTERM) sets, printing `said`; a second one ends the process.

    If the work `keeps` nothing of an unfinished run, the first one ends it too.
    """
    cancel = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if cancel.is_set() or not keeps():
            raise KeyboardInterrupt
        cancel.set()
        console.print(said)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def one_line(text: str) -> str:
    """Escapes line ends and other control characters, so that a name cannot forge output."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def visible(text: str) -> str:
    """Escapes control characters other than line ends and tabs, so that text cannot control the terminal.

    Otherwise a document could write links, the title or the clipboard, or overwrite other output.
    """
    return "".join(one_line(c) if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t" else c for c in text)


def _phase(progress: IngestProgress) -> str:
    if progress.scanning:
        return "Looking for files"
    if progress.waiting_for:
        return f"Waiting for {escape(one_line(progress.waiting_for))}"
    return "Embedding" if progress.embedding else "Reading"


def _seconds_left(done: int, total: int, seconds: float) -> str:
    if not done:
        return "unknown time"
    left = seconds / done * (total - done)
    minutes, seconds = divmod(round(left), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _kinds(paths: tuple[str, ...]) -> str:
    kinds = Counter(Path(path).suffix.lower() or "no suffix" for path in paths)
    parts = [f"{n:,} {one_line(kind)}" for kind, n in kinds.most_common(5)]
    more = len(kinds) - len(parts)
    return ", ".join(parts) + (f" and {more} other types" if more > 0 else "")
