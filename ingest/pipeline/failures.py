"""Records why files could not be ingested."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace

from ingest.docstore import KnownFailure
from ingest.errors import FootnoteError, LoadError, NoRoom, NotConfined
from ingest.index import Index
from ingest.pipeline.progress import Progress
from ingest.reports import FileOutcome
from ingest.text import storable
from ingest.urls import masked

logger = logging.getLogger(__name__)


class Failures:
    """Records failures in the document store, so that unchanged files are not retried, and reports them as progress."""

    def __init__(self, index: Index, progress: Progress) -> None:
        self._docstore = index.docstore
        self._collection = index.collection.id
        self._progress = progress

    def record(self, source: str, error: str | Exception, failure: KnownFailure) -> None:
        """Records the failure of one file.

        Args:
            source: the file or address.
            error: what happened. An error not caused by the content is recorded without its hash, so that the next run
                tries the file again.
            failure: the other facts; its error is filled in.

        Raises:
            Exception: `error`, if it concerns the index, the model or the run.
        """
        if isinstance(error, Exception):
            if not is_of_one_file(error):
                raise error
            if not isinstance(error, LoadError) or isinstance(error, NotConfined | NoRoom):
                failure = replace(failure, content_sha="")
            error = str(error) if isinstance(error, LoadError) else _internal(source, error)
        failure = replace(failure, error=masked(storable(error)))
        self._docstore.record_failure(self._collection, source, failure)
        self._progress.finish(FileOutcome(source, "failed", error=failure.error))


def is_of_one_file(error: Exception) -> bool:
    """Returns True if an error concerns one file only, so that neither other files nor later runs would meet it."""
    if isinstance(error, LoadError) or not isinstance(error, FootnoteError):
        return True
    return isinstance(error.__cause__, sqlite3.DataError | UnicodeError | OverflowError)


def _internal(source: str, error: Exception) -> str:
    logger.error("Internal error at %s", ascii(source), exc_info=error)
    what = f"{type(error).__name__}: {error}"
    return f"{source} could not be ingested because of an internal error ({what}). Report it."
