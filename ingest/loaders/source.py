"""What a loader is given: the bytes of one file, or of one that stood inside another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

from ingest.errors import DamagedDocument, EncryptedDocument, FootnoteError
from ingest.host import open_regular_file
from ingest.loaders.output_limits import DEFAULT_MOST, Output

# What archives and mails hold is read to this depth, and no more than so many files and bytes of one file on disk.
DEEPEST = 4
MOST_MEMBERS = 2_000
MOST_UNPACKED = 1024 * 1024 * 1024
# Recognising text takes seconds a page.
MOST_OCR_PAGES = 1_000
# Why text in pictures is not read, as warnings and errors say it.
OCR_OFF = "to be read by recognising it (OCR), which is turned off"
# Unpacking to more than so many times its size is what bombs do; below the small size it does no harm.
MOST_RATIO = 200
SMALL = 32 * 1024 * 1024


@dataclass(slots=True)
class Allowance:
    """What may still be unpacked out of one file on disk, whatever lies in what."""

    bytes_left: int = MOST_UNPACKED
    members_left: int = MOST_MEMBERS
    ocr_pages_left: int = MOST_OCR_PAGES
    unrecognised: bool = False
    """Whether text was left unread because recognition is turned off."""

    @property
    def spent(self) -> bool:
        """Whether more was asked for than may be: the file is given up, whatever was read of it."""
        return self.bytes_left < 0 or self.members_left < 0


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be read.

    Attributes:
        name: what messages call it: its path, or "report.pdf in mail.eml".
        data: its bytes.
        suffix: its name's ending in lower case, with the dot; "" where it has none.
        ocr: whether text in pictures is to be read.
        depth: how many files it stands in.
        at_work: called when a slow step begins, so that whoever waits knows that it goes on.
        allowance: what may still be unpacked, shared by all that stands in one file on disk.
        output: what may still come of it, shared in the same way.
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
        """The file at `path`, or the open one that is there; messages call it `name`, or by its path.

        Raises:
            OSError: it cannot be read.
            UnsupportedDocument: it is no regular file.
        """
        with nullcontext(file) if file else open_regular_file(path) as stream:
            data = stream.read()
        allowance = Allowance(min(MOST_UNPACKED, max(SMALL, MOST_RATIO * len(data))))
        output = Output.of(name or str(path), len(data), most_output)
        return cls(name or str(path), data, path.suffix.lower(), ocr, 0, at_work, allowance, output)

    def member(self, name: str, data: bytes) -> Source:
        """A file that stands in this one.

        Raises:
            DamagedDocument: it is one too many.
        """
        self.allowance.members_left -= 1
        if self.allowance.members_left < 0:
            raise DamagedDocument(f"{self} holds more than {MOST_MEMBERS:,} files. Unpack it, then ingest the folder.")
        inner = PurePosixPath(name.replace("\\", "/"))
        shown = f"{name} in {self.name}"
        return replace(self, name=shown, data=data, suffix=inner.suffix.lower(), depth=self.depth + 1)

    def next_ocr_page(self) -> str:
        """Books a page whose text is to be recognised; why it is not to be, or ""."""
        if not self.ocr:
            self.allowance.unrecognised = True
            return OCR_OFF
        if not self.allowance.ocr_pages_left:
            return f"not recognised (OCR), because {MOST_OCR_PAGES:,} pages of a file are the most"
        self.allowance.ocr_pages_left -= 1
        self.at_work()
        return ""

    def unpack(self, size: int) -> None:
        """Books bytes that are about to be unpacked out of this file.

        Raises:
            DamagedDocument: they are more than a file may hold.
        """
        self.allowance.bytes_left -= size
        if self.allowance.bytes_left < 0 or size > most_unpacked(self):
            raise DamagedDocument(
                f"{self} would unpack to {size / 1024**2:,.0f} MiB or more and was not opened: files like it are made "
                "to fill memory. If you trust it, unpack it, then ingest the folder."
            )

    @contextmanager
    def being_read(self, what: str) -> Iterator[None]:
        """Puts whatever a library throws at broken parts in the user's words; `what` says which parts.

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
        """The error that says that `what` of it cannot be read."""
        return DamagedDocument(
            f"{self} is damaged: {what} cannot be read ({reason}). Open it in the program it was made with and save it "
            "again."
        )

    def locked(self) -> EncryptedDocument:
        """The error that says that a password is needed."""
        return EncryptedDocument(f"{self} is protected by a password. Save it without one, then ingest it again.")

    def __str__(self) -> str:
        return self.name


def most_unpacked(source: Source) -> int:
    """How many bytes a file may hold at most, by its size."""
    return min(MOST_UNPACKED, max(SMALL, MOST_RATIO * len(source.data)))
