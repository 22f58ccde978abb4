"""Answers without a language model, by quoting the sentences of the passages that answer best."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

import numpy as np
from numpy.typing import NDArray

from app.answering.highlights import answer_spans
from app.answering.quotes import Composition, Quotes, escaped
from app.answering.quoting import (
    LEAST_FURTHER,
    MARGIN,
    MEANING,
    Candidate,
    Question,
    date_of,
    figure_bonus,
    sentence_vectors,
    superseding,
)
from app.answering.tables import (
    ReadsText,
    add_listing,
    add_tables,
    asks_causes,
    matching_rows,
    rows_with_figures,
    with_parts,
)
from app.models import Passage
from app.protocols import Embeds
from app.text import language_data_of
from ingest.embedding import query_vector
from ingest.models import Query, as_query

# Weights in a sentence's score of shared terms, and of the rank of its passage.
TERMS, RANK = 0.35, 0.10
MOST_SENTENCES = 4
# A sentence below both is irrelevant with any embedder; app/answering/refusal.py decides better if calibrated for it.
LEAST_MEANING = 0.33
LEAST_TERMS = 0.5


class ExtractiveAnswerer:
    """Answers with quotes from the documents.

    Args:
        embedder: the collection's embedder.
        read: reads the text of documents, to show whole tables; None: no lists are answered with them.
    """

    def __init__(self, embedder: Embeds, read: ReadsText | None = None) -> None:
        self._embedder = embedder
        self._read = read

    def answer(
        self,
        question: str | Query,
        passages: Sequence[Passage],
        *,
        wide: Sequence[Passage] = (),
        meant: Container[str] = (),
        relevant: bool = False,
    ) -> Quotes:
        """Returns the one to four sentences that answer best, in reading order, each with its footnote.

        If the question names something by its identifier, only text about that thing is quoted.

        Args:
            question: the question, alone or with the earlier ones.
            passages: the passages to quote from, best first.
            wide: passages with whole tables, to read figures from; the same ones if not given.
            meant: the documents that the question means; figures of others are left out. Empty: any.
            relevant: True if the passages are known to answer the question.
        """
        query = as_query(question)
        asked, made = Question.of(query, passages), Composition()
        vector = query_vector(self._embedder.encode_query, asked.query) * self._embedder.knows(query.text)
        for_rows = asked.for_rows
        tables = [passage for passage in wide or passages if not meant or passage.document in meant]
        if self._read and add_listing(made, for_rows, tables, self._read):
            return made.quotes()
        stated = [row for row in rows_with_figures(tables) if asked.may_answer_row(row)]
        rows = matching_rows(for_rows, stated, lambda names: self._embedder.encode_sentences(names) @ vector)
        if asks_causes(query.alone):
            rows = with_parts(rows, stated, comma_expected=language_data_of(asked.language).decimal_comma)
        add_tables(made, for_rows, rows)
        candidates = asked.candidates(passages)
        if made.text:
            candidates = asked.unanswered(candidates, rows)
        if not candidates:
            return made.quotes()
        shared = asked.shared_terms(candidates)
        rank = np.array([1 / math.sqrt(candidate.passage.n) for candidate in candidates])
        words = TERMS * shared + RANK * rank + figure_bonus(query.alone, candidates)
        vectors, same = sentence_vectors(candidates, words, vector, self._embedder)
        meaning = np.where(np.isnan(vectors).any(axis=1), -np.inf, vectors @ vector)
        least = LEAST_FURTHER if made.text else LEAST_MEANING
        if (made.text or not relevant) and meaning.max() < least and shared.max() < LEAST_TERMS:
            return made.quotes()
        chosen = _choose(MEANING * meaning + words, vectors, same)
        whole = asked.whole_item(candidates[chosen[0]], candidates)
        kept = whole[:MOST_SENTENCES] or asked.of_one_thing([candidates[i] for i in chosen])
        if later := superseding(kept[0], candidates):
            _add_quotes(made, query.alone, [later], f"Later{_dated(later)}: ")
            _add_quotes(made, query.alone, [kept[0]], f"Earlier{_dated(kept[0])}: ")
            kept = [one for one in kept[1:] if one is not later]
        _add_quotes(made, query.alone, kept)
        return made.quotes()


def _choose(scores: NDArray[np.floating], vectors: NDArray[np.float32], same: float) -> list[int]:
    """Returns the best sentence and the nearly as good ones whose similarity to others is below `same`."""
    chosen: list[int] = []
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    for i in order:
        if len(chosen) == MOST_SENTENCES or scores[i] < MARGIN * scores[order[0]]:
            break
        if not chosen or float((vectors[chosen] @ vectors[i]).max()) < same:
            chosen.append(i)
    return chosen


def _dated(candidate: Candidate) -> str:
    date = date_of(candidate)
    return f" ({date})" if date else ""


def _add_quotes(made: Composition, question: str, chosen: Sequence[Candidate], said: str = "") -> None:
    """Appends the sentences: those of one passage share a paragraph, each new passage starts another.

    A table row is put below its header.

    Args:
        made: the answer so far.
        question: the question.
        chosen: the sentences.
        said: what precedes each sentence.
    """
    before: Candidate | None = None
    for candidate in sorted(chosen, key=lambda c: (c.passage.n, c.start)):
        runs_on = before is not None and candidate.passage is before.passage
        runs_on = runs_on and not candidate.stands_alone and not (before and before.stands_alone)
        words = candidate.text if candidate.is_code else escaped(candidate.text)
        lead, tail = (f"{escaped(candidate.header)}\n| ", " |") if candidate.header else ("", "")
        lead = f"{said}\n\n{lead}" if said and candidate.stands_alone else f"{said}{lead}"
        note = made.cite(candidate.passage, candidate.start, candidate.end)
        text = lead + words + ("\n\n" if candidate.is_code else " ") + f"[{note}]{tail}"
        spans = [(len(lead) + first, len(lead) + last) for first, last in answer_spans(question, words)]
        made.add(text, candidate.text, [note], gap=" " if runs_on else "\n\n", spans=spans)
        before = candidate
