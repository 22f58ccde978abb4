"""Measures the speed of ingestion, and the share of text that the embedder never reads."""

from __future__ import annotations

import tarfile
import tempfile
import time
from pathlib import Path

from bench.data import footnote
from ingest.loaders import load

PAGES = 500


def run(shared: Path) -> None:
    """Prints files, chunks and seconds of a first and a second run, and the time of a search."""
    print("| what | files | chunks | first run | chunks/s | second run | search, median |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    filings = sorted((shared / "eval" / "filings" / "docs").glob("*.pdf"))
    _measure("quarterly reports (PDF)", filings)
    with tempfile.TemporaryDirectory() as folder, tarfile.open(shared / "corpora" / "cpp-docs.tar.gz") as archive:
        members = sorted((m for m in archive.getmembers() if m.name.endswith(".md")), key=lambda m: m.name)
        archive.extractall(folder, members=members[:: len(members) // PAGES][:PAGES], filter="data")
        _measure("C++ documentation (Markdown)", sorted(Path(folder).rglob("*.md")))
    began = time.perf_counter()
    pages = sum(len(load(path).pages) for path in filings)
    print(f"\nPDF pages read by one process: {pages / (time.perf_counter() - began):.0f} a second")


def _measure(name: str, paths: list[Path]) -> None:
    with footnote() as one:
        one.index("default").embedder.load()
        first, second = one.ingest(paths), one.ingest(paths)
        assert second.embedded == 0
        times = []
        for i in range(50):
            began = time.perf_counter()
            one.search(f"what is said about number {i}", 5)
            times.append(time.perf_counter() - began)
        rate = first.chunks / first.seconds
        median = sorted(times)[len(times) // 2] * 1000
        print(
            f"| {name} | {len(paths)} | {first.chunks:,} | {first.seconds:.0f} s | {rate:.0f} "
            f"| {second.seconds:.1f} s | {median:.0f} ms |",
            flush=True,
        )
