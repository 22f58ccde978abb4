"""Groups the blocks of a document into sections: a heading with the blocks under it, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.models import Block, page_at
from ingest.segments import Segment

# Every chunk under a heading stores its title, up to this many characters.
MOST_TITLE_CHARACTERS = 300
# The end of the paragraph before a table counts as its caption up to this length.
MOST_CAPTION_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the blocks up to the next heading or page, in a segment of a document.

    `table_header` is the header row of the table that the first block continues; "" if it continues none.
    """

    heading: tuple[str, ...]
    blocks: tuple[Block, ...]
    table_header: str = ""


class Sections:
    """Finds the sections of a document's segments, which are passed in order."""

    def __init__(self) -> None:
        self._path: list[Block] = []
        self._header = ""

    def of(self, segment: Segment) -> Iterator[Section]:
        """Yields the sections of the next segment; consecutive headings share one."""
        run: list[Block] = []
        page, has_text = None, False
        carried = self._header if segment.continues else ""
        for block in segment.blocks:
            here = page_at(segment.pages, block.start)
            if run and ((block.kind == "heading" and has_text) or here != page):
                yield Section(_titles(self._path), tuple(run), carried)
                run, has_text, carried = [], False, ""
            if block.kind == "heading":
                self._path = [*(above for above in self._path if above.level < block.level), block]
            page = here
            has_text = has_text or block.kind != "heading"
            run.append(block)
        if run:
            yield Section(_titles(self._path), tuple(run), carried)
        if len(segment.blocks) != 1 or not segment.continues:
            self._header = table_header(segment.text, segment.blocks[-1]) if segment.blocks else ""


def _titles(path: Sequence[Block]) -> tuple[str, ...]:
    return tuple(block.title[:MOST_TITLE_CHARACTERS].rstrip() for block in path if block.title)


def table_header(text: str, block: Block) -> str:
    """Returns the header row of a Markdown table, which is repeated above each of its parts; "" for other blocks."""
    if block.kind != "table":
        return ""
    first = text.find("\n", block.start, block.end)
    second = text.find("\n", first + 1, block.end)
    rule = text[first + 1 : second] if 0 <= first < second else ""
    return text[block.start : first].strip() if re.fullmatch(r"[\s|:+-]+", rule) and "-" in rule else ""


def caption_of(text: str, before: Block) -> str:
    """Returns the caption of a table in the block before it: the last lines of a paragraph, in one line."""
    if before.kind != "paragraph":
        return ""
    lines: list[str] = []
    for line in reversed(text[before.start : before.end].splitlines()):
        if sum(map(len, lines)) + len(line) > MOST_CAPTION_CHARACTERS:
            break
        lines.insert(0, line.strip())
    return " ".join(" ".join(lines).split()).lstrip("|")
