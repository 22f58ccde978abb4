"""The container of the old binary Office formats (OLE compound files), opened with limits."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import olefile

from ingest.errors import DamagedDocument, FootnoteError
from ingest.loaders.source import Source


class Compound:
    """A compound file in memory.

    Args:
        source: its bytes.
        what: what it should be, for messages.

    Raises:
        DamagedDocument: it cannot be opened as one.
    """

    def __init__(self, source: Source, what: str) -> None:
        self._source = source
        self._what = what
        with self.being_read():
            self._ole = olefile.OleFileIO(io.BytesIO(source.data))

    def stream(self, name: str) -> bytes:
        """A stream's bytes, at most as many as the file has.

        Raises:
            DamagedDocument: it is not there, or broken.
        """
        with self.being_read():
            stream = self._ole.openstream(name)
        return bytes(stream.read(len(self._source.data)))

    def has(self, name: str) -> bool:
        """Whether there is a stream of this name."""
        return bool(self._ole.exists(name))

    @property
    def title(self) -> str:
        """The title among the file's properties; "" where there is none."""
        try:
            title = self._ole.get_metadata().title
        except Exception:  # noqa: BLE001 - properties are a courtesy
            return ""
        return title.decode("cp1252", "replace").strip("\0 ") if isinstance(title, bytes) else ""

    @contextmanager
    def being_read(self) -> Iterator[None]:
        """Puts whatever broken parts raise in the user's words.

        Raises:
            DamagedDocument: something in the block failed.
        """
        try:
            yield
        except (FootnoteError, MemoryError, RecursionError):
            raise
        except Exception as error:
            raise DamagedDocument(
                f"{self._source} is damaged: its {self._what} cannot be read ({type(error).__name__}: {error}). Open "
                "it in the program it was made with and save it again."
            ) from error
