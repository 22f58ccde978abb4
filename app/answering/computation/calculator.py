"""Answers a question by calculating with the figures of tables, if all of it is understood."""

from __future__ import annotations

from collections.abc import Sequence

from app.answering.computation.over_rows import add_over_rows
from app.answering.computation.question_words import Wording
from app.answering.computation.two_figures import add_two_figures
from app.answering.computation.whole_tables import whole_tables
from app.answering.quotes import NO_QUOTES, Composition, Quotes
from app.answering.tables import ReadsText, rows_with_figures
from app.models import Passage
from app.text import language_data_of, shared_language
from ingest.models import Query
from ingest.text import language_of

# Longer questions ask for more than one calculation.
MOST_CHARACTERS = 400


class Calculator:
    """Answers questions for calculations over tables.

    Args:
        read: reads the text of documents; None: only what a search found is used.
    """

    def __init__(self, read: ReadsText | None = None) -> None:
        self._read = read

    def answer(self, query: Query, passages: Sequence[Passage]) -> Quotes:
        """Returns the computed answer with its footnotes; an empty one if not all of the question is understood.

        Args:
            query: the question.
            passages: what a search found for it, best first.
        """
        question = query.alone
        if len(question) > MOST_CHARACTERS:
            return NO_QUOTES
        texts = [passage.text for passage in passages]
        language, made = shared_language(question, *texts), Composition()
        comma_expected = language_data_of(language_of(" ".join(texts))).decimal_comma
        rows = rows_with_figures(passages)
        if add_two_figures(made, question, rows, language, comma_expected=comma_expected):
            return made.quotes()
        if self._read is not None:
            tables = list(whole_tables(passages, self._read, comma_expected=comma_expected))
            add_over_rows(made, question, tables, Wording(language))
        return made.quotes()
