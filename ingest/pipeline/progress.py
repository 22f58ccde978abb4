"""Collects the outcome of each file of an ingest, and reports progress."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ingest.reports import FileOutcome, IngestProgress, IngestReport
from ingest.sources import Scan


class Progress:
    """The progress of one ingest.

    Args:
        on_progress: called for every file whose text is written, and for chunks as their vectors are.

    Attributes:
        total: number of files.
        chunks: chunks of added and updated documents.
        embedded: texts embedded by the model.
        unconfined: sandbox mechanisms that are unavailable to the reading processes.
    """

    def __init__(self, on_progress: Callable[[IngestProgress], None]) -> None:
        self.total = 0
        self.chunks = 0
        self.embedded = 0
        self.unconfined: tuple[str, ...] = ()
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._outcomes: dict[str, FileOutcome] = {}
        self._written = self._to_embed = 0
        self._embedding = False
        self._text_seconds: float | None = None
        self._telling = threading.Lock()

    @property
    def done(self) -> int:
        """Returns the number of finished files."""
        return len(self._outcomes)

    def scanning(self) -> None:
        """Reports that files are being searched for."""
        self._tell(scanning=True)

    def waiting(self, writer: str) -> None:
        """Reports that `writer` currently has write access."""
        self._tell(waiting_for=writer)

    def texts_written(self, unembedded: int) -> None:
        """Reports that all files can be found by their words, and that this many chunks are to be embedded."""
        self._text_seconds = time.monotonic() - self._started
        if unembedded:
            self._to_embed, self._embedding = unembedded, True
            self._tell()

    def written(self, chunks: int, embedded: int) -> None:
        """Counts chunks whose vectors were written, and the texts that the model embedded for them."""
        self._written += chunks
        self.embedded += embedded
        self._to_embed = max(self._to_embed, self._written)  # another process may have left some too
        self._tell()

    def finish(self, outcome: FileOutcome) -> None:
        """Records the outcome of a file."""
        self._outcomes[outcome.path] = outcome
        self._to_embed += outcome.chunks if outcome.status in {"added", "updated"} else 0
        self._tell(outcome=outcome)

    def report(self, found: Scan, unembedded: int, *, cancelled: bool = False) -> IngestReport:
        """Summarises the outcomes in scan order; `unembedded` counts the collection's chunks without vectors."""
        order = {path: i for i, path in enumerate([*found.failed, *found.files])}
        outcomes = sorted(self._outcomes.values(), key=lambda o: (order.get(o.path, len(order)), o.path))
        seconds = time.monotonic() - self._started
        return IngestReport(
            tuple(outcomes),
            self.chunks,
            self.embedded,
            seconds,
            seconds if self._text_seconds is None else self._text_seconds,
            skipped=tuple(found.skipped),
            unfollowed=tuple(found.unfollowed),
            cancelled=cancelled,
            unembedded=unembedded,
            unconfined=self.unconfined,
        )

    def _tell(self, *, scanning: bool = False, waiting_for: str = "", outcome: FileOutcome | None = None) -> None:
        progress = IngestProgress(
            files_done=len(self._outcomes),
            files_total=self.total,
            chunks_done=self._written,
            chunks_total=self._to_embed,
            seconds=time.monotonic() - self._started,
            current=outcome.path if outcome else "",
            scanning=scanning,
            embedding=self._embedding,
            waiting_for=waiting_for,
            outcome=outcome,
        )
        with self._telling:  # the loaders' thread reports too, while it hashes files
            self._on_progress(progress)
