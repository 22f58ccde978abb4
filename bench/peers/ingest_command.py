"""Runs `footnote ingest --json` in this process, and prints its report and the runtimes of models that it loaded."""

from __future__ import annotations

import contextlib
import io
import json
import sys

from app.__main__ import main

RUNTIMES = ("onnxruntime", "torch")


def run(arguments: list[str]) -> None:
    """Prints one line of JSON; ends with the command's exit status if the command fails."""
    sys.argv = ["footnote", "ingest", "--json", *arguments]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            main()
    except SystemExit as ended:
        if ended.code:
            print(printed.getvalue(), file=sys.stderr)
            raise
    loaded = [name for name in RUNTIMES if name in sys.modules]
    print(json.dumps({"report": json.loads(printed.getvalue()), "runtimes": loaded}))


if __name__ == "__main__":
    run(sys.argv[1:])
