"""Finds the text around a citation in the document store."""

from __future__ import annotations

from app.models import Citation, Surroundings
from ingest.docstore import DocStore
from ingest.models import page_at

# Most lines shown before a quote; with more, the quote is out of sight when the excerpt is opened.
MOST_LINES_BEFORE = 6
MARGIN = 400


def surroundings(docstore: DocStore, citation: Citation, margin: int = MARGIN) -> Surroundings | None:
    """Returns a citation's quote with up to `margin` characters of its page on either side.

    Returns:
        None if the document has changed.
    """
    page = page_at(tuple(docstore.pages(citation.version_id)), citation.start)
    first = max(page.start if page else 0, citation.start - margin)
    excerpt = docstore.excerpt(citation.version_id, first, citation.end + margin)
    before, rest = excerpt[: citation.start - first], excerpt[citation.start - first :]
    if not rest.startswith(citation.quote):
        return None
    after = rest[len(citation.quote) :]
    if first and not (page and first == page.start):
        before = _from_a_line(before)
    last_lines = "".join(before.splitlines(keepends=True)[-MOST_LINES_BEFORE:])
    return Surroundings(last_lines, citation.quote, _to_a_line(after, margin))


def _from_a_line(text: str) -> str:
    """Returns the text from its first whole line, or from its first whole word if it is a single line."""
    for mark in ("\n", " "):
        _, found, rest = text.partition(mark)
        if found:
            return rest.lstrip()
    return text


def _to_a_line(text: str, margin: int) -> str:
    """Returns the text up to its last whole line or word, if it was cut off at `margin`."""
    if len(text) < margin:
        return text
    lines, found, _ = text.rpartition("\n")
    return lines if found and lines.strip() else text.rpartition(" ")[0]
