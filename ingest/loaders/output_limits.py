"""Limits the size of a loaded document: its text, blocks, headings, pages, words and warnings.

The receiver of a Document holds all of it in memory, so a file must not determine its size. Everything is counted in
characters of text; a block, page, word or warning counts as many characters as it takes memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ingest.errors import OversizedDocument
from ingest.models import Document
from ingest.segments import BLOCK, PAGE, WARNING, WORD
from ingest.word_boxes import count_words

MIB = 1024 * 1024
# Output that every file may have, and output allowed per byte on disk, in characters. Of 285 files of 30 formats with
# texts below the first, the largest ratio was 15 per byte, for a file of 18 bytes.
ALWAYS = 8 * MIB
FOR_EACH_BYTE = 100
# Largest output of any file: twice the size limit of files, so that text which passes the limit also has room for its
# blocks. A minimum applies if the size limit is small.
FOR_EACH_BYTE_ALLOWED = 2
SMALLEST_MOST = 64 * MIB
DEFAULT_MOST = 400 * MIB


@dataclass(slots=True)
class Output:
    """Counts the output of one file on disk, including files nested in it.

    Attributes:
        name: name of the file, for messages.
        most: limit in characters.
        proportional: True if the limit depends on the file's size rather than on the setting.
        used: characters counted so far.
    """

    name: str = "The file"
    most: int = DEFAULT_MOST
    proportional: bool = False
    used: int = 0

    @classmethod
    def of(cls, name: str, size: int, most: int = DEFAULT_MOST) -> Output:
        """Returns the limit for a file of `size` bytes, where `most` characters are the limit of any file."""
        by_size = most_output(size, most)
        return cls(name, by_size, by_size < most)

    @property
    def spent(self) -> bool:
        """Returns True if the limit was exceeded; the file is then rejected as a whole."""
        return self.used > self.most

    def book(self, size: int) -> None:
        """Counts output that is about to be kept.

        Raises:
            OversizedDocument: the limit is exceeded.
        """
        self.used += size
        if self.spent:
            raise self._oversized()

    def check(self, size: int) -> None:
        """Checks that `size` characters still fit, without counting them. Raises as `book` does, permanently."""
        if self.used + size > self.most:
            self.book(size)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Uncounts the output of the block at its end, because its receiver counts it again."""
        before = self.used
        try:
            yield
        finally:
            if not self.spent:
                self.used = before

    def _oversized(self) -> OversizedDocument:
        much = f"{self.name} gives more than {self.most / MIB:,.0f} MiB of text, headings, pages and word positions"
        if self.proportional:
            return OversizedDocument(
                f"{much}, and was rejected, because such growth is typical of malicious files. If you trust it, save "
                "its content as plain text, then ingest that."
            )
        return OversizedDocument(
            f"{much}, and was rejected. Split it, or raise FOOTNOTE_MAX_FILE_MB; the limit is twice that."
        )


def most_output(size: int, most: int) -> int:
    """Returns the output limit in characters for a file of `size` bytes, where `most` is the limit of any file."""
    return min(most, max(ALWAYS, FOR_EACH_BYTE * size))


def most_of_any(max_file_mb: int) -> int:
    """Returns the output limit in characters of any file, for a size limit of `max_file_mb` MiB."""
    return max(SMALLEST_MOST, FOR_EACH_BYTE_ALLOWED * max_file_mb * MIB)


def size_of(document: Document) -> int:
    """Returns the counted size of a document.

    Raises:
        ValueError: its word positions are malformed.
    """
    named = sum(len(block.title) for block in document.blocks) + sum(len(page.label) for page in document.pages)
    pieces = BLOCK * len(document.blocks) + PAGE * len(document.pages) + WORD * count_words(document.places)
    warnings = sum(WARNING + len(one) for one in document.warnings)
    return len(document.text) + named + pieces + warnings


def size_of_table(rows: Sequence[Sequence[str]]) -> int:
    """Returns the most characters that a table takes after padding its short rows."""
    width = max(map(len, rows), default=0)
    return sum(len(cell) for row in rows for cell in row) + 3 * width * len(rows)
