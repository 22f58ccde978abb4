"""Asks the page about a document, once ingested: `python tests/support/page_process.py DOCUMENT QUESTION`."""

from __future__ import annotations

import sys
from pathlib import Path

from pages import open_page, shown

from app.bootstrap import open_footnote
from ingest.settings import load_settings


def main(document: str, question: str) -> None:
    """Prints the page with the answer."""
    with open_footnote(load_settings()) as footnote:
        assert footnote.ingest([Path(document)]).count("failed") == 0
        page = open_page(footnote)
        page.chat_input[0].set_value(question).run()
        assert not page.exception
        print(shown(page))  # noqa: T201 - a command


if __name__ == "__main__":
    main(*sys.argv[1:])
