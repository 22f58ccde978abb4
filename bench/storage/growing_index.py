"""Measures an ingest: both of its phases, the memory of its processes, and the size of each store."""

from __future__ import annotations

import json
import resource
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import psutil

from app.footnote import Footnote
from ingest.host import bytes_in
from ingest.library import DOCUMENTS
from ingest.reports import IngestProgress
from ingest.settings import Settings

SAMPLE_SECONDS = 0.1
# Pages of each table and index; an index that SQLite makes for a primary key has its table's name in its own.
TABLES = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC"


@dataclass(frozen=True, slots=True)
class Spent:
    """Time of a phase: `seconds` on the clock, `processor` seconds of this process, its children and Chroma's."""

    seconds: float
    processor: float


@dataclass(frozen=True, slots=True)
class Ingested:
    """Figures of an ingest.

    Attributes:
        files: files that it added.
        chunks: their chunks.
        text: from its start until all texts could be found by their words.
        vectors: from then to its end.
        own: peak resident bytes of this process.
        chroma: those of Chroma's server.
    """

    files: int
    chunks: int
    text: Spent
    vectors: Spent
    own: int
    chroma: int


class Peaks:
    """Samples the peak memory of this process and of Chroma's server while a block runs.

    Attributes:
        own: the most resident bytes of this process.
        chroma: those of Chroma's server.
    """

    def __init__(self, settings: Settings) -> None:
        self._sampled = {"own": psutil.Process(), "chroma": chroma_server(settings)}
        self._most = dict.fromkeys(self._sampled, 0)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def own(self) -> int:
        return self._most["own"]

    @property
    def chroma(self) -> int:
        return self._most["chroma"]

    def _watch(self) -> None:
        with suppress(psutil.Error):
            while True:
                for name, process in self._sampled.items():
                    self._most[name] = max(self._most[name], process.memory_info().rss)
                if self._done.wait(SAMPLE_SECONDS):
                    return


def chroma_server(settings: Settings) -> psutil.Process:
    """Returns the process of the Chroma server that this process is connected to."""
    return psutil.Process(json.loads((settings.data_dir / "run" / "chroma.json").read_text())["server"])


def ingested(one: Footnote, paths: Sequence[Path]) -> Ingested:
    """Ingests paths, which must not fail."""
    one.library.chroma.client()  # starts the server
    server = chroma_server(one.settings)
    marks = [_now(server)]

    def tell(progress: IngestProgress) -> None:
        if progress.embedding and len(marks) == 1:
            marks.append(_now(server))

    with Peaks(one.settings) as peaks:
        report = one.ingest(paths, on_progress=tell)
    marks.append(_now(server))
    failed = [document.error for document in report.documents if document.error]
    assert not failed, failed[:3]
    text, vectors = (
        Spent(after.seconds - before.seconds, after.processor - before.processor) for before, after in pairwise(marks)
    )
    return Ingested(len(report.documents), report.chunks, text, vectors, peaks.own, peaks.chroma)


def _now(server: psutil.Process) -> Spent:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)  # those that have ended: the loaders
    theirs = server.cpu_times()
    used = time.process_time() + children.ru_utime + children.ru_stime + theirs.user + theirs.system
    return Spent(time.perf_counter(), used)


def bytes_by_store(settings: Settings, lexical: Path) -> dict[str, int]:
    """Returns the bytes on disk of each store."""
    folder = settings.data_dir
    documents = sum(file.stat().st_size for file in folder.glob(f"{DOCUMENTS}*"))
    return {"document store": documents, "Chroma": bytes_in(folder / "chroma"), "text index": bytes_in(lexical)}


def bytes_by_table(database: Path) -> dict[str, int]:
    """Returns the bytes of each table and index of a SQLite file, largest first."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        return dict(db.execute(TABLES).fetchall())
