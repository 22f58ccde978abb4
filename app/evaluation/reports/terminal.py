"""Shows an evaluation's progress and results on the terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.evaluation.reports.markdown import Report, difference_rows, excerpt, gate_sentences, metric_rows
from app.evaluation.results import QuestionResult
from ingest.cli import LINE_SECONDS, ProgressView, one_line
from ingest.reports import IngestProgress

MOST_WORST = 5
STYLES = {"better": "green", "worse": "red"}


class EvaluationView:
    """Shows an evaluation's progress: a live bar on a terminal, else plain lines. Use it in a `with` block.

    Args:
        console: the output.
        asking: the label of the progress bar.
    """

    def __init__(self, console: Console, asking: str = "Asking") -> None:
        self._console = console
        self._asking = asking
        self._shown: ProgressView | _Questions | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown is not None:
            self._shown.__exit__()
            self._shown = None

    def ingest(self, progress: IngestProgress) -> None:
        """Shows the progress of an ingest."""
        if not isinstance(self._shown, ProgressView):
            self.__exit__()
            self._shown = ProgressView(self._console).__enter__()
        self._shown(progress)

    def questions(self, done: int, total: int) -> None:
        """Shows the number of questions done."""
        if not isinstance(self._shown, _Questions):
            self.__exit__()
            self._shown = _Questions(self._console, self._asking).__enter__()
        self._shown(done, total)


class _Questions:
    """Shows the number of questions done."""

    def __init__(self, console: Console, asking: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn())
        more = (TextColumn("questions · left"), TimeRemainingColumn())
        self._console = console
        self._live = Progress(*columns, *more, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._live.add_task(asking, total=None)
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, done: int, total: int) -> None:
        self._live.update(self._task, completed=done, total=total)
        due = time.monotonic() - self._said >= LINE_SECONDS or done == total
        if due and not self._console.is_terminal:
            self._said = time.monotonic()
            self._console.print(f"{done}/{total} questions", highlight=False)


def print_evaluation(report: Report, console: Console) -> None:
    """Prints the metrics, the changes and the worst questions."""
    facts = " · ".join(f"{name} {value}" for name, value in report.facts)
    console.print(f"[bold]{escape(report.evaluation.dataset)}[/bold]  [dim]{escape(facts)}[/dim]", highlight=False)
    for note in report.evaluation.notes:
        console.print(f"[yellow]note[/yellow]  {escape(note)}", highlight=False, soft_wrap=True)
    console.print(_table(metric_rows(report.evaluation)))
    if report.differences:
        console.print(f"[bold]Compared with {escape(report.compared_with)}[/bold]", highlight=False)
        console.print(_table(difference_rows(report.differences)))
    if gains := report.evaluation.history_gains:
        console.print("[bold]Effect of the conversation's history[/bold]")
        console.print(_table(difference_rows(gains, "without", "with")))
    for question in report.evaluation.worst(MOST_WORST):
        _print_question(question, console)
    if report.falls == []:
        console.print(f"[green]{gate_sentences(report.falls)[0]}[/green]", highlight=False)


def _table(rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    head, *body = rows
    for column, name in enumerate(head):
        table.add_column(name, justify="right" if column > 0 and name else "left", no_wrap=column == 0)
    for row in body:
        table.add_row(*(f"[{STYLES[cell]}]{cell}[/]" if cell in STYLES else escape(cell) for cell in row))
    return table


def _print_question(question: QuestionResult, console: Console) -> None:
    main = next(iter(question.scores.values()), 0.0)
    console.print(f"[dim]{main:.2f}[/dim]  {escape(excerpt(question.question))}", highlight=False, soft_wrap=True)
    first = question.retrieved[0] if question.retrieved else None
    found = f"{one_line(first.document)}: {excerpt(first.text, 100)}" if first else "nothing"
    for name, text in (("expected", excerpt(question.expected, 140)), ("first", found)):
        console.print(f"      [dim]{name:8}  {escape(text)}[/dim]", highlight=False, soft_wrap=True)
