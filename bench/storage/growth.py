"""Measures how ingest, memory, disk use and searches grow with the number of chunks of a collection.

Everything is the product's except the embedding model, which is replaced by vectors of made words: its time and memory
do not depend on the collection. One collection grows from size to size (`SIZES=1000,10000,100000`). With `SVG=PATH`,
the figures are also drawn into a file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.bootstrap import open_footnote
from app.footnote import Footnote
from bench.data import SIZES
from bench.storage.growing_index import Ingested, Peaks, bytes_by_store, bytes_by_table, ingested
from bench.storage.growing_searches import FIRST, STAGES, WHOLE, K, Searched, Searches, recall
from bench.storage.made_documents import PARAGRAPHS, MadeDocuments, WordVectors
from bench.storage.small_multiples import Line, Panel, drawn
from ingest.docstore import DocStore
from ingest.library import Library
from ingest.settings import Settings

QUESTIONS = 100
TABLES = 8
MIB = 1024 * 1024
# Numbers of the documents that are added alone, beyond those of any size.
ALONE = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """Figures at one size of the collection.

    Attributes:
        chunks: its chunks.
        files: its documents.
        added: the ingest of what was missing to this size.
        alone: the ingest of one more document.
        own: peak resident bytes of this process during searches.
        chroma: those of Chroma's server.
        stores: bytes on disk by store.
        tables: bytes by table or index of the document store.
        searched: the searches.
        recall: the fraction of the true K nearest chunks that the vector leg finds, mean over the questions.
    """

    chunks: int
    files: int
    added: Ingested
    alone: Ingested
    own: int
    chroma: int
    stores: dict[str, int]
    tables: dict[str, int]
    searched: Searched
    recall: float


def run(_shared: Path | None = None) -> None:
    """Prints the tables, and draws the figures if `SVG` names a file."""
    with (
        tempfile.TemporaryDirectory() as root,
        open_footnote(Settings(_env_file=None, data_dir=Path(root) / "data"), _modelless) as one,
    ):
        steps = [*_grown(one, Path(root) / "documents")]
    for table in (_ingest_table, _memory_table, _disk_table, _search_table):
        print("\n".join(table(steps)), end="\n\n", flush=True)
    if path := os.environ.get("SVG"):
        Path(path).write_text(drawn(panels(steps), "chunks"), encoding="utf-8")


def _modelless(settings: Settings) -> Library:
    vectors = WordVectors()
    return Library(settings, open_embedder=lambda *_, **__: vectors)


def _grown(one: Footnote, folder: Path) -> Iterator[Step]:
    """Grows the collection to each size, and yields the figures there."""
    made, index, documents = MadeDocuments(), one.index("default"), 0
    searches = Searches(index)
    for number, size in enumerate(SIZES):
        wanted = -(-size // PARAGRAPHS)
        made.write(folder / f"to-{size}", range(documents, wanted))
        made.write(folder / f"after-{size}", range(ALONE + number, ALONE + number + 1))
        added, alone = (ingested(one, [folder / f"{which}-{size}"]) for which in ("to", "after"))
        documents = wanted
        whole, staged = (made.questions(documents, QUESTIONS + 1, seed=seed) for seed in (size, size + 1))
        print(f"{index.count_chunks():,} chunks are ingested.", file=sys.stderr, flush=True)
        with Peaks(one.settings) as peaks:
            searched = searches.measure(whole, staged)
        yield Step(
            chunks=index.count_chunks(),
            files=one.counts("default")[0],
            added=added,
            alone=alone,
            own=peaks.own,
            chroma=peaks.chroma,
            stores=bytes_by_store(one.settings, index.lexical.folder),
            tables=_tables_of(index.docstore),
            searched=searched,
            recall=recall(index, staged, searched.nearest),
        )


def _tables_of(docstore: DocStore) -> dict[str, int]:
    docstore.database.reclaim()  # also writes the log into the file
    return bytes_by_table(docstore.database.path)


def _ingest_table(steps: Sequence[Step]) -> Iterator[str]:
    head = ["chunks", "files", "text, chunks/s", "vectors, chunks/s", "text, processor ms a chunk"]
    head += ["vectors, processor ms a chunk", "one more file: found, s", "with vectors, s"]
    return _table(head, [_ingest_row(step) for step in steps])


def _ingest_row(step: Step) -> list[str]:
    added, text, vectors = step.added.chunks, step.alone.text.seconds, step.alone.vectors.seconds
    phases = (step.added.text, step.added.vectors)
    return [
        f"{step.chunks:,}",
        f"{step.files:,}",
        *(f"{added / phase.seconds:.0f}" for phase in phases),
        *(f"{1000 * phase.processor / added:.1f}" for phase in phases),
        f"{text:.2f}",
        f"{text + vectors:.2f}",
    ]


def _memory_table(steps: Sequence[Step]) -> Iterator[str]:
    return _table(
        ["chunks", "ingest, MiB", "searches, MiB", "Chroma's server, ingest, MiB", "searches, MiB"],
        [
            [f"{step.chunks:,}"]
            + [f"{size / MIB:.0f}" for size in (step.added.own, step.own, step.added.chroma, step.chroma)]
            for step in steps
        ],
    )


def _disk_table(steps: Sequence[Step]) -> Iterator[str]:
    """Yields a row for each store and for the largest tables, in bytes per chunk."""
    tables = [*steps[-1].tables][:TABLES]
    rows = [[store, *(f"{step.stores[store] / step.chunks:,.0f}" for step in steps)] for store in steps[-1].stores]
    rows += [[f"`{name}`", *(f"{step.tables.get(name, 0) / step.chunks:,.0f}" for step in steps)] for name in tables]
    return _table(["bytes a chunk", *_sizes(steps)], rows)


def _search_table(steps: Sequence[Step]) -> Iterator[str]:
    """Yields a row for each stage: milliseconds on the clock, p50 / p95, and of this process's processors, p50."""
    head = [name for size in _sizes(steps) for name in (size, "processor")]
    rows = [[stage, *(cell for step in steps for cell in _times(step.searched, stage))] for stage in (WHOLE, *STAGES)]
    rows.append([FIRST, *(cell for step in steps for cell in (f"{step.searched.first:.0f}", ""))])
    rows.append([f"recall@{K} of the vector leg", *(c for s in steps for c in (f"{s.recall:.3f}", ""))])
    return _table(["ms", *head], rows)


