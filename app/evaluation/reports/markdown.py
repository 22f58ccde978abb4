"""Writes an evaluation report as Markdown: metrics, changes, and the worst questions with their results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.evaluation.baselines import Fall
from app.evaluation.results import LAST_TURN, Evaluation, QuestionResult, RetrievedPassage
from app.evaluation.significance import MetricDifference
from ingest.cli import visible

MOST_WORST = 20
# Most passages shown per question, and most characters of each.
MOST_SHOWN, MOST_EXCERPT = 5, 240
SIGNIFICANT = 0.05
# Characters that Markdown would read as markup.
MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")


@dataclass(frozen=True, slots=True)
class Report:
    """The contents of a report.

    Attributes:
        evaluation: the results.
        compared_with: the name of the evaluation compared with; "" if there is none.
        differences: the differences to it, by metric.
        falls: metrics below a baseline; None if no baseline was given.
    """

    evaluation: Evaluation
    compared_with: str = ""
    differences: Mapping[str, MetricDifference] = field(default_factory=dict)
    falls: Sequence[Fall] | None = None

    @property
    def title(self) -> str:
        """The report's title."""
        return f"Evaluation of {self.evaluation.dataset}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Names and values: what was evaluated, and how long it took."""
        one = self.evaluation
        facts = [("questions", f"{len(one.questions):,}"), ("passages retrieved", str(one.k)), *one.facts.items()]
        facts.append(("search time, p50 and p95", f"{_ms(one.latency(50))}, {_ms(one.latency(95))}"))
        median, slow = one.answer_latency(50), one.answer_latency(95)
        if median is not None and slow is not None:
            facts.append(("answer time, p50 and p95", f"{_ms(median)}, {_ms(slow)}"))
        return facts

    @property
    def worst(self) -> list[QuestionResult]:
        """The questions listed individually."""
        return self.evaluation.worst(MOST_WORST)


def markdown_report(report: Report) -> str:
    """Returns the report as Markdown; text of questions and documents is escaped."""
    lines = [f"# {_plain(report.title)}", ""]
    lines += [f"- {_plain(name)}: {_plain(value)}" for name, value in report.facts]
    lines += [f"- {_plain(note)}" for note in report.evaluation.notes]
    if report.falls is not None:
        lines += ["", "## Gate", "", *(_plain(sentence) for sentence in gate_sentences(report.falls))]
    lines += ["", "## Metrics", "", *_table(metric_rows(report.evaluation))]
    if report.differences:
        heading = f"Compared with {report.compared_with}"
        lines += ["", f"## {_plain(heading)}", "", *_table(difference_rows(report.differences))]
    if gains := report.evaluation.history_gains:
        rows = difference_rows(gains, "without", "with")
        lines += ["", "## Effect of the conversation's history", "", *_table(rows)]
    lines += ["", "## Worst questions", "", *_worst(report.worst)]
    return "\n".join(lines) + "\n"


def metric_rows(evaluation: Evaluation) -> list[list[str]]:
    """Returns the table of metrics, header first."""
    rows = [["metric", "value", "95% interval", "questions"]]
    for name, one in evaluation.metrics.items():
        rows.append([name, f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}", f"{one.n:,}"])
    return rows


def difference_rows(
    differences: Mapping[str, MetricDifference], before: str = "before", after: str = "now"
) -> list[list[str]]:
    """Returns the table of a comparison, header first."""
    rows = [["metric", before, after, "change", "95% interval", "p", ""]]
    for name, one in differences.items():
        interval = f"{one.low:+.3f} to {one.high:+.3f}"
        rows.append(
            [name, f"{one.before:.3f}", f"{one.after:.3f}", f"{one.value:+.3f}", interval, p_value(one.p), verdict(one)]
        )
    return rows


def p_value(p: float) -> str:
    """Formats a p-value."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 - the usual floor


def verdict(one: MetricDifference) -> str:
    """Returns a word for a difference: significant or not."""
    if one.p >= SIGNIFICANT:
        return "unclear"
    return "better" if one.value > 0 else "worse"


def gate_sentences(falls: Sequence[Fall]) -> list[str]:
    """Returns the gate's result: a sentence for each metric that fell, or that none did."""
    if not falls:
        return ["Passed: no metric is below its baseline."]
    return [
        f"{one.name} fell to {one.value:.3f}, below the baseline of {one.baseline:.3f} by more than the tolerated "
        f"{one.tolerance:.3f}."
        for one in falls
    ]


def excerpt(text: str, most: int = MOST_EXCERPT) -> str:
    """Returns the beginning of a text, on one line."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= most else f"{line[:most].rsplit(' ', 1)[0]} …"


def place(passage: RetrievedPassage) -> str:
    """Describes a passage's location."""
    return ", ".join(part for part in (passage.document, passage.place) if part)


def scores_line(question: QuestionResult) -> str:
    """Formats the scores of one question, leaving out those of its last turn alone."""
    return ", ".join(f"{name} {score:.2f}" for name, score in question.scores.items() if LAST_TURN not in name)


def _worst(questions: Sequence[QuestionResult]) -> Iterator[str]:
    if not questions:
        yield "None: every question found all expected results."
    for number, question in enumerate(questions, start=1):
        yield f"### {number}. {_plain(excerpt(question.question, 500))}"
        yield ""
        if question.searched != question.question:
            yield f"- searched: {_plain(excerpt(question.searched, 500))}"
        yield f"- expected: {_plain(question.expected)}"
        yield f"- scores: {_plain(scores_line(question))}"
        if question.refused is not None:
            yield f"- {'refused' if question.refused else 'answered'}: {_plain(excerpt(question.answer))}"
        yield ""
        rows = [["", "score", "passage", "text"]]
        for one in question.retrieved[:MOST_SHOWN]:
            mark = "✓" if one.relevant else str(one.rank)
            rows.append([mark, f"{one.score:.3f}", place(one), excerpt(one.text)])
        yield from _table(rows) if len(rows) > 1 else ["Nothing was retrieved."]
        yield ""


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = [f"| {' | '.join(map(_plain, row))} |" for row in rows]
    return [head, f"|{' --- |' * len(rows[0])}", *body]


def _plain(text: str) -> str:
    return MARKUP.sub(r"\\\1", " ".join(text.split()))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
