"""Runs the measurements of docs/benchmarks.md and prints Markdown tables: `python -m bench [NAME...]`; default: all.

durability, growth, filters, cost, sentences, languages and commands use their own documents. All others use real ones,
in the folder named by FOOTNOTE_SHARED. The comparison with other libraries is a command of its own,
`python -m bench.peers`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench.answers import cases, command_line, filings, languages, speed, verification
from bench.answers import quotes as answers
from bench.answers import sentence_ends as sentences
from bench.calibration import refusal
from bench.calibration import sizes as refusal_sizes
from bench.loaders import reading as loaders
from bench.retrieval import cost, filters, history, runtimes
from bench.retrieval import rankings as retrieval
from bench.storage import durability, growth, ingest

ON_REAL_DOCUMENTS = {
    "loaders": loaders.run,
    "ingest": ingest.run,
    "retrieval": retrieval.run,
    "history": history.run,
    "answers": answers.run,
    "verification": verification.run,
    "refusal": refusal.run,
    "sizes": refusal_sizes.run,
    "cases": cases.run,
    "filings": filings.run,
    "speed": speed.run,
    "runtimes": runtimes.run,
}
BENCHES = {
    **ON_REAL_DOCUMENTS,
    "durability": durability.run,
    "growth": growth.run,
    "filters": filters.run,
    "cost": cost.run,
    "sentences": sentences.run,
    "languages": languages.run,
    "commands": command_line.run,
}


def main(names: list[str]) -> int:
    """Runs the named benchmarks; returns the exit status."""
    names = names or [*BENCHES]
    shared = os.environ.get("FOOTNOTE_SHARED", "")
    if not shared and ON_REAL_DOCUMENTS.keys() & set(names):
        print("Set FOOTNOTE_SHARED to the folder of evaluation data.", file=sys.stderr)
        return 2
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"Unknown benchmarks: {', '.join(unknown)}. Available: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    for name in names:
        print(f"\n## {name}\n", flush=True)
        BENCHES[name](Path(shared).resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
