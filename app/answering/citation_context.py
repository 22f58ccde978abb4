"""A citation's words with the text around them, from the document store."""

from __future__ import annotations

from app.models import Citation, Surroundings
from ingest.docstore import DocStore
from ingest.models import page_at

# What stands before a quote in its surroundings; with more, the quote is out of sight when they are opened.
MOST_LINES_BEFORE = 6
MARGIN = 400


def surroundings(docstore: DocStore, citation: Citation, margin: int = MARGIN) -> Surroundings | None:
    """Reads a citation's words with up to `margin` characters of their page on either side.

    Returns:
        None when the document has changed.
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
    """Text from its first whole line on, or where it is one line, from its first whole word."""
    for mark in ("\n", " "):
        _, found, rest = text.partition(mark)
        if found:
            return rest.lstrip()
    return text


def _to_a_line(text: str, margin: int) -> str:
    """Text up to its last whole line, or its last whole word, where it was cut off at `margin`."""
    if len(text) < margin:
        return text
    lines, found, _ = text.rpartition("\n")
    return lines if found and lines.strip() else text.rpartition(" ")[0]
