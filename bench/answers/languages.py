"""Measures how often changed sentences, and faithful ones, are flagged in each language except English.

bench/verification_pairs has 60 invented pairs per language: a kind of change, a source sentence, a paraphrase of it,
and the change to the paraphrase. Rules were chosen on the first 30; the other 30 are reported separately. A source is
given together with its two neighbours in the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from app.grounding.verifier import Verifier
from app.models import Passage
from ingest.embedding.embedder import Embedder

HERE = Path(__file__).parent / "verification_pairs"
HALVES = ("development", "held out")
FLAGGED = {"partly", "unsupported"}
# Counts of flagged and unflagged, by language, half, and "paraphrase" or the kind of change.
Counts = dict[tuple[str, str, str], Counter[bool]]


def run(_shared: Path) -> None:
    """Prints the shares of flagged changed sentences and paraphrases by language, and changes by kind."""
    counts = measured(Verifier(Embedder(device="cpu")))
    names = sorted({name for name, _, _ in counts})
    print("| language | changed: development | held out | paraphrases: development | held out |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in names:
        cells = [share(counts, name, half, changed) for changed in (True, False) for half in HALVES]
        print(f"| {name} | {' | '.join(f'{flagged}/{total} = {flagged / total:.0%}' for flagged, total in cells)} |")
    kinds = sorted({kind for _, _, kind in counts} - {"paraphrase"})
    print(f"\n| flagged of all | {' | '.join(kinds)} |\n| --- |{' ---: |' * len(kinds)}")
    for name in names:
        both = [sum((counts.get((name, half, kind), Counter()) for half in HALVES), Counter()) for kind in kinds]
        print(f"| {name} | {' | '.join(f'{one[True]}/{one.total()}' for one in both)} |")


def measured(verifier: Verifier, names: tuple[str, ...] = ()) -> Counts:
    """Verifies the pairs of the given languages; default: all."""
    counts: Counts = {}
    for path in sorted(HERE.glob("*.txt")):
        if names and path.stem not in names:
            continue
        for half, kind, sentence, passage in pairs(path):
            found = verifier.verify(f"{sentence} [1]", {1: passage}, [passage]).sentences
            flagged = any(one.verdict in FLAGGED for one in found)
            counts.setdefault((path.stem, half, kind), Counter())[flagged] += 1
    return counts


def share(counts: Counts, name: str, half: str, changed: bool) -> tuple[int, int]:
    """Returns the number of flagged changed sentences, or paraphrases, of a half, and their total."""
    wanted = [one for key, one in counts.items() if key[:2] == (name, half) and changed is (key[2] != "paraphrase")]
    total = sum(wanted, Counter[bool]())
    return total[True], total.total()


def pairs(path: Path) -> Iterator[tuple[str, str, str, Passage]]:
    """Yields half, "paraphrase" or the kind of change, sentence, passage."""
    lines = [line.split(" | ") for line in path.read_text(encoding="utf-8").splitlines()]
    sources = [line[1] for line in lines]
    for i, (kind, _, paraphrase, change) in enumerate(lines):
        half = HALVES[i >= len(lines) // 2]
        text = " ".join(sources[max(0, i - 1) : i + 2])
        passage = Passage(1, f"{path.stem}.txt", "v", "", None, (), 0, len(text), text, 1.0)
        old, new = change.split(" => ")
        yield half, "paraphrase", paraphrase, passage
        yield half, kind, paraphrase.replace(old, new), passage
