"""The optional entailment model: any sentence-transformers CrossEncoder trained on natural language inference.

It is loaded on first use, from safetensors, and runs no code of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.cross_encoder import NamedCrossEncoder, NotLoadable, load_cross_encoder
from ingest.errors import EmbedderError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

# Threshold for a model with one score, or with two that have no label names.
LEAST_SCORE = 0.5


class EntailmentModel(NamedCrossEncoder):
    """A cross-encoder that compares a claim with its source. Thread-safe."""

    def read(self, proof: str, claim: str) -> str:
        """Returns how the source relates to the claim: "entailment", "neutral" or "contradiction".

        Raises:
            EmbedderError: the model cannot be loaded.
        """
        with self._in_use() as model:
            scores = np.atleast_1d(np.asarray(model.predict([(proof, claim)], show_progress_bar=False)[0]))
        labels: dict[int, str] = getattr(model.config, "id2label", None) or {}
        names = [labels.get(i, "").casefold() for i in range(len(scores))]
        best = names[int(scores.argmax())]
        for verdict in ("entailment", "contradiction"):
            if verdict[:6] in best and not best.startswith(("not", "non")):
                return verdict
        if any("entail" in name for name in names):
            return "neutral"
        return "entailment" if float(scores[-1]) >= LEAST_SCORE else "neutral"

    def _load(self) -> CrossEncoder:
        try:
            return load_cross_encoder(self.model, self._device)
        except NotLoadable as error:
            raise EmbedderError(
                f"The entailment model {self.model!r} cannot be loaded: {error}. Check the name or folder in "
                "FOOTNOTE_ENTAILMENT_MODEL, or leave it empty (answers are verified without it as well); then start "
                "Footnote again."
            ) from error
