"""Writes what torch makes of the check's texts with the bundled model: `python tests/support/recorded_vectors.py`."""

from __future__ import annotations

from ingest.embedding.runtimes.checked_graph import RECORDED
from ingest.embedding.runtimes.graph_check import Expected, expected_of, save_expected
from ingest.embedding.runtimes.selection import TORCH, open_runtime
from ingest.settings import DEFAULT_EMBEDDING_MODEL


def expected() -> Expected:
    """Returns what torch makes of the texts."""
    return expected_of(open_runtime(DEFAULT_EMBEDDING_MODEL, "cpu", wanted=TORCH))


if __name__ == "__main__":
    save_expected(RECORDED, expected())
