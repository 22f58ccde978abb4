"""Measures the cost of a search by stage and by collection size.

The chunks are the synthetic ones of `bench.retrieval.filters`. Questions are embedded by the default model, as in use.
"""

from __future__ import annotations

import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.bootstrap import open_footnote
from bench.data import SIZES
from bench.retrieval.filters import WORDS_A_QUESTION, Made, RandomModel, fill
from bench.retrieval.rankings import TIMED, print_times, times_of
from ingest.embedding.embedder import Embedder
from ingest.library import Library
from ingest.settings import Settings


class QuestionModel(RandomModel):
    """Embeds questions with the default model; documents have random vectors of the same length."""

    @cached_property
    def _real(self) -> Embedder:
        return Embedder()

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """float32 [dimensions]."""
        return self._real.encode_query(text)

    def query_tokens(self, text: str) -> NDArray[np.float32]:
        """float32 [tokens, dimensions], rows of unit length."""
        return self._real.query_tokens(text)


def question_library(settings: Settings) -> Library:
    """Opens a library with a `QuestionModel`."""
    return Library(settings, open_embedder=lambda *_, **__: QuestionModel())


def run(_shared: Path | None = None) -> None:
    """Prints a row per stage and a column per size."""
    times = {}
    for size in SIZES:
        with (
            tempfile.TemporaryDirectory() as folder,
            open_footnote(Settings(_env_file=None, data_dir=Path(folder)), question_library) as one,
        ):
            index, made = one.index("default"), Made()
            fill(index, made, size)
            random = np.random.default_rng(1)
            questions = [made.words(random, WORDS_A_QUESTION) for _ in range(TIMED)]
            one.search(questions[0], 10)
            times[f"made up {len(times) + 1}"] = times_of(index, one.search, questions)
    print_times(times)