def _times(searched: Searched, stage: str) -> tuple[str, str]:
    return "{:.1f} / {:.1f}".format(*searched.times[stage]), f"{searched.processor[stage]:.1f}"


def _sizes(steps: Sequence[Step]) -> list[str]:
    return [f"{step.chunks:,} chunks" for step in steps]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "|".join([" --- " if head[0] != "chunks" else " ---: ", *[" ---: "] * (len(head) - 1)]) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def panels(steps: Sequence[Step]) -> list[Panel]:
    """Returns the charts of the figures."""

    def line(label: str, of: Callable[[Step], float]) -> Line:
        return Line(label, [(step.chunks, of(step)) for step in steps])

    def share(store: str) -> Line:
        return line(store, lambda step: step.stores[store] / step.chunks)

    def stage(name: str, label: str = "") -> Line:
        return line(label or name, lambda step: step.searched.processor[name])

    whole = [line(name, lambda step, i=i: step.searched.times[WHOLE][i]) for i, name in enumerate(("p50", "p95"))]
    return [
        Panel("A whole search", "ms", [*whole, stage(WHOLE, "processor, p50")]),
        Panel("Its stages, each alone", "processor ms, p50", [stage(name) for name in STAGES]),
        Panel(f"True nearest {K} found", "recall of the vector leg", [line("", lambda step: step.recall)]),
        Panel(
            "Ingest",
            "chunks per second",
            [
                line("text", lambda step: step.added.chunks / step.added.text.seconds),
                line("vectors", lambda step: step.added.chunks / step.added.vectors.seconds),
            ],
        ),
        Panel(
            "Peak memory",
            "MiB",
            [
                line("ingest", lambda step: step.added.own / MIB),
                line("searches", lambda step: step.own / MIB),
                line("Chroma's server", lambda step: max(step.added.chroma, step.chroma) / MIB),
            ],
        ),
        Panel("Disk", "bytes per chunk", [share(store) for store in steps[-1].stores]),
    ]
