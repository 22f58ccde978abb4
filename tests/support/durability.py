"""A Footnote on real stores with a model that needs no loading, and processes that are killed at a chosen step."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from faults import killed_after, watched_steps
from tests_support import WordEmbedder, WordTokenizer

from app.bootstrap import open_footnote
from app.footnote import Footnote
from ingest.docstore.collections import Catalog
from ingest.docstore.database import Database
from ingest.docstore.store import DocStore
from ingest.docstore.tags import Tags
from ingest.docstore.unembedded import Unembedded
from ingest.docstore.vector_cache import KeptVectors
from ingest.docstore.versions import Versions
from ingest.embedding.embedder import EmbedderIdentity
from ingest.errors import LoadError
from ingest.index import Sizes
from ingest.lexical.store import LexicalStore
from ingest.lexical.writer import LexicalWriter
from ingest.library import Library
from ingest.loaders import load
from ingest.loaders.sandbox.pool import Loaded
from ingest.segments import SegmentedDocument
from ingest.settings import DEFAULT_EMBEDDING_MODEL, Settings
from ingest.vectors.store import VectorStore

# Every method that changes a store. A kill falls after one of them, and so before the next.
STEPS = [
    (Versions, "add_pending"),
    (Versions, "add_segments"),
    (Versions, "add_chunks"),
    (LexicalWriter, "add"),
    (LexicalWriter, "delete"),
    (LexicalWriter, "clear"),
    (LexicalWriter, "commit"),
    (LexicalStore, "mark"),
    (LexicalStore, "switch"),
    (KeptVectors, "put"),
    (VectorStore, "create"),
    (VectorStore, "upsert"),
    (VectorStore, "delete"),
    (Catalog, "add_embedder"),
    (Catalog, "add_garbage"),
    (Catalog, "switch"),
    (Catalog, "switch_back"),
    (Catalog, "next_generation"),
    (Catalog, "forget_embedder"),
    (VectorStore, "drop"),
    (Database, "reclaim"),
    (Versions, "activate"),
    (Unembedded, "done"),
    (DocStore, "remove"),
    (Versions, "delete"),
    (Tags, "put"),
    (Tags, "change"),
]
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["durability", "chromadb", "tantivy", "app.bootstrap"])


class WordModel(WordTokenizer, WordEmbedder):
    """Counts words. A model called "blind" embeds all texts the same; "words" is the default model."""

    ready = True

    def __init__(self, name: str = DEFAULT_EMBEDDING_MODEL, _device: str = "", **_: object) -> None:
        self.model = "words" if name == DEFAULT_EMBEDDING_MODEL else name
        self.identity = EmbedderIdentity(self.model, f"{self.model:f<64}", self.dimensions)

    def load(self) -> None: ...

    def encode_query(self, text):
        vector = super().encode_query("same" if self.model == "blind" else text)
        return -vector if self.model == "other" else vector


class PoolInProcess:
    """Loads files without a process of their own: quick, for documents that are known to be harmless."""

    confinement = None

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None: ...

    def load_all(self, paths, cancel=None, name_of=os.fspath):
        for path in paths:
            try:
                yield Loaded(path, SegmentedDocument.of(load(path)), 0.0)
            except LoadError as error:
                yield Loaded(path, error, 0.0)


# Opens a library that uses `WordModel` for every model, reads files in this process, and asks Chroma however small a
# collection is.
word_library = partial(Library, open_embedder=WordModel, open_loaders=PoolInProcess, sizes=Sizes(most_whole=0))


def quick(settings: Settings, **others: object) -> Footnote:
    """Opens a data folder with fakes of the model and the loaders; `others` are passed to `Library`."""
    return open_footnote(settings, partial(word_library, **others))


def state(settings: Settings) -> dict[str, int]:
    """Returns the state that the Chroma server's supervisor wrote."""
    return json.loads((settings.data_dir / "run" / "chroma.json").read_text())


def ended(pid: int, seconds: float = 30) -> bool:
    """Waits for a process to end. Returns False if it does not end in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def rest(settings: Settings) -> None:
    """Waits until the Chroma server of a folder has ended, so that the folder can be copied or damaged."""
    try:
        assert ended(state(settings)["supervisor"])
    except FileNotFoundError:
        return


def copied(settings: Settings, to: Path) -> Settings:
    """The settings of a copy of a data folder."""
    shutil.copytree(settings.data_dir, to, ignore=shutil.ignore_patterns("run"))
    return settings.model_copy(update={"data_dir": to})


def steps_of(settings: Settings, work: Callable[[Footnote], object]) -> list[str]:
    """The names of the steps that a piece of work takes, in order."""
    receive, send = processes.Pipe(duplex=False)
    child = processes.Process(target=_counted, args=(settings, work, send))
    child.start()
    send.close()  # a child that dies before it has counted is then an error here, and not a wait without end
    names = receive.recv()
    child.join()
    return names


def killed_at(settings: Settings, work: Callable[[Footnote], object], step: int, victim: str = "ingest") -> None:
    """Does a piece of work in a process; after its `step`-th step, the victim is killed: -9.

    The victim is "ingest" (the process itself), "server" (Chroma's), "supervisor", or "both" (the first and second).
    """
    child = processes.Process(target=_killed, args=(settings, work, step, victim))
    child.start()
    child.join(120)
    assert child.exitcode is not None, "the work hangs"
    expected = {-signal.SIGKILL} if victim in {"ingest", "both"} else {0}
    assert child.exitcode in expected, f"killed {victim} after step {step}: exit {child.exitcode}"


def _counted(settings: Settings, work: Callable[[Footnote], object], send) -> None:
    names: list[str] = []
    with watched_steps(STEPS, names.append), quick(settings) as footnote:
        work(footnote)
    send.send(names)


def _killed(settings: Settings, work: Callable[[Footnote], object], at: int, victim: str) -> None:
    def victims() -> list[int]:
        servers = [] if victim == "ingest" else [state(settings)["supervisor" if victim == "supervisor" else "server"]]
        return [*servers, os.getpid()] if victim in {"ingest", "both"} else servers

    with killed_after(STEPS, at, victims), quick(settings) as footnote:
        work(footnote)


def contents(footnote: Footnote, collection: str = "default") -> dict[str, list[tuple]]:
    """Returns the contents of a collection: the chunks of each document, with their vectors in Chroma or None."""
    index = footnote.index(collection)
    chunks = index.docstore.indexed_chunks(index.docstore.chunk_ids(index.collection.id))
    rows = index.embedders()
    vectors = index.leg(rows["current"]).store.vectors([one.chunk.id for one in chunks]) if rows else {}
    found: dict[str, list[tuple]] = {}
    for one in chunks:
        at = (one.chunk.start, one.chunk.end, one.chunk.text, vectors.get(one.chunk.id))
        found.setdefault(one.chunk.source, []).append(at)
    return found


def assert_equal(found: dict[str, list[tuple]], wanted: dict[str, list[tuple]]) -> None:
    """Chunk for chunk, and vector for vector to 1e-6."""
    assert found.keys() == wanted.keys()
    for source, chunks in wanted.items():
        assert [one[:3] for one in found[source]] == [one[:3] for one in chunks]
        for one, other in zip(found[source], chunks, strict=True):
            assert np.abs(one[3] - other[3]).max() <= 1e-6
