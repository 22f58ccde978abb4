"""Measures how many sentences in eight languages are split as a human reader would.

bench/sentences has one file per language: one sentence per line, paragraphs separated. Every second paragraph was used
while choosing the rules; the others are reported separately. The sentences were invented to contain what splitters fail
at: abbreviations, ordinals, dates, initials.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.text.language_data import LANGUAGES
from app.text.sentences import split_sentences

HERE = Path(__file__).parent / "sentences"
HALVES = ("development", "held out")
Split = Callable[[str], list[tuple[int, int]]]


def run(_shared: Path) -> None:
    """Prints the share of sentences that `sentences.split` finds, by language and half."""
    print(f"| language | {' | '.join(HALVES)} |")
    print("| --- | ---: | ---: |")
    totals = [[0, 0], [0, 0]]
    began = time.perf_counter()
    for language in LANGUAGES:
        shares = []
        for which in range(len(HALVES)):
            found, wanted = score(language, which, split_sentences)
            shares.append(f"{found}/{wanted} = {found / wanted:.1%}")
            totals[which] = [totals[which][0] + found, totals[which][1] + wanted]
        print(f"| {language} | {' | '.join(shares)} |")
    print(f"| all | {' | '.join(f'{found}/{wanted} = {found / wanted:.1%}' for found, wanted in totals)} |")
    print(f"\n{1000 * (time.perf_counter() - began) / sum(total for _, total in totals):.2f} ms a sentence")


def score(language: str, which: int, split: Split) -> tuple[int, int]:
    """Returns the number of sentences of a half that a splitter finds with the exact span, and their total."""
    found = wanted = 0
    for text, spans in paragraphs(language, which):
        found += len(spans & set(split(text)))
        wanted += len(spans)
    return found, wanted


def paragraphs(language: str, which: int) -> Iterator[tuple[str, set[tuple[int, int]]]]:
    """Yields the paragraphs of a half, each with the spans of its sentences."""
    blocks = (HERE / f"{language}.txt").read_text(encoding="utf-8").strip().split("\n\n")
    for block in blocks[which::2]:
        spans, at = set(), 0
        for line in block.splitlines():
            spans.add((at, at + len(line)))
            at += len(line) + 1
        yield " ".join(block.splitlines()), spans
