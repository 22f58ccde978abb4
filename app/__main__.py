"""Entry point of `footnote` and of `python -m app`. Ctrl-C never shows a traceback, even during the imports."""

from __future__ import annotations

import gc
import sys

# Exit status after Ctrl-C. A copy of the one in `ingest.cli.command`, which is not imported yet when this is needed.
INTERRUPTED = 130
# New objects between two garbage collections. Imports make 150,000 that stay; with Python's 700, looking through them
# took a tenth of the processor time of `footnote ask`.
NEW_OBJECTS = 50_000


def main() -> None:
    """Runs the `footnote` command."""
    gc.set_threshold(NEW_OBJECTS)
    try:
        from app.cli import commands  # noqa: PLC0415 - takes a moment, during which Ctrl-C must work
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    try:
        commands.main()
    finally:
        gc.freeze()  # else Python looks through all objects when it ends: 0.3 of the 2 seconds of `footnote ask`


if __name__ == "__main__":
    main()
