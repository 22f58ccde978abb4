"""Finds where a table begins and ends in the text of its document, however little of it a search found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.models import Passage

# Version, start, end -> these characters of the document's text.
ReadsText = Callable[[str, int, int], str]
# Characters read at once on either side; characters of a table.
STEP, MOST_TABLE = 65_536, 32_000_000


def table_runs(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each run of table lines in a text."""
    start, at = -1, 0
    for line in text.splitlines(keepends=True):
        if line.startswith("|"):
            start = at if start < 0 else start
        elif start >= 0:
            yield start, at
            start = -1
        at += len(line)
    if start >= 0:
        yield start, at


def table_bounds(passage: Passage, start: int, end: int, read: ReadsText) -> tuple[int, int] | None:
    """Returns the start and end, in its document's text, of the table that a run of lines is part of.

    Args:
        passage: the passage with the run.
        start: the start of the run in the passage's text.
        end: its end.
        read: reads the text of documents.

    Returns:
        None if the table is too long.
    """
    first, last = passage.start + start, passage.start + end
    while start == 0 and first > 0:
        before = read(passage.version_id, max(0, first - STEP), first)
        cut = _rows_at_end(before)
        is_done = cut == len(before) or cut > len(before.partition("\n")[0]) + 1
        first -= len(before) - cut
        if is_done or last - first > MOST_TABLE:
            break
    while end == len(passage.text):
        after = read(passage.version_id, last, last + STEP)
        length = _rows_at_start(after, continues=not _ends_line(passage, first, last, read))
        last += length
        if not length or length < len(after) or last - first > MOST_TABLE:
            break
    return (first, last) if last - first <= MOST_TABLE else None


def _ends_line(passage: Passage, first: int, last: int, read: ReadsText) -> bool:
    return last == first or read(passage.version_id, last - 1, last) == "\n"


def _rows_at_end(text: str) -> int:
    """Returns where the table lines at the end of a text begin; its length if there are none."""
    at = len(text)
    for line in reversed(text.splitlines(keepends=True)):
        if not line.startswith("|"):
            break
        at -= len(line)
    return at


def _rows_at_start(text: str, *, continues: bool) -> int:
    """Returns where the table lines at the start of a text end; `continues`: it starts within a line of the table."""
    at = 0
    for line in text.splitlines(keepends=True):
        if not line.startswith("|") and not (continues and at == 0):
            break
        at += len(line)
    return at
