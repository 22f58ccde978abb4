"""Answers a question for a list, details or a breakdown with the whole table that has it as its caption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from app.answering.quotes import Composition, escaped
from app.answering.tables.asked import Asked
from app.answering.tables.bounds import ReadsText, table_bounds, table_runs
from app.answering.tables.reading import Row
from app.models import Passage, Quote
from app.text import MOST_LEAD, TableRow, above_table, content_terms, split_sentences, table_rows, without_rule

# Rows and characters of a table that is shown.
MOST_ROWS, MOST_TABLE = 20, 6_000
LEAST_ROWS = 2
# The share of a question's words in the caption's last sentence, the header's corner or the nearest heading; what is
# before, and the other headings and columns, may have the others.
LEAST_NAMED = 0.5
LIST_WORDS = (
    "list lists listing breakdown breakdowns composition component components detail details itemize itemise enumerate"
    " aufstellung aufschl\u00fcsselung zusammensetzung auflistung liste d\u00e9tail d\u00e9tails r\u00e9partition"
    " ventilation desglose lista detalle detalles composici\u00f3n ripartizione elenco dettaglio composizione"
)
LISTS = re.compile(rf"(?<!\w)(?:{'|'.join(LIST_WORDS.split())}|break\s?down)(?!\w|\sprice)", re.IGNORECASE)
BY_KIND = re.compile(r"(?:what|which|show|give)\b.{1,200}\sby\s", re.IGNORECASE)
WHAT_IT_HAS = re.compile(
    r"(?:what|which)\s(?:\w+\s){1,4}(?:does|do|did)\s.{1,100}\s(?:have|hold|own|offer|sell)(?!\w)", re.IGNORECASE
)
NO_LIST = re.compile(
    r"\W*(?:how|why|when|who|where|wie viele?|warum|wann|wer|comment|pourquoi|quand|qui|c\u00f3mo|cu\u00e1ndo)\b",
    re.IGNORECASE,
)
# Words of such a question that name nothing in a table.
ASKING = (
    f"{LIST_WORDS} break down show give display provide tell table report reported filing document quarter fiscal year"
    " first second third fourth latest most recent all please following current each by zeige zeig nenne alle tabelle"
    " montre donne toutes tableau muestra dame todas todos tabla mostra jahr jahre quartal gesch\u00e4ftsjahr"
    " ann\u00e9e trimestre exercice a\u00f1o ejercicio"
)


@dataclass(frozen=True, slots=True)
class _Table:
    """A whole table as the text of a passage, with its rows; `score` tells how many of the question's words name it."""

    passage: Passage
    rows: tuple[TableRow, ...]
    score: tuple[int, int]

    @property
    def caption(self) -> str:
        """The last sentence of its caption, or else the heading above it."""
        whole = self.rows[0].caption
        start, end = (split_sentences(whole) or [(0, 0)])[-1]
        return whole[start:end] or " ".join(self.passage.heading[-1:])


def add_listing(made: Composition, asked: Asked, passages: Sequence[Passage], read: ReadsText) -> bool:
    """Appends the table that a question for a list names, with one footnote; returns False if there is none.

    All words of the question have to be in the table's caption, headings or header, or name its document. Nothing is
    added if tables of several documents fit equally well.

    Args:
        made: the answer so far.
        asked: the question.
        passages: what a search found, best first.
        read: reads the text of documents.
    """
    has = WHAT_IT_HAS.match(asked.question)
    is_list = LISTS.search(asked.question) or BY_KIND.match(asked.question) or has
    if not is_list or asked.compares or NO_LIST.match(asked.question):
        return False
    tables = list(_tables(asked, passages, read, by_label=bool(has)))
    most = max((one.score for one in tables), default=None)
    best = [one for one in tables if one.score == most]
    if len({one.passage.version_id for one in best}) != 1:
        return False
    _add(made, best[0])
    return True


def _tables(asked: Asked, passages: Sequence[Passage], read: ReadsText, *, by_label: bool) -> Iterator[_Table]:
    """Yields the tables that have the question's words; with `by_label`, only those without a row that has them all."""
    for passage in passages:
        for start, end in table_runs(passage.text):
            table = _whole(passage, start, end, read)
            if table is None:
                continue
            subject = _subject(asked, table.passage)
            labels = [asked.terms(Row(table.passage, row).label) for row in table.rows] if by_label else []
            named = asked.terms(table.rows[0].caption, *passage.heading, *table.rows[0].header)
            name = asked.terms(table.caption, table.rows[0].header[0])
            held = len(subject & (name | asked.terms(*passage.heading[-1:])))
            is_named = subject <= named and held and held >= LEAST_NAMED * len(subject)
            if is_named and not any(subject <= one for one in labels):
                yield replace(table, score=(held, len(subject & name)))


def _subject(asked: Asked, passage: Passage) -> set[str]:
    """Returns the question's words that neither ask for a list nor name the document."""
    path = PurePath(passage.document)
    named = asked.terms(passage.title, path.name, path.stem, *passage.heading[:1], *passage.periods, passage.place)
    return asked.said - content_terms(ASKING, asked.language) - named


def _whole(passage: Passage, start: int, end: int, read: ReadsText) -> _Table | None:
    """Returns the table that a run of lines is part of; None if it is long, uneven or without a header."""
    place = table_bounds(passage, start, end, read)
    if place is None or place[1] - place[0] > MOST_TABLE:
        return None
    first, last = place
    text = read(passage.version_id, first, last).rstrip("\n")
    _, caption = above_table(read(passage.version_id, max(0, first - MOST_LEAD), first))
    rows = tuple(table_rows(text, caption=caption))
    if (
        not LEAST_ROWS <= len(rows) <= MOST_ROWS
        or any(row.header != rows[0].header for row in rows)
        or not rows[0].header
    ):
        return None
    whole = replace(passage, start=first, end=first + len(text), text=text, header="", caption=caption)
    return _Table(whole, rows, (0, 0))


def _add(made: Composition, table: _Table) -> None:
    passage, note = table.passage, made.cite(table.passage, 0, len(table.passage.text))
    header = without_rule(f"| {' | '.join(table.rows[0].header)} |")
    lead = "\n\n".join(filter(None, (escaped(table.caption), f"{escaped(header)}\n")))
    group = ""
    for i, row in enumerate(table.rows):
        if row.group and row.group != group:
            lead += f"| {escaped(row.group)} |{'  |' * (len(row.cells) - 1)}\n"
        group = row.group
        words = escaped(" | ".join(row.cells))
        quote = Quote(note, passage.start + row.start, passage.start + row.end, passage.text[row.start : row.end])
        made.add(f"{lead}| {words} [{note}] |", words, [note], gap="\n" if i else "\n\n", quotes=[quote])
        lead = ""
