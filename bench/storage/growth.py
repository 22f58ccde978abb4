"""Measures memory of the ingest and of Chroma's server, disk use, and open files by the number of documents.

Everything is the product's except the embedding model, replaced by random vectors of the same dimensions: its memory
does not depend on the number of documents, and twenty thousand would take it half an hour.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np
import psutil
from numpy.typing import NDArray

from app.bootstrap import open_footnote
from ingest.embedding.embedder import EmbedderIdentity
from ingest.embedding.token_vectors import EncodedText
from ingest.library import Library
from ingest.settings import Settings

DIMENSIONS = 384
DOCUMENTS = int(os.environ.get("DOCUMENTS", "20000"))
STEPS = 4
MIB = 1024 * 1024


class _RandomVectors:
    """Replaces a model."""

    model, ready, max_tokens = "random", True, 256
    identity = EmbedderIdentity("random", "random", DIMENSIONS)

    def __init__(self) -> None:
        self._dice = np.random.default_rng(4)

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [(word.start(), word.end()) for word in re.finditer(r"\S+", text)]

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = self._dice.standard_normal((len(texts), DIMENSIONS), dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def encode_chunks(self, texts: Sequence[str]) -> Iterator[tuple[int, EncodedText]]:
        for i, (text, vector) in enumerate(zip(texts, self.encode_documents(texts), strict=True)):
            tokens = self.query_tokens(text)
            yield i, EncodedText(vector, tokens, tokens[:0])

    def encode_query(self, _text: str) -> NDArray[np.float32]:
        return self.encode_documents([""])[0]

    def query_tokens(self, text: str) -> NDArray[np.float32]:
        return self.encode_documents(text.split() or [""])


def _modelless(settings: Settings) -> Library:
    return Library(settings, open_embedder=lambda *_, **__: _RandomVectors())


class _Peak:
    """Samples the peak memory of a process ten times a second while a block runs."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.most = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        with suppress(psutil.Error):
            while not self._done.wait(0.1):
                self.most = max(self.most, self._process.memory_info().rss)


def run(_shared: Path | None = None) -> None:
    """Prints a row for each quarter of the documents."""
    print("| documents | ingest, peak MiB | Chroma's server, peak MiB | vectors alone, MiB | disk, MiB |", end="")
    print(" open files | threads | chunks/s |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with (
        tempfile.TemporaryDirectory() as root,
        open_footnote(Settings(_env_file=None, data_dir=Path(root) / "data"), _modelless) as one,
    ):
        one.index("default").vector_search("warm", 1)
        for step in range(STEPS):
            folder = Path(root) / str(step)
            folder.mkdir()
            for i in range(DOCUMENTS // STEPS):
                number = step * (DOCUMENTS // STEPS) + i
                (folder / f"{number}.txt").write_text(f"Note {number} says that item {number * 7919 % 9973} is here.")
            one.library.chroma.client()
            with _Peak(os.getpid()) as ours, _Peak(_server(one.settings)) as theirs:
                began = time.perf_counter()
                report = one.ingest([folder])
                rate = report.chunks / (time.perf_counter() - began)
            assert report.count("failed") == 0
            count = one.index("default").docstore.count_chunks(1)
            process = psutil.Process()
            print(
                f"| {count:,} | {ours.most / MIB:.0f} | {theirs.most / MIB:.0f} | {count * DIMENSIONS * 4 / MIB:.0f} "
                f"| {one.bytes_on_disk() / MIB:.0f} | {process.num_fds()} | {process.num_threads()} | {rate:.0f} |",
                flush=True,
            )


def _server(settings: Settings) -> int:
    return int(json.loads((settings.data_dir / "run" / "chroma.json").read_text())["server"])
