"""Figures of the contestants of one run."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures that every contestant has.

    Attributes:
        name: for the table's head.
        seconds: from the start of the ingesting process to its end.
        processor: seconds of processors that the ingest's processes used.
        split: seconds of reading and splitting; None if it happens while the model works.
        store: seconds of embedding and storing; None as above.
        largest: peak resident bytes of the ingest's largest process.
        together: peak resident bytes of all its processes at one time.
        disk: bytes of its store.
        chunks: chunks in its store.
        given: tokens of the texts given to the model, without special tokens.
        read: those of them that the model reads; it ignores the end of texts that are too long.
        cold: seconds of new processes that answer one question each.
        warm: milliseconds of questions in one process.
    """

    name: str
    seconds: float
    processor: float
    split: float | None
    store: float | None
    largest: int
    together: int
    disk: int
    chunks: int
    given: int
    read: int
    cold: tuple[float, ...]
    warm: tuple[float, ...]

    @property
    def share(self) -> float:
        """Returns the share of the given text that the model reads, from 0 to 1."""
        return self.read / self.given

    @property
    def rate(self) -> float:
        """Returns the tokens read by the model per second of the ingest."""
        return self.read / self.seconds

    @property
    def processor_rate(self) -> float:
        """Returns the tokens read by the model per second of processors; busy machines change it less."""
        return self.read / self.processor

    @property
    def bytes_a_chunk(self) -> float:
        """Returns the bytes on disk per chunk."""
        return self.disk / self.chunks

    @property
    def cold_median(self) -> float:
        """Returns the median seconds of a new process that answers one question."""
        return statistics.median(self.cold)


@dataclass(frozen=True, slots=True)
class FootnoteFigures:
    """Footnote's figures, and those that only Footnote has.

    Attributes:
        common: the figures that every contestant has.
        text: seconds from the start of the ingesting process until the text of all files could be searched.
        second: seconds of the second ingest, with nothing changed.
        second_runtimes: runtimes of models loaded by the second ingest.
        changed: seconds of an ingest after one file was changed.
        changed_embedded: texts that this ingest embedded.
        changed_chunks: chunks of the changed file.
        ask: seconds of new processes that answer one question each with quotes.
        bare: milliseconds of embedding a question plus one query of Chroma.
    """

    common: Figures
    text: float
    second: float
    second_runtimes: tuple[str, ...]
    changed: float
    changed_embedded: int
    changed_chunks: int
    ask: tuple[float, ...]
    bare: tuple[float, ...]


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    """Returns p50 and p95."""
    low, high = np.percentile(times, (50, 95)).tolist()
    return low, high
