"""Keeps what an ingest did with each file, and tells whoever watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ingest.models import FileOutcome, IngestProgress, IngestReport
from ingest.sources import Scan


class Progress:
    """What one ingest did so far.

    Args:
        on_progress: told of every file that is done, and of chunks as they are written.

    Attributes:
        total: how many files there are.
        chunks: chunks of added and updated documents.
        embedded: texts given to the model.
        unconfined: what does not hold the processes that read files.
    """

    def __init__(self, on_progress: Callable[[IngestProgress], None]) -> None:
        self.total = 0
        self.chunks = 0
        self.embedded = 0
        self.unconfined: tuple[str, ...] = ()
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._outcomes: dict[str, FileOutcome] = {}
        self._written = 0
        self._telling = threading.Lock()

    @property
    def done(self) -> int:
        """How many files are done."""
        return len(self._outcomes)

    def scanning(self) -> None:
        """Says that files are being looked for."""
        self._tell(scanning=True)

    def waiting(self, writer: str) -> None:
        """Says that `writer` has the right to write."""
        self._tell(waiting_for=writer)

    def written(self, chunks: int) -> None:
        """Counts chunks that have their vector."""
        self._written += chunks
        self._tell()

    def finish(self, outcome: FileOutcome) -> None:
        """Keeps what became of a file."""
        self._outcomes[outcome.path] = outcome
        self._tell(outcome=outcome)

    def report(self, found: Scan, *, cancelled: bool = False) -> IngestReport:
        """Sums up, file by file in the order of the scan."""
        order = {path: i for i, path in enumerate([*found.failed, *found.files])}
        outcomes = sorted(self._outcomes.values(), key=lambda o: (order.get(o.path, len(order)), o.path))
        return IngestReport(
            tuple(outcomes),
            self.chunks,
            self.embedded,
            time.monotonic() - self._started,
            skipped=tuple(found.skipped),
            unfollowed=tuple(found.unfollowed),
            cancelled=cancelled,
            unconfined=self.unconfined,
        )

    def _tell(self, *, scanning: bool = False, waiting_for: str = "", outcome: FileOutcome | None = None) -> None:
        progress = IngestProgress(
            files_done=len(self._outcomes),
            files_total=self.total,
            chunks_done=self._written,
            seconds=time.monotonic() - self._started,
            current=outcome.path if outcome else "",
            scanning=scanning,
            waiting_for=waiting_for,
            outcome=outcome,
        )
        with self._telling:  # files are hashed in the loaders' thread
            self._on_progress(progress)
