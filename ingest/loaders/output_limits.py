"""Limits what one file may become: its text, and the blocks, headings, pages, words and warnings over it.

Whoever takes a Document over holds all of it in memory, so its size may not be left to the file. Everything is counted
in characters of text; a block, page, word or warning counts as many as it takes of
memory there.
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
# Characters that every file may give, and that it may give for each of its bytes on disk. Of 285 files of 30 formats
# whose texts are below the first, the most was 15 for each byte, of a file of 18 bytes.
ALWAYS = 8 * MIB
FOR_EACH_BYTE = 100
# The most of any file: twice the size that a file may have, so that a text which is let in has room for its blocks;
# where files are held small, so much all the same.
FOR_EACH_BYTE_ALLOWED = 2
SMALLEST_MOST = 64 * MIB
DEFAULT_MOST = 400 * MIB


@dataclass(slots=True)
class Output:
    """Counts what comes out of one file on disk, whatever lies in what.

    Attributes:
        name: of the file, for messages.
        most: characters that it may give.
        proportional: whether that is so by its size, not by the setting.
        used: characters that it gave.
    """

    name: str = "The file"
    most: int = DEFAULT_MOST
    proportional: bool = False
    used: int = 0

    @classmethod
    def of(cls, name: str, size: int, most: int = DEFAULT_MOST) -> Output:
        """The limit of a file of `size` bytes, where `most` characters are the most of any file."""
        by_size = most_output(size, most)
        return cls(name, by_size, by_size < most)

    @property
    def spent(self) -> bool:
        """Whether more came than may: the file is given up, whatever was read of it."""
        return self.used > self.most

    def book(self, size: int) -> None:
        """Counts what is about to be kept.

        Raises:
            OversizedDocument: it is more than the file may give.
        """
        self.used += size
        if self.spent:
            raise self._oversized()

    def check(self, size: int) -> None:
        """Looks, without counting it, whether as much may still come. Raises as `book` does, once and for all."""
        if self.used + size > self.most:
            self.book(size)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is counted in the block is given back after it: whoever takes it over counts it again."""
        before = self.used
        try:
            yield
        finally:
            if not self.spent:
                self.used = before

    def _oversized(self) -> OversizedDocument:
        much = f"{self.name} gives more than {self.most / MIB:,.0f} MiB of text, headings, pages and places of words"
        if self.proportional:
            return OversizedDocument(
                f"{much}, and was given up: files that grow so much are made to fill memory. If you trust it, save "
                "what it holds as plain text, then ingest that."
            )
        return OversizedDocument(
            f"{much}, and was given up. Split it, or raise FOOTNOTE_MAX_FILE_MB: twice as much is the most."
        )


def most_output(size: int, most: int) -> int:
    """How many characters a file of `size` bytes may give, where `most` are the most of any file."""
    return min(most, max(ALWAYS, FOR_EACH_BYTE * size))


def most_of_any(max_file_mb: int) -> int:
    """How many characters any file may give where files of `max_file_mb` MiB are the largest."""
    return max(SMALLEST_MOST, FOR_EACH_BYTE_ALLOWED * max_file_mb * MIB)


def size_of(document: Document) -> int:
    """How much a document counts.

    Raises:
        ValueError: its places are not of the form that they should have.
    """
    named = sum(len(block.title) for block in document.blocks) + sum(len(page.label) for page in document.pages)
    pieces = BLOCK * len(document.blocks) + PAGE * len(document.pages) + WORD * count_words(document.places)
    warnings = sum(WARNING + len(one) for one in document.warnings)
    return len(document.text) + named + pieces + warnings


def size_of_table(rows: Sequence[Sequence[str]]) -> int:
    """How many characters a table takes at most when its short rows are filled up."""
    width = max(map(len, rows), default=0)
    return sum(len(cell) for row in rows for cell in row) + 3 * width * len(rows)
