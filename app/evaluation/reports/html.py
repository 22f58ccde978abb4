"""Writes an evaluation report as one HTML file without external resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from app.evaluation.reports.markdown import (
    MOST_SHOWN,
    Report,
    difference_rows,
    excerpt,
    gate_sentences,
    metric_rows,
    place,
    scores_line,
)
from app.evaluation.results import Evaluation, QuestionResult

STYLE = """
:root { color-scheme: light dark; --ink: #1d232b; --soft: #5c6673; --line: #dfe3e8; --paper: #fff; --tint: #f4f6f8;
  --good: #1a7f4b; --bad: #b3261e; --accent: #2b5fa8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4b0; --line: #333b45; --paper: #14181d;
  --tint: #1d232a; --good: #56c088; --bad: #ff8a80; --accent: #8ab4f8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 3rem 1.5rem 5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1.25rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 3rem 0 .75rem; padding-bottom: .35rem; border-bottom: 1px solid var(--line); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; overflow-wrap: normal; }
th { text-align: left; font-weight: 600; color: var(--soft); }
th, td { padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: block; position: relative; width: 9rem; height: .5rem; border-radius: .25rem; background: var(--tint); }
.bar i { position: absolute; top: 0; bottom: 0; border-radius: .25rem; background: var(--accent); opacity: .35; }
.bar b { position: absolute; top: -.125rem; width: .1875rem; height: .75rem; border-radius: .1rem;
  background: var(--accent); transform: translateX(-50%); }
.note { color: var(--soft); margin: .75rem 0 0; } .good { color: var(--good); } .bad { color: var(--bad); }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .6rem 0; }
summary { cursor: pointer; padding: .65rem .9rem; font-weight: 600; }
summary span { float: right; margin-left: 1rem; color: var(--soft); font-weight: 400;
  font-variant-numeric: tabular-nums; }
.body { padding: 0 .9rem .9rem; } ol { list-style: none; margin: .9rem 0 0; padding: 0; }
li { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .8rem; margin: .7rem 0; }
li.hit { border-color: var(--good); } li p { margin: .15rem 0 0; } li small { color: var(--soft); font-size: .85rem; }
@media print { body { max-width: none; padding: 0; } details { break-inside: avoid; } }
"""


def html_report(report: Report) -> str:
    """Returns the report as an HTML page; all text of questions and documents is escaped."""
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterator[str]:
    title = escape(report.title)
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>"
    yield f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(value)}</dd>' for name, value in report.facts)}</dl>"
    yield from (f'<p class="note">{escape(note)}</p>' for note in report.evaluation.notes)
    if report.falls is not None:
        yield "<h2>Gate</h2>"
        kind = "bad" if report.falls else "good"
        yield from (f'<p class="{kind}">{escape(sentence)}</p>' for sentence in gate_sentences(report.falls))
    yield from ("<h2>Metrics</h2>", _metrics(report.evaluation))
    if report.differences:
        yield from (
            f"<h2>Compared with {escape(report.compared_with)}</h2>",
            _table(difference_rows(report.differences)),
        )
    if gains := report.evaluation.history_gains:
        yield "<h2>Effect of the conversation&rsquo;s history</h2>"
        yield _table(difference_rows(gains, "without", "with"))
    yield "<h2>Worst questions</h2>"
    yield from map(_question, report.worst)
    if not report.worst:
        yield "<p>None: every question found all expected results.</p>"
    yield "</body>\n</html>"


def _metrics(evaluation: Evaluation) -> str:
    """Returns the table of metrics, with a bar for each confidence interval."""
    bars = [
        f'<span class="bar"><i style="left:{100 * one.low:.1f}%;width:{100 * (one.high - one.low):.1f}%"></i>'
        f'<b style="left:{100 * one.value:.1f}%"></b></span>'
        for one in evaluation.metrics.values()
    ]
    return _table(metric_rows(evaluation), bars)


def _table(rows: Sequence[Sequence[str]], bars: Sequence[str] = ()) -> str:
    head, *body = rows
    extra = "<th></th>" if bars else ""
    lines = [f"<tr>{''.join(_cell(i, value, 'th') for i, value in enumerate(head))}{extra}</tr>"]
    for number, row in enumerate(body):
        bar = f"<td>{bars[number]}</td>" if bars else ""
        lines.append(f"<tr>{''.join(_cell(i, value, 'td') for i, value in enumerate(row))}{bar}</tr>")
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def _cell(column: int, value: str, tag: str) -> str:
    kinds = {"better": "good", "worse": "bad"}
    kind = kinds.get(value) or ("" if column == 0 or value == "unclear" else "n")
    return f'<{tag} class="{kind}">{escape(value)}</{tag}>' if kind else f"<{tag}>{escape(value)}</{tag}>"


def _question(question: QuestionResult) -> str:
    facts = [("expected", question.expected), ("scores", scores_line(question))]
    if question.searched != question.question:
        facts.insert(0, ("searched", question.searched))
    if question.refused is not None:
        facts.append(("refused" if question.refused else "answered", excerpt(question.answer)))
    main = next(iter(question.scores.values()), 0.0)
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return (
        f"<details><summary><span>{main:.2f}</span>{escape(excerpt(question.question, 500))}</summary>"
        f'<div class="body"><dl>{listed}</dl>{_passages(question)}</div></details>'
    )


def _passages(question: QuestionResult) -> str:
    items = [
        f'<li class="{"hit" if one.relevant else "miss"}"><small>{one.rank} · {one.score:.3f} · {escape(place(one))}'
        f"{' · expected' if one.relevant else ''}</small><p>{escape(excerpt(one.text))}</p></li>"
        for one in question.retrieved[:MOST_SHOWN]
    ]
    return f"<ol>{''.join(items)}</ol>" if items else '<p class="note">Nothing was retrieved.</p>'
