"""Ingests paths into an index: finds files, reads new ones in sandboxed processes, chunks and writes them in batches.

The text of all files is written first, and found from then on; then their vectors are. Loaders read ahead while this
process writes. A file is hashed first; if its content and pipeline are known, it is not read again, whether it was
indexed or failed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from ingest.chunking import CHUNKER_FINGERPRINT, Chunker, Split
from ingest.docstore import KnownFailure
from ingest.errors import Cancelled, EmptyDocument, LoadError
from ingest.filters import tag_names
from ingest.host import Fingerprint, check_cancelled, fingerprint, wait_for
from ingest.index import Index, IndexWriter, Prepared, writing
from ingest.loaders import LOADER_FINGERPRINT, Loaded, LoaderPool, OpenLoaders, is_readable
from ingest.models import UNKNOWN_SCRIPT
from ingest.pipeline.failures import Failures, is_of_one_file
from ingest.pipeline.progress import Progress
from ingest.reports import FileOutcome, IngestProgress, IngestReport
from ingest.settings import Settings
from ingest.sources import Scan, WebPages, each_once, is_gone, is_under, scan
from ingest.urls import is_url

# Files and characters of text written and activated together: enough to make commits cheap, few enough to lose little
# on a stop. This many characters are about 256 chunks.
BATCH_CHARACTERS = 128 * 1024
BATCH_FILES = 64
MOST_LOADERS = 4
# Marks the pipeline of files read without OCR although they needed it; they are read again once OCR is on.
NO_OCR = "-ocr"


def ingest(
    index: Index,
    paths: Sequence[Path | str],
    settings: Settings,
    *,
    prune: bool = False,
    ocr: bool | None = None,
    allow_private: bool | None = None,
    tags: Sequence[str] | None = None,
    follow_links: bool = True,
    on_progress: Callable[[IngestProgress], None] | None = None,
    cancel: threading.Event | None = None,
    open_loaders: OpenLoaders = LoaderPool,
) -> IngestReport:
    """Ingests files, folders and web pages into a collection.

    Args:
        index: the collection.
        paths: files, folders and addresses of web pages. A file named here is retried even if the same content
            failed before.
        settings: limits of the loaders and of the chunks.
        prune: removes documents under the given folders whose files no longer exist.
        ocr: recognises text in pictures; None for the setting.
        allow_private: fetches web pages from non-public addresses; None for the setting.
        tags: new tags of all documents of this run, including unchanged ones; None leaves tags unchanged.
        follow_links: follows symbolic links inside folders, even if they lead outside.
        on_progress: called for every file whose text is written, and for chunks as their vectors are.
        cancel: stops the work; finished documents are kept, and the next ingest writes the vectors that are missing.
        open_loaders: starts the processes that read files; takes the arguments of `LoaderPool`.

    Returns:
        The outcome of each file; a failed file never stops the others.

    Raises:
        StoreError: an index store cannot be written. Finished documents are kept.
        EmbedderError: the embedding model cannot be used.
        QuestionError: a tag is invalid.
    """
    names = None if tags is None else tag_names(tags)
    run = _Run(
        index, settings, on_progress, cancel, ocr, allow_private=allow_private, tags=names, open_loaders=open_loaders
    )
    return run.run(paths, prune=prune, follow_links=follow_links)


class _Run:
    """One ingest, from scan to report."""

    def __init__(
        self,
        index: Index,
        settings: Settings,
        on_progress: Callable[[IngestProgress], None] | None,
        cancel: threading.Event | None,
        ocr: bool | None,
        *,
        allow_private: bool | None,
        tags: Sequence[str] | None,
        open_loaders: OpenLoaders,
    ) -> None:
        self._index = index
        self._open_loaders = open_loaders
        self._settings = settings
        self._progress = Progress(on_progress or (lambda _: None))
        self._failures = Failures(index, self._progress)
        self._cancel = cancel or threading.Event()
        self._pipeline = f"{LOADER_FINGERPRINT}+{CHUNKER_FINGERPRINT}/{settings.chunk_tokens}"
        self._ocr = settings.ocr if ocr is None else ocr
        self._known_pipelines = {self._pipeline} if self._ocr else {self._pipeline, self._pipeline + NO_OCR}
        self._unrecognised: set[str] = set()
        self._hashed: dict[str, Fingerprint] = {}
        self._sources: dict[Path, str] = {}
        allowed = settings.allow_private_addresses if allow_private is None else allow_private
        self._pages = WebPages(allow_private=allowed, max_mb=settings.max_file_mb, cancel=self._cancel)
        self._batch: list[Prepared] = []
        self._tags = tags
        self._untagged: list[str] = []

    def run(self, paths: Sequence[Path | str], *, prune: bool, follow_links: bool) -> IngestReport:
        self._progress.scanning()
        found = scan(paths, is_readable, follow_links=follow_links, cancel=self._cancel)
        if self._cancel.is_set():
            return self._progress.report(found, self._index.count_unembedded(), cancelled=True)
        each_once(found, self._index.docstore.sources(self._index.collection.id))
        self._progress.total = len(found.files) + len(found.failed)
        what = f"ingest of {paths[0]}" if paths else "ingest"
        try:
            with self._pages, writing(self._index, what, self._progress.waiting, self._cancel) as writer:
                for path, reason in found.failed.items():
                    self._progress.finish(FileOutcome(path, "failed", error=reason))
                self._add(found, writer)
                if prune:
                    self._prune(found, writer)
                # Only a run that got this far knows that no pending version is still needed.
                for leftover in ("stale", "pending"):
                    writer.collect(leftover, self._cancel)
                self._progress.texts_written(self._index.count_unembedded())
                writer.embed(self._progress.written, self._cancel)
        except Cancelled:
            return self._progress.report(found, self._index.count_unembedded(), cancelled=True)
        return self._progress.report(found, self._index.count_unembedded())

    def _add(self, found: Scan, writer: IndexWriter) -> None:
        workers = self._settings.workers or min(MOST_LOADERS, os.cpu_count() or 1)
        limits = self._settings
        with self._open_loaders(
            workers,
            limits.load_timeout,
            limits.load_memory_mb,
            limits.max_file_mb,
            ocr=self._ocr,
            allow_unconfined=limits.allow_unconfined,
            spool_folder=limits.data_dir,
        ) as pool:
            for loaded in pool.load_all(self._to_load(found), self._cancel, self._sources.__getitem__):
                if pool.confinement:
                    self._progress.unconfined = pool.confinement.missing
                self._check_cancelled()
                self._split(loaded)
                if self._is_full():
                    self._flush(writer)
                    writer.give_way()
        self._check_cancelled()
        self._flush(writer)

    def _to_load(self, found: Scan) -> Iterator[Path]:
        """Yields the files that must be read; finishes known ones on the way. Runs in the loaders' thread."""
        for source in found.files:
            if self._cancel.is_set():
                return
            try:
                path = self._pages.path(source) if is_url(source) else Path(source)
                self._hashed[source] = file = fingerprint(path, self._settings.max_file_mb, self._cancel)
                known = self._is_known(source, file, retry=source in found.named)
            except OSError as error:
                self._fail(source, f"{source} could not be read: {error.strerror}. Check its permissions.")
            except Exception as error:  # noqa: BLE001 - `_fail` re-raises errors that do not concern this file
                self._fail(source, error)
            else:
                if known:
                    self._pages.forget(path)
                    continue
                self._sources[path] = source
                yield path

    def _is_known(self, source: str, file: Fingerprint, *, retry: bool) -> bool:
        """Finishes a file whose content was indexed before, or failed before."""
        docstore, collection = self._index.docstore, self._index.collection.id
        known = docstore.known_version(collection, source)
        if known and known.content_sha == file.content_sha and known.pipeline in self._known_pipelines:
            docstore.forget_failure(collection, source)
            if self._tags is not None:
                self._untagged.append(source)
            self._progress.finish(FileOutcome(source, "unchanged", known.pages, known.chunks, warnings=known.warnings))
            return True
        failure = docstore.known_failure(collection, source)
        same = failure and failure.content_sha == file.content_sha and failure.pipeline in self._known_pipelines
        if failure and same and not retry:
            self._progress.finish(FileOutcome(source, "failed", error=failure.error))
            return True
        return False

    def _split(self, loaded: Loaded) -> None:
        """Chunks a loaded document and adds it to the batch, or records why that failed."""
        source, chunker = self._sources.pop(loaded.path), self._chunker
        self._pages.forget(loaded.path)
        if loaded.unrecognised:
            self._unrecognised.add(source)
        if loaded.read:  # the file may have changed since it was hashed
            self._hashed[source] = loaded.read
        try:
            self._prepare(source, loaded, chunker)
        except Exception as error:  # noqa: BLE001 - `_fail` re-raises errors that do not concern this file
            self._fail(source, error, loaded.seconds)

    def _prepare(self, source: str, loaded: Loaded, chunker: Chunker) -> None:
        document = loaded.result
        if isinstance(document, LoadError):
            raise document
        if document.tally.blank:
            raise EmptyDocument(f"{source} contains no searchable text.")
        if not self._index.embedder.knows(document.tally.opening):
            document = replace(document, warnings=(*document.warnings, UNKNOWN_SCRIPT))
        chunks = Split(chunker, document)
        file, pipeline = self._hashed[source], self._pipeline_of(source)
        self._batch.append(Prepared(source, file.content_sha, pipeline, file.size, document, chunks, loaded.seconds))

    def _flush(self, writer: IndexWriter) -> None:
        self._tag_unchanged()
        batch, self._batch = self._batch, []
        if batch:
            self._put(batch, writer)
            writer.progress(self._progress.done, self._progress.total)

    def _put(self, batch: Sequence[Prepared], writer: IndexWriter) -> None:
        """Writes files together; if one of them fails, writes them one by one, so that only that one is lost."""
        try:
            result = writer.put(batch, self._cancel, self._tags)
        except Exception as error:  # `_fail` re-raises errors that do not concern one file
            if len(batch) == 1:
                self._fail(batch[0].source, error, batch[0].seconds)
                return
            if not is_of_one_file(error):
                raise
            for one in batch:
                self._put([one], writer)
            return
        for prepared, status, n in zip(batch, result.statuses, result.chunks, strict=True):
            tally, warnings = prepared.document.tally, prepared.document.warnings
            reading = tally.reading(prepared.seconds)
            self._progress.chunks += 0 if status == "unchanged" else n
            self._progress.finish(
                FileOutcome(prepared.source, status, tally.pages, n, warnings=warnings, reading=reading)
            )

    def _tag_unchanged(self) -> None:
        """Gives the run's tags to known documents that were not read."""
        sources = []
        while self._untagged:  # popped one by one, because the loaders' thread appends
            sources.append(self._untagged.pop())
        if self._tags is not None and sources:
            self._index.docstore.tags.put(self._index.collection.id, sources, self._tags)

    def _prune(self, found: Scan, writer: IndexWriter) -> None:
        known = self._index.docstore.sources(self._index.collection.id)
        under = [s for s in known if s not in found.files and any(is_under(s, folder) for folder in found.folders)]
        real = {os.path.realpath(source) for source in found.files if not is_url(source)} if under else set()
        # Also removes a link to a file that was now found under its own name.
        gone = [s for s in under if is_gone(s) or os.path.realpath(s) in real]
        if gone:
            writer.remove(gone)
        for source in gone:
            self._progress.finish(FileOutcome(source, "removed"))

    @cached_property
    def _chunker(self) -> Chunker:
        embedder = self._index.embedder
        wait_for(embedder.load, self._cancel)  # importing torch alone takes seconds, and cannot be stopped
        return Chunker(embedder, self._settings.chunk_tokens)

    def _is_full(self) -> bool:
        return (
            len(self._batch) >= BATCH_FILES or sum(p.document.tally.characters for p in self._batch) >= BATCH_CHARACTERS
        )

    def _pipeline_of(self, source: str) -> str:
        """Returns the pipeline's fingerprint, marked for files left unread because OCR is off."""
        return self._pipeline + NO_OCR if source in self._unrecognised else self._pipeline

    def _fail(self, source: str, error: str | Exception, seconds: float = 0.0) -> None:
        """Records the failure of one file; re-raises errors of the index, the model or the run."""
        sha = self._hashed[source].content_sha if source in self._hashed else ""
        self._failures.record(source, error, KnownFailure(sha, self._pipeline_of(source), "", seconds))

    def _check_cancelled(self) -> None:
        if self._cancel.is_set():
            self._tag_unchanged()
            check_cancelled(self._cancel)
