"""`python -m bench [loaders | ingest | retrieval | answers]`: what the README quotes; all if none is named.

They need the real documents that FOOTNOTE_SHARED points at, and print Markdown tables.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench import answers, ingest, loaders, retrieval

BENCHES = {"loaders": loaders.run, "ingest": ingest.run, "retrieval": retrieval.run, "answers": answers.run}


def main(names: list[str]) -> int:
    """Runs the benches named; returns the exit status."""
    shared = os.environ.get("FOOTNOTE_SHARED")
    if not shared:
        print("Set FOOTNOTE_SHARED to the folder of evaluation data.", file=sys.stderr)
        return 2
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"No such bench: {', '.join(unknown)}. There are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    for name in names or BENCHES:
        print(f"\n## {name}\n", flush=True)
        BENCHES[name](Path(shared).resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
