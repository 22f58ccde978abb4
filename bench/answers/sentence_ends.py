"""How many sentences of the eight languages are found as a reader finds them.

bench/sentences has a file a language: one sentence a line, paragraphs apart. Every second paragraph was looked at while
the rules were chosen; the others are reported beside them. Their sentences were invented to have what splitters fail
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
    """How many sentences of a half a splitter finds with the exact span, of how many."""
    found = wanted = 0
    for text, spans in paragraphs(language, which):
        found += len(spans & set(split(text)))
        wanted += len(spans)
    return found, wanted


def paragraphs(language: str, which: int) -> Iterator[tuple[str, set[tuple[int, int]]]]:
    """The paragraphs of a half, each with the spans of its sentences."""
    blocks = (HERE / f"{language}.txt").read_text(encoding="utf-8").strip().split("\n\n")
    for block in blocks[which::2]:
        spans, at = set(), 0
        for line in block.splitlines():
            spans.add((at, at + len(line)))
            at += len(line) + 1
        yield " ".join(block.splitlines()), spans
