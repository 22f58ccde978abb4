"""One embedding model of a collection with its vectors."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.docstore import EmbedderRow
from ingest.embedding import Embedder
from ingest.errors import EmbedderMismatch
from ingest.vectors import VectorStore


@dataclass(frozen=True, slots=True)
class VectorLeg:
    """An embedding model of a collection, and the Chroma collection that holds its vectors."""

    row: EmbedderRow
    store: VectorStore
    unchecked: Embedder

    @property
    def embedder(self) -> Embedder:
        """Loads the model and verifies that it made the vectors.

        Raises:
            EmbedderMismatch: its weights or settings have changed.
        """
        if self.unchecked.identity.fingerprint != self.row.fingerprint:
            raise EmbedderMismatch(
                f"The vectors were made with the embedding model {self.row.model} ({self.row.dimensions} dimensions), "
                "but its weights or settings have changed. Restore the original model, or embed the "
                "collection with another: footnote reembed --model NAME."
            )
        return self.unchecked
