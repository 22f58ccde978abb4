"""Entry point of `footnote` and of `python -m app`. Ctrl-C never shows a traceback, even during the imports."""

from __future__ import annotations

import gc
import sys

# Exit status after Ctrl-C. A copy of the one in `ingest.cli.command`, which is not imported yet when this is needed.
INTERRUPTED = 130
# New objects between two garbage collections. Imports make a million permanent ones; with Python's 700, looking through
# them took a tenth of the time of a search.
NEW_OBJECTS = 50_000


def main() -> None:
    """Runs the `footnote` command."""
    gc.set_threshold(NEW_OBJECTS)
    try:
        from app.cli import commands  # noqa: PLC0415 - takes half a second, during which Ctrl-C must work
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    commands.main()


if __name__ == "__main__":
    main()
