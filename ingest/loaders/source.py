"""The input of a loader: the bytes of a file, or of a file nested in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

from ingest.errors import DamagedDocument, EncryptedDocument, FootnoteError
from ingest.host import open_regular_file
from ingest.loaders.output_limits import DEFAULT_MOST, Output

# Nested files are read to this depth, up to this many files and bytes per file on disk.
DEEPEST = 4
MOST_MEMBERS = 2_000
MOST_UNPACKED = 1024 * 1024 * 1024
# Pages read by OCR, which takes seconds a page.
MOST_OCR_PAGES = 1_000
# The reason in warnings and errors why text in pictures is not read.
OCR_OFF = "readable only by OCR, which is turned off"
# Highest expansion ratio: decompression bombs exceed it. Files below the small size are exempt.
MOST_RATIO = 200
SMALL = 32 * 1024 * 1024


@dataclass(slots=True)
class Allowance:
    """What may still be unpacked from one file on disk, including nested files."""

    bytes_left: int = MOST_UNPACKED
    members_left: int = MOST_MEMBERS
    ocr_pages_left: int = MOST_OCR_PAGES
    unrecognised: bool = False
    """True if text was left unread because OCR is off."""

    @property
    def spent(self) -> bool:
        """Returns True if a limit was exceeded; the file is then rejected as a whole."""
        return self.bytes_left < 0 or self.members_left < 0


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be read.

    Attributes:
        name: its name in messages: its path, or "report.pdf in mail.eml".
        data: its bytes.
        suffix: its file extension in lower case, with the dot; "" if it has none.
        ocr: also reads text in pictures.
        depth: number of files that contain it.
        at_work: called when a slow step begins, as a sign of life.
        allowance: what may still be unpacked, shared by all files nested in one file on disk.
        output: what may still be produced, shared in the same way.
    """

    name: str
    data: bytes = field(repr=False)
    suffix: str = ""
    ocr: bool = True
    depth: int = 0
    at_work: Callable[[], None] = field(default=lambda: None, repr=False)
    allowance: Allowance = field(default_factory=Allowance, repr=False)
    output: Output = field(default_factory=Output, repr=False)

    @classmethod
    def of(
        cls,
        path: Path,
        file: BinaryIO | None = None,
        *,
        name: str = "",
        ocr: bool = True,
        at_work: Callable[[], None] = lambda: None,
        most_output: int = DEFAULT_MOST,
    ) -> Self:
        """Reads the file at `path`, or the given open file; messages call it `name`, or by its path.

        Raises:
            OSError: it cannot be read.
            UnsupportedDocument: it is not a regular file.
        """
        with nullcontext(file) if file else open_regular_file(path) as stream:
            data = stream.read()
        allowance = Allowance(min(MOST_UNPACKED, max(SMALL, MOST_RATIO * len(data))))
        output = Output.of(name or str(path), len(data), most_output)
        return cls(name or str(path), data, path.suffix.lower(), ocr, 0, at_work, allowance, output)

    def member(self, name: str, data: bytes) -> Source:
        """Returns a file nested in this one.

        Raises:
            DamagedDocument: the limit of files is exceeded.
        """
        self.allowance.members_left -= 1
        if self.allowance.members_left < 0:
            raise DamagedDocument(
                f"{self} contains more than {MOST_MEMBERS:,} files. Unpack it, then ingest the folder."
            )
        inner = PurePosixPath(name.replace("\\", "/"))
        shown = f"{name} in {self.name}"
        return replace(self, name=shown, data=data, suffix=inner.suffix.lower(), depth=self.depth + 1)

    def next_ocr_page(self) -> str:
        """Counts a page to be read by OCR; returns the reason if it must not be, or ""."""
        if not self.ocr:
            self.allowance.unrecognised = True
            return OCR_OFF
        if not self.allowance.ocr_pages_left:
            return f"not recognised, because OCR is limited to {MOST_OCR_PAGES:,} pages per file"
        self.allowance.ocr_pages_left -= 1
        self.at_work()
        return ""

    def unpack(self, size: int) -> None:
        """Counts bytes that are about to be unpacked from this file.

        Raises:
            DamagedDocument: the limit is exceeded.
        """
        self.allowance.bytes_left -= size
        if self.allowance.bytes_left < 0 or size > most_unpacked(self):
            raise DamagedDocument(
                f"{self} would unpack to {size / 1024**2:,.0f} MiB or more and was not opened. Such files are usually "
                "malicious. If you trust it, unpack it, then ingest the folder."
            )

    @contextmanager
    def being_read(self, what: str) -> Iterator[None]:
        """Maps errors of libraries on damaged parts to a message; `what` names the parts.

        Raises:
            DamagedDocument: something in the block failed.
        """
        try:
            yield
        except (FootnoteError, MemoryError, RecursionError):
            raise
        except Exception as error:
            raise self.damaged(what, f"{type(error).__name__}: {error}") from error

    def damaged(self, what: str, reason: str) -> DamagedDocument:
        """Returns an error that `what` of it cannot be read."""
        return DamagedDocument(
            f"{self} is damaged: {what} cannot be read ({reason}). Open it in the program that made it, and save it "
            "again."
        )

    def locked(self) -> EncryptedDocument:
        """Returns an error that a password is needed."""
        return EncryptedDocument(f"{self} is protected by a password. Save it without one, then ingest it again.")

    def __str__(self) -> str:
        return self.name


def most_unpacked(source: Source) -> int:
    """Returns the most bytes that a file may unpack to, by its size."""
    return min(MOST_UNPACKED, max(SMALL, MOST_RATIO * len(source.data)))
