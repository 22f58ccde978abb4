"""The optional reranker: a model that reads a question with each candidate and reorders the best ones.

It only reorders search results. If it fails, their order is kept and the user is notified.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from app.cross_encoder import NamedCrossEncoder, NotLoadable, load_cross_encoder
from ingest.errors import RerankerError, RerankerFailed

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

# Pairs per model batch.
BATCH = 32
# e^-x overflows beyond this.
MOST_LOGIT = 700.0
IN_THE_SEARCHS_ORDER = "The passages are in the order of the search, not reranked."


class Judges(Protocol):
    """A local or remote model that scores how well each document answers a question."""

    def scores(self, question: str, documents: Sequence[str]) -> list[float]:
        """Returns a score for each document, higher is better, on any scale.

        Raises:
            RerankerError: the model cannot be used at all.
            RerankerFailed: this call returned no usable scores.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reranked:
    """Candidates in their new order, as positions in the old order, with their scores.

    `notice` explains a failure, after which the old order is kept.
    """

    order: tuple[int, ...]
    scores: tuple[float, ...]
    notice: str = ""


class Reranker:
    """Reorders the best candidates of a search. Thread-safe.

    Args:
        judge: scores documents for a question.
        candidates: how many of the best are reranked; all others stay below them.
    """

    def __init__(self, judge: Judges, candidates: int) -> None:
        self._judge = judge
        self.candidates = candidates
        self._lock = threading.Lock()
        self._failed = 0
        self._last_notice = ""

    def rerank(self, question: str, documents: Sequence[str], fused: Sequence[float]) -> Reranked:
        """Returns the candidates' new order.

        Args:
            question: the question as searched.
            documents: the texts of the first `candidates`, best first.
            fused: the scores of all results, best first, 0 to 1.

        Returns:
            An order of all of `fused`, with scores from 0 to 1 that never increase. Equal scores keep their order.

        Raises:
            RerankerError: the reranker cannot be used at all.
        """
        try:
            raw = _usable(self._judge.scores(question, documents), len(documents))
        except RerankerFailed as error:
            notice = f"{error} {IN_THE_SEARCHS_ORDER}"
            return Reranked(tuple(range(len(fused))), tuple(fused), self._gave_up(notice))
        # Sorted by raw scores: those of a very confident model all become 1.0 as shares.
        order, shares = sorted(range(len(raw)), key=lambda i: -raw[i]), as_shares(raw)
        scores = [shares[i] for i in order]
        rest, best = range(len(raw), len(fused)), max(fused[len(raw) :], default=0.0) or 1.0
        return Reranked((*order, *rest), (*scores, *(scores[-1] * (fused[i] / best) for i in rest)))

    def check(self) -> None:
        """Tries the reranker on two words.

        Raises:
            RerankerError: the reranker does not work.
        """
        _usable(self._judge.scores("apple", ["apple", "bear"]), 2)

    def notes(self) -> str:
        """Returns how many searches were not reranked, and why the last one failed; "" if all were reranked."""
        with self._lock:
            return f"{self._failed:,} searches were not reranked: {self._last_notice}" if self._failed else ""

    def _gave_up(self, notice: str) -> str:
        with self._lock:
            self._failed += 1
            self._last_notice = notice
        return notice


class CrossEncoderJudge(NamedCrossEncoder):
    """A sentence-transformers CrossEncoder with one score, loaded on first use. Thread-safe."""

    def scores(self, question: str, documents: Sequence[str]) -> list[float]:
        """Returns the model's raw logits; see `Judges.scores`."""
        from torch.nn import Identity  # noqa: PLC0415 - takes a second; only when needed

        pairs = [(question, document) for document in documents]
        with self._in_use() as model:
            try:
                found = model.predict(pairs, batch_size=BATCH, activation_fn=Identity(), show_progress_bar=False)
            except Exception as error:  # usually out of memory; the library passes on any error
                said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
                raise RerankerFailed(f"The reranker {self.model!r} could not read the passages: {said}.") from error
        return [float(score) for score in np.asarray(found, dtype=np.float64).reshape(len(pairs), -1)[:, 0]]

    def _load(self) -> CrossEncoder:
        try:
            model = load_cross_encoder(self.model, self._device)
        except NotLoadable as error:
            raise RerankerError(
                f"The reranker {self.model!r} cannot be loaded: {error}. Check the name or folder in "
                "FOOTNOTE_RERANKER, or leave it empty to search without one; then start Footnote again."
            ) from error
        if model.num_labels != 1:
            raise RerankerError(
                f"The model {self.model!r} gives {model.num_labels} scores per passage, but a reranker must give one. "
                "Name a cross-encoder that was trained to rank passages in FOOTNOTE_RERANKER."
            )
        return model


def as_shares(scores: Sequence[float]) -> list[float]:
    """Maps scores to 0 to 1 in the same order: unchanged if all are in that range, else by the sigmoid."""
    if all(0.0 <= one <= 1.0 for one in scores):
        return list(scores)
    return [1 / (1 + math.exp(-max(-MOST_LOGIT, min(MOST_LOGIT, one)))) for one in scores]


def _usable(scores: Sequence[float], wanted: int) -> Sequence[float]:
    if len(scores) != wanted or not all(map(math.isfinite, scores)):
        raise RerankerFailed("The reranker did not return one valid score for each passage.")
    return scores
