"""Entry point of `footnote`, and of `python -m app`: Ctrl-C ends it without a traceback from its first moment on."""

from __future__ import annotations

import sys

# Exit status after Ctrl-C, as `ingest.cli.command` has it, which is not imported yet when it is needed here.
INTERRUPTED = 130


def main() -> None:
    """Runs the `footnote` command."""
    try:
        from app.cli import commands  # noqa: PLC0415 - half a second of imports, in which someone may press Ctrl-C
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    commands.main()


if __name__ == "__main__":
    main()
