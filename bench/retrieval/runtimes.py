"""Measures the runtimes of the embedding model: time, memory, and whether searches find the same."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from app.bootstrap import open_footnote
from app.footnote import Footnote
from bench.answers.speed import documents
from ingest.embedding import Embedder
from ingest.settings import Settings

RUNTIMES = ("torch", "onnx")
# Files of which the texts are embedded, or ingested and searched.
EMBEDDED, INGESTED = 150, 100
CHUNKS, CHARACTERS = 300, 900
SENTENCES, QUESTIONS, HITS = 16, 100, 10
# Each runtime is measured as often, in turn: the figures are medians.
ROUNDS, REPEATED = 3, 20
SENTENCE = re.compile(r"[A-Z][^.|`#*\n]{40,160}\.")
HEADING = re.compile(r"^#+ (.{4,80})$", re.MULTILINE)


def run(shared: Path) -> None:
    """Prints a table of times and memory, and the number of questions with the same results."""
    with documents(shared / "corpora" / "cpp-docs.tar.gz") as paths, tempfile.TemporaryDirectory() as folder:
        measured: dict[str, list[Mapping[str, float]]] = {name: [] for name in RUNTIMES}
        step = len(paths) // EMBEDDED
        texts = [path.read_text("utf-8") for path in paths[::step]]
        for _ in range(ROUNDS):
            for name, rows in measured.items():
                with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
                    rows.append(fresh.submit(_measured, name, texts).result())
        ingested = paths[:: len(paths) // INGESTED]
        found = {name: _searched(name, Path(folder) / name, ingested) for name in RUNTIMES}
        for name, rows in measured.items():
            rows.extend({"cold `footnote search`, s": _cold(Path(folder) / name, name)} for _ in range(ROUNDS))
        _print(measured)
        same = sum(ours == theirs for ours, theirs in zip(*found.values(), strict=True))
        common = [len({*ours} & {*theirs}) / HITS for ours, theirs in zip(*found.values(), strict=True)]
        print(f"\nThe same {HITS} results in the same order: {same} of {len(common)} questions.")
        print(f"Results in common: {np.mean(common):.1%}")


def _measured(runtime: str, texts: Sequence[str]) -> dict[str, float]:
    """Measures one runtime; call it in a process of its own."""
    embedder = Embedder(device="cpu", runtime=runtime)
    loading = _seconds(embedder.load)
    chunks = [text[at : at + CHARACTERS - at % 400] for text in texts for at in range(0, len(text), CHARACTERS)][
        :CHUNKS
    ]
    sentences = SENTENCE.findall("\n".join(texts))[:SENTENCES]
    tokens = sum(min(embedder.count_tokens(chunk), embedder.max_tokens) for chunk in chunks)
    assert (len(chunks), len(sentences)) == (CHUNKS, SENTENCES)
    list(embedder.encode_chunks(chunks[:20]))
    wall, processor = time.perf_counter(), time.process_time()
    list(embedder.encode_chunks(chunks))
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    asked = [_seconds(lambda number=number: embedder.encode_query(f"What is {number}?")) for number in range(REPEATED)]
    embedder.encode_sentences(sentences)
    compared = [_seconds(lambda: embedder.encode_sentences(sentences)) for _ in range(REPEATED)]
    return {
        "load, s": loading,
        "tokens/s, 300 chunks": tokens / wall,
        "tokens per processor second": tokens / processor,
        "a question, ms": 1000 * float(np.median(asked)),
        "16 sentences, ms": 1000 * float(np.median(compared)),
        "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        / (1e6 if sys.platform == "darwin" else 1e3),
    }


def _searched(runtime: str, folder: Path, paths: Sequence[Path]) -> list[list[tuple[str, int]]]:
    """Ingests files with one runtime; returns what is found for the headings, by document and position."""
    headings = [heading for path in paths for heading in HEADING.findall(path.read_text("utf-8"))]
    asked = headings[:: len(headings) // QUESTIONS][:QUESTIONS]
    with open_footnote(Settings(_env_file=None, data_dir=folder, embedding_runtime=runtime)) as one:
        report = one.ingest(list(paths))
        assert not report.count("failed")
        return [_results(one, question) for question in asked]


def _results(one: Footnote, question: str) -> list[tuple[str, int]]:
    return [(hit.chunk.source, hit.chunk.start) for hit in one.search(question, HITS)]


def _cold(folder: Path, runtime: str) -> float:
    environment = os.environ | {"FOOTNOTE_DATA_DIR": str(folder), "FOOTNOTE_EMBEDDING_RUNTIME": runtime}
    command = [sys.executable, "-m", "app", "search", "notice period"]
    return _seconds(lambda: subprocess.run(command, env=environment, check=True, capture_output=True))


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _print(measured: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    print(f"| {os.environ.get('OMP_NUM_THREADS', 'all')} threads | {' | '.join(measured)} |\n| --- | ---: | ---: |")
    for name in dict.fromkeys(name for rows in measured.values() for row in rows for name in row):
        medians = [np.median([row[name] for row in rows if name in row]) for rows in measured.values()]
        print(f"| {name} | {' | '.join(f'{value:,.4g}' for value in medians)} |")
