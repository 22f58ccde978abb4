"""Opens OLE compound files, the container of the binary Office formats, with limits."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager

import olefile

from ingest.loaders.source import Source


class Compound:
    """A compound file in memory.

    Args:
        source: its bytes.
        what: the expected type, for messages.

    Raises:
        DamagedDocument: it cannot be opened as one.
    """

    def __init__(self, source: Source, what: str) -> None:
        self._source = source
        self._what = what
        with self.being_read():
            self._ole = olefile.OleFileIO(io.BytesIO(source.data))

    def stream(self, name: str) -> bytes:
        """Returns a stream's bytes, at most as many as the file has.

        Raises:
            DamagedDocument: it is missing or damaged.
        """
        with self.being_read():
            stream = self._ole.openstream(name)
        return bytes(stream.read(len(self._source.data)))

    def has(self, name: str) -> bool:
        """Returns True if there is a stream of this name."""
        return bool(self._ole.exists(name))

    @property
    def title(self) -> str:
        """Returns the title from the file's properties; "" if there is none."""
        try:
            title = self._ole.get_metadata().title
        except Exception:  # noqa: BLE001 - properties are optional
            return ""
        return title.decode("cp1252", "replace").strip("\0 ") if isinstance(title, bytes) else ""

    def being_read(self) -> AbstractContextManager[None]:
        """Returns a context for reading its streams. Raises as `Source.being_read` does."""
        return self._source.being_read(f"its {self._what}")
