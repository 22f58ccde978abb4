"""Measures reading of real and hostile files: success, speed, memory and accuracy."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.data import json_lines
from ingest.errors import EmptyDocument, LoadError, UnsupportedDocument
from ingest.loaders.registry import KIND_OF_SUFFIX
from ingest.loaders.sandbox.pool import Loaded, LoaderPool
from ingest.models import Document
from ingest.segments import SegmentedDocument

# A file of facts for each kind of documents.
FACTS = tuple(sorted(Path(__file__).parent.glob("*_facts.jsonl")))
# Where the normal and the hostile files and the quarterly reports are.
FOLDERS = ("files/normal", "files/hostile", "eval/filings/docs")
WORKERS, TIMEOUT, MEMORY_MB, MOST_MB = 2, 120.0, 2048, 200
MIB = 1024 * 1024
# Normal files that contain no text, as checked one by one.
WITHOUT_TEXT = {
    "ocrmypdf__resources__lichtenstein.pdf": "a picture of a castle",
    "ocrmypdf__resources__meta.pdf": "one blank page",
    "pypdf_resources__resources__issue-3850-1bit-indexed-flate.pdf": "a sheet of lines",
    "pypdf_sample_files__007-imagemagick-images__imagemagick-lzw.pdf": "a picture three pixels wide",
    "pypdf_sample_files__019-grayscale-image__grayscale-image.pdf": "a drawing of a boy",
    "tika__tika-parser-html-module__testUserDefinedCharset.mhtml": "its page was cut off by its makers: 0 bytes",
    "tika__tika-parser-image-module__testBMP.bmp": "a photograph of a cat",
    "tika__tika-parser-pkg-module__gbk.zip": "the one file in it has 0 bytes",
    "unstructured__example-docs__img__bmp_24.bmp": "coloured triangles",
    "unstructured__example-docs__img__example.jpg": "a photograph of a flower",
}


@dataclass(slots=True)
class Measured:
    """Results of reading files. `peak` is the highest memory use of one worker, in bytes."""

    results: dict[str, Loaded] = field(default_factory=dict)
    peak: int = 0
    seconds: float = 0.0


def run(shared: Path) -> None:
    """Prints a table by format, every file without text and its reason, and the facts that were not found."""
    normal, hostile, reports = (measure(sorted((shared / name).iterdir())) for name in FOLDERS)
    print("| format | files | read | pages | pages/s |\n| --- | ---: | ---: | ---: | ---: |")
    for name, loaded in sorted(_by_format(normal).items()):
        documents = [one for one in loaded if isinstance(one.result, SegmentedDocument)]
        pages = sum(map(_pages, documents))
        seconds = sum(one.seconds for one in documents) or 1e-9
        print(f"| {name} | {len(loaded)} | {len(documents)} | {pages} | {pages / seconds:.1f} |")
    have_text, failed = with_text(normal)
    print(f"\nNormal files that hold text, read: {have_text - len(failed)} of {have_text}", end="")
    print(f" ({1 - len(failed) / have_text:.1%}), in {normal.seconds:.0f} s.")
    for name, reason in sorted({**WITHOUT_TEXT, **failed}.items()):
        print(f"- {name}: {reason}")
    ended = sum(isinstance(one.result, SegmentedDocument) for one in hostile.results.values())
    errors = defaultdict(int)
    for one in hostile.results.values():
        errors[type(one.result).__name__] += 1
    print(f"\nHostile files: {len(hostile.results)}, {ended} read, the rest by error: {dict(errors)}.")
    print(f"Slowest {max(one.seconds for one in hostile.results.values()):.1f} s;", end=" ")
    print(f"most memory of a worker {max(normal.peak, hostile.peak) / MIB:.0f} MiB of {MEMORY_MB}.")
    print(f"Reports: {sum(map(_pages, reports.results.values()))} pages in {reports.seconds:.1f} s.")
    wrong = facts_not_found(normal, reports)
    print(f"Facts found where they stand: {fact_count() - len(wrong)} of {fact_count()}.")
    for line in wrong:
        print(f"- {line}")


def measure(paths: list[Path]) -> Measured:
    """Reads files as an ingest does, while monitoring the workers."""
    measured, done = Measured(), threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            for child in psutil.Process().children():
                with suppress(psutil.Error):
                    measured.peak = max(measured.peak, child.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        with LoaderPool(WORKERS, TIMEOUT, MEMORY_MB, MOST_MB) as pool:
            measured.results = {one.path.name: one for one in pool.load_all(paths)}
    finally:
        done.set()
        watcher.join()
    measured.seconds = time.perf_counter() - began
    return measured


def with_text(normal: Measured) -> tuple[int, dict[str, str]]:
    """Counts the files of supported formats that contain text, and returns those that gave none, with the reason."""
    count, failed = 0, {}
    for name, one in normal.results.items():
        of_a_format = Path(name).suffix.lower() in KIND_OF_SUFFIX
        if name in WITHOUT_TEXT and isinstance(one.result, EmptyDocument):
            continue
        if not of_a_format or isinstance(one.result, UnsupportedDocument):
            continue
        count += 1
        if isinstance(one.result, LoadError):
            failed[name] = str(one.result).replace(str(one.path), "it")
    return count, failed


def facts_not_found(*read: Measured) -> list[str]:
    """Returns the manually recorded facts that the documents lack or have elsewhere."""
    results = {name: loaded for measured in read for name, loaded in measured.results.items()}
    wrong = []
    for fact in _facts():
        document = results[fact["file"]].result
        if isinstance(document, LoadError) or not _holds(document.whole(), fact):
            wrong.append(f"{fact['file']}: {fact['text']!r} on {fact['place'] or 'no page'}")
    return wrong


def fact_count() -> int:
    """Returns the number of facts."""
    return sum(1 for _ in _facts())


def _facts() -> Iterator[dict[str, str]]:
    return (fact for path in FACTS for fact in json_lines(path))


def _holds(document: Document, fact: dict[str, str]) -> bool:
    """Returns True if a fact is on its page, under its heading, and if it is from a table, under its header."""
    at = document.text.find(fact["text"])
    while at >= 0:
        page = document.page_at(at)
        block = next(one for one in document.blocks if one.start <= at < one.end)
        headed = document.text.startswith(fact.get("header", ""), block.start)
        titles = [one.title for one in document.blocks if one.kind == "heading" and one.start <= at]
        under = "heading" not in fact or titles[-1:] == [fact["heading"]]
        if (page.label if page else "") == fact["place"] and headed and under:
            return True
        at = document.text.find(fact["text"], at + 1)
    # Text before the first page of an attachment belongs to no page.
    return bool(not fact["place"] and document.text.find(fact["text"]) >= 0)


def _pages(loaded: Loaded) -> int:
    return (loaded.result.tally.pages or 1) if isinstance(loaded.result, SegmentedDocument) else 0


def _by_format(measured: Measured) -> dict[str, list[Loaded]]:
    groups: dict[str, list[Loaded]] = defaultdict(list)
    for name, one in measured.results.items():
        pages = one.result.whole().pages if isinstance(one.result, SegmentedDocument) else ()
        by_ocr = " by OCR" if any(page.read == "ocr" for page in pages) else ""
        groups[(Path(name).suffix.lower() or "none") + by_ocr].append(one)
    return groups
