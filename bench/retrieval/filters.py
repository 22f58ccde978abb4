"""Measures filtered searches against searches of everything, by the share of the collection that a filter matches.

The chunks are synthetic: random words, and random vectors of unit length, written directly into the stores. Random
vectors are all equally far from each other, which is the worst case for an approximate index.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.bootstrap import open_footnote
from app.footnote import Footnote
from ingest.docstore.records import ChunkRow, VersionRow
from ingest.docstore.versions import PendingVersion
from ingest.embedding.embedder import EmbedderIdentity
from ingest.filters import Filter
from ingest.index.index import Index
from ingest.lexical.writer import LexicalEntry, LexicalWriter
from ingest.library import Library
from ingest.models import chunk_id
from ingest.settings import Settings

CHUNKS = int(os.environ.get("CHUNKS", "100000"))
CHUNKS_A_DOCUMENT = 20
DOCUMENTS_AT_ONCE = 50
DIMENSIONS = 384
WORDS, WORDS_A_CHUNK, WORDS_A_QUESTION = 5_000, 60, 6
K = 50
FIRST, LATER = 15, 45
# Filters match one document, or every n-th document; the metadata lets Chroma apply the same filter.
EVERY = (100, 25, 10, 2)


class RandomModel:
    """Returns a random vector of unit length for each text, so that questions need no model."""

    ready = True
    max_tokens = 256
    model = "random"
    identity = EmbedderIdentity("random", "r" * 64, DIMENSIONS)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """float32 [dimensions]."""
        return unit(np.random.default_rng(list(text.encode())), 1)[0]

    def query_tokens(self, text: str) -> NDArray[np.float32]:
        """float32 [words, dimensions], rows of unit length."""
        return np.stack([self.encode_query(word) for word in text.split()])


def random_library(settings: Settings) -> Library:
    """Opens a library with a `RandomModel`."""
    return Library(settings, open_embedder=lambda *_, **__: RandomModel())


@dataclass
class Made:
    """The content of the index: vectors and chunk ids in the same order, and word frequencies."""

    ids: list[str] = field(default_factory=list)
    vectors: list[NDArray[np.float32]] = field(default_factory=list)
    frequencies: NDArray[np.float64] = field(default_factory=lambda: 1 / np.arange(1, WORDS + 1))

    def words(self, random: np.random.Generator, n: int) -> str:
        """Draws words with the frequencies of natural language (Zipf)."""
        chosen = random.choice(WORDS, size=n, p=self.frequencies / self.frequencies.sum())
        return " ".join(f"w{word}" for word in chosen)


def unit(random: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Returns random vectors: float32 [n, dimensions], rows of unit length."""
    found = random.standard_normal((n, DIMENSIONS)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def run(_shared: Path | None = None) -> None:
    """Prints a row for each filter."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_footnote(Settings(_env_file=None, data_dir=Path(folder)), random_library) as one,
    ):
        index, made = one.index("default"), Made()
        began = time.perf_counter()
        fill(index, made, CHUNKS)
        seconds = time.perf_counter() - began
        print(f"{len(made.ids):,} chunks of {len(made.ids) // CHUNKS_A_DOCUMENT:,} documents, made in {seconds:.0f} s.")
        print("Milliseconds, p50 / p95; first: after the collection has changed; later: the same filter again.\n")
        print(
            "| searched | chunks | nearest 50, first | later | of the true 50 | BM25, first | later "
            "| both, fused, later | Chroma's own filter |"
        )
        print(f"| --- |{' ---: |' * 8}")
        for name, within, where in _filters():
            _print_row(one, made, name, within, where)


def fill(index: Index, made: Made, chunks: int) -> None:
    """Writes this many synthetic chunks into an empty collection."""
    index.settle_embedder()
    index.leg(index.embedders()["current"]).store.create()
    random = np.random.default_rng(0)
    documents = chunks // CHUNKS_A_DOCUMENT
    with index.lexical.writing() as lexical:
        for first in range(0, documents, DOCUMENTS_AT_ONCE):
            _write(index, lexical, made, range(first, min(first + DOCUMENTS_AT_ONCE, documents)), random)
        lexical.commit()


def _write(
    index: Index, lexical: LexicalWriter, made: Made, numbers: Sequence[int], random: np.random.Generator
) -> None:
    vectors = unit(random, len(numbers) * CHUNKS_A_DOCUMENT)
    rows, places = [], []
    for number in numbers:
        version = _version(number)
        some = [_chunk(version.id, at, made, random) for at in range(CHUNKS_A_DOCUMENT)]
        index.docstore.versions.add_pending(index.collection.id, [PendingVersion(version, chunks=some)])
        lexical.add([LexicalEntry(row.id, version.id, row.text, "", f"{number}.md") for row in some])
        rows += some
        places += [{"document": version.source} | {f"every_{n}": number % n for n in EVERY}] * len(some)
    ids = [row.id for row in rows]
    current = index.embedders()["current"]
    keys = [row.embed_key for row in rows]
    tokens = [random.bytes(WORDS_A_CHUNK * DIMENSIONS // 8) for _ in keys]
    index.docstore.kept.put(current.id, dict(zip(keys, vectors, strict=True)), dict(zip(keys, tokens, strict=True)))
    index.leg(current).store.upsert(ids, vectors, [row.text for row in rows], places)
    index.docstore.versions.activate([_version(number).id for number in numbers])
    made.ids += ids
    made.vectors.append(vectors)


def _version(number: int) -> VersionRow:
    source = "/".join(["/made", *(f"{number % n}" for n in EVERY[::-1]), f"{number}.md"])
    return VersionRow(f"{number:032x}", f"d{number}", source, "", "", "", None, (), 1, "{}")


def _chunk(version_id: str, at: int, made: Made, random: np.random.Generator) -> ChunkRow:
    text = made.words(random, WORDS_A_CHUNK)
    return ChunkRow(chunk_id(version_id, at), at, 0, len(text), text, None, (), random.bytes(32), "", "")


def _filters() -> Iterator[tuple[str, Filter, dict[str, int | str] | None]]:
    """Yields the name of a row, its filter, and the equivalent filter of Chroma."""
    yield "all", Filter(), None
    source = _version(1).source
    yield "one document", Filter(sources=(source,)), {"document": source}
    for n in EVERY:
        sources = tuple(_version(number).source for number in range(1, CHUNKS // CHUNKS_A_DOCUMENT, n))
        yield f"{100 // n}% of the documents", Filter(sources=sources), {f"every_{n}": 1}


def _print_row(one: Footnote, made: Made, name: str, within: Filter, where: dict[str, int | str] | None) -> None:
    index, random = one.index("default"), np.random.default_rng(1)
    chosen = set(index.docstore.selection.versions(index.collection.id, within))
    rows = [i for i, chunk in enumerate(made.ids) if chunk.rpartition("-")[0] in chosen]

    def legs(search: Callable[..., object], n: int, *, changed: bool) -> str:
        return _timed(n, made, random, lambda text: search(text, K, within=within), index if changed else None)

    cells = []
    for leg in (index.vector_search, index.keyword_search):
        cells += [legs(leg, FIRST, changed=True), legs(leg, LATER, changed=False)]
    true = f"{_share_found(index, made, within, rows):.3f}"
    fused = legs(one.search, LATER, changed=False)
    own = _timed(FIRST, made, random, lambda text: _chromas_own(index, text, where)) if where else ""
    print(f"| {name} | {len(rows):,} | {cells[0]} | {cells[1]} | {true} | {cells[2]} | {cells[3]} | {fused} | {own} |")


def _timed(
    n: int, made: Made, random: np.random.Generator, search: Callable[[str], object], changing: Index | None = None
) -> str:
    """Returns p50 / p95 in milliseconds of `n` searches after a warm-up; runs `changing` before each."""
    spent = []
    for _ in range(n + 1):
        text = made.words(random, WORDS_A_QUESTION)
        if changing:
            changing.docstore.tags.put(changing.collection.id, [], [])
        began = time.perf_counter()
        search(text)
        spent.append(1000 * (time.perf_counter() - began))
    return "{:.1f} / {:.1f}".format(*np.percentile(spent[1:], (50, 95)))


def _chromas_own(index: Index, text: str, where: dict[str, int | str]) -> object:
    leg = index.leg(index.embedders()["current"])
    collection = index.chroma.client().get_collection(leg.store.name, embedding_function=None)
    vector = leg.unchecked.encode_query(text)
    return collection.query(query_embeddings=vector[None, :], n_results=K, where=where, include=["distances"])


def _share_found(index: Index, made: Made, within: Filter, rows: Sequence[int]) -> float:
    """Returns the share of the true nearest chunks that a search finds, averaged over ten searches."""
    matrix = np.concatenate(made.vectors)[rows]
    shares = []
    for number in range(10):
        text = f"question {number}"
        scores = matrix @ RandomModel().encode_query(text)
        true = {made.ids[rows[i]] for i in np.argsort(-scores)[:K]}
        found = {hit.chunk.id for hit in index.vector_search(text, K, within=within)}
        shares.append(len(true & found) / len(true))
    return float(np.mean(shares))
