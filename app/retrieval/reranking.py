"""The optional reranker: a model that reads a question with each candidate and puts the best of them in order.

It only orders what both searches found. Where it fails, their order stands and the user is told.
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

# Pairs that a model reads at once.
BATCH = 32
# Beyond it e^-x is no float any more.
MOST_LOGIT = 700.0
IN_THE_SEARCHS_ORDER = "The passages are in the order of the search, not reranked."


class Judges(Protocol):
    """A model, here or at a server, that says how well each document answers a question."""

    def scores(self, question: str, documents: Sequence[str]) -> list[float]:
        """A score for each document, higher is better, of any scale.

        Raises:
            RerankerError: it cannot be used at all.
            RerankerFailed: it gave no usable scores this time.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reranked:
    """Candidates in their new order: their places in the old one, and their scores.

    `notice` says, where it failed, why the order is the old one.
    """

    order: tuple[int, ...]
    scores: tuple[float, ...]
    notice: str = ""


class Reranker:
    """Puts the best candidates of a search in order. Thread-safe.

    Args:
        judge: scores question and document.
        candidates: how many of the best are reranked; what ranks lower stays below them.
    """

    def __init__(self, judge: Judges, candidates: int) -> None:
        self._judge = judge
        self.candidates = candidates
        self._lock = threading.Lock()
        self._failed = 0
        self._last_notice = ""

    def rerank(self, question: str, documents: Sequence[str], fused: Sequence[float]) -> Reranked:
        """The new order of candidates.

        Args:
            question: what was searched.
            documents: texts of the first `candidates`, best first.
            fused: scores of all that were found, best first, 0 to 1.

        Returns:
            An order of all of `fused`, with scores from 0 to 1 that never rise along it. Equal scores keep their order.

        Raises:
            RerankerError: the reranker cannot be used at all.
        """
        try:
            raw = _usable(self._judge.scores(question, documents), len(documents))
        except RerankerFailed as error:
            notice = f"{error} {IN_THE_SEARCHS_ORDER}"
            return Reranked(tuple(range(len(fused))), tuple(fused), self._gave_up(notice))
        # By the raw scores: those of a model that is very sure are all 1.0 as shares.
        order, shares = sorted(range(len(raw)), key=lambda i: -raw[i]), as_shares(raw)
        scores = [shares[i] for i in order]
        rest, best = range(len(raw), len(fused)), max(fused[len(raw) :], default=0.0) or 1.0
        return Reranked((*order, *rest), (*scores, *(scores[-1] * (fused[i] / best) for i in rest)))

    def check(self) -> None:
        """Tries the reranker on two words.

        Raises:
            RerankerError: it does not work.
        """
        _usable(self._judge.scores("apple", ["apple", "bear"]), 2)

    def notes(self) -> str:
        """How many searches were not reranked so far, and why the last one was not; "" where all were."""
        with self._lock:
            return f"{self._failed:,} searches were not reranked: {self._last_notice}" if self._failed else ""

    def _gave_up(self, notice: str) -> str:
        with self._lock:
            self._failed += 1
            self._last_notice = notice
        return notice


class CrossEncoderJudge(NamedCrossEncoder):
    """A sentence-transformers CrossEncoder with one score, loaded at first use. Thread-safe."""

    def scores(self, question: str, documents: Sequence[str]) -> list[float]:
        """The model's own logits; see `Judges.scores`."""
        from torch.nn import Identity  # noqa: PLC0415 - takes a second; only when needed

        pairs = [(question, document) for document in documents]
        with self._in_use() as model:
            try:
                found = model.predict(pairs, batch_size=BATCH, activation_fn=Identity(), show_progress_bar=False)
            except Exception as error:  # out of memory, most of all; the library raises whatever its parts raise
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
                f"The model {self.model!r} gives {model.num_labels} scores for a passage where a reranker gives one. "
                "Name a cross-encoder that was trained to rank passages in FOOTNOTE_RERANKER."
            )
        return model


def as_shares(scores: Sequence[float]) -> list[float]:
    """Scores from 0 to 1 in the same order: as they are where all lie there, else as logits (sigmoid)."""
    if all(0.0 <= one <= 1.0 for one in scores):
        return list(scores)
    return [1 / (1 + math.exp(-max(-MOST_LOGIT, min(MOST_LOGIT, one)))) for one in scores]


def _usable(scores: Sequence[float], wanted: int) -> Sequence[float]:
    if len(scores) != wanted or not all(map(math.isfinite, scores)):
        raise RerankerFailed("The reranker gave scores that are no numbers, or not one for each passage.")
    return scores
