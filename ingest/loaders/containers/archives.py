"""Reads archives member by member, in memory. Nothing is ever written to a path taken from a member's name."""

from __future__ import annotations

import io
import tarfile
import zlib
from dataclasses import replace
from pathlib import PurePosixPath

from ingest.errors import DamagedDocument, EmptyDocument
from ingest.loaders.containers.members import Members
from ingest.loaders.containers.zip_package import Package
from ingest.loaders.detection import TAR, TAR_AT
from ingest.loaders.document_builder import Builder
from ingest.loaders.registry import KIND_OF_SUFFIX, is_ignored
from ingest.loaders.source import Source, most_unpacked
from ingest.models import Document

PIECE = 1024 * 1024
# Window bits that make zlib expect a gzip header.
GZIP = 31
UNNAMED = ".txt"


def load_zip(source: Source) -> Document:
    """Reads a zip archive of documents; each page is labelled with its file's name.

    Raises:
        EncryptedDocument: the whole archive needs a password.
        DamagedDocument: it is damaged, or made to unpack to an absurd size or number of files.
        EmptyDocument: nothing in it could be read.
    """
    package = Package(source, "zip archive")
    reader = _Reader(source)
    for entry in package.entries:
        if reader.takes(entry.filename):
            reader.add(entry.filename, package.read(entry))
    return reader.document()


def load_tar(source: Source) -> Document:
    """Reads a tar archive. Raises as `load_zip` does. Skips links and devices."""
    reader = _Reader(source)
    try:
        with tarfile.open(fileobj=io.BytesIO(source.data), mode="r:") as archive:
            for member in archive:
                if not member.isreg():
                    reader.leave_out(member.name)
                elif reader.takes(member.name):
                    file = archive.extractfile(member)
                    reader.add(member.name, file.read() if file else b"")
    except (tarfile.TarError, ValueError, OSError, EOFError) as error:
        raise DamagedDocument(f"{source} is damaged: it is truncated, or not a tar archive ({error}).") from error
    return reader.document()


def load_gzip(source: Source) -> Document:
    """Reads the archive or document in a gzip file. Raises as `load_zip` does."""
    data = _unpacked(source)
    if data.startswith(TAR, TAR_AT):
        return load_tar(replace(source, data=data, suffix=".tar"))
    name = PurePosixPath(source.name.split(" in ")[0].replace("\\", "/")).name
    stem = name[: -len(source.suffix)] if source.suffix and name.lower().endswith(source.suffix) else name
    reader = _Reader(source)
    reader.add(stem if "." in stem else stem + UNNAMED, data)
    return reader.document()


def _unpacked(source: Source) -> bytes:
    """Returns the content of a gzip file, checking its size while it is unpacked."""
    parts: list[bytes] = []
    rest, total = source.data, 0
    try:
        while rest:
            inflater = zlib.decompressobj(wbits=GZIP)
            while rest and not inflater.eof:
                parts.append(inflater.decompress(rest, PIECE))
                total += len(parts[-1])
                if total > most_unpacked(source):
                    source.unpack(total)
                if rest == inflater.unconsumed_tail and not parts[-1]:
                    break
                rest = inflater.unconsumed_tail
            rest = inflater.unused_data.lstrip(b"\0")
    except zlib.error as error:
        if not total:
            raise DamagedDocument(f"{source} is damaged: unpacking failed ({error}). Get an intact copy.") from error
    source.unpack(total)
    return b"".join(parts)


class _Reader:
    """Reads the members that are documents."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._builder = Builder(source.output)
        self._members = Members(self._builder, source)
        self._left_out = 0

    def takes(self, name: str) -> bool:
        """Returns True if a member is to be read: not hidden or temporary, and of a supported type."""
        path = PurePosixPath(name.replace("\\", "/"))
        suffix = path.suffix.lower()
        taken = not any(map(is_ignored, path.parts)) and (not suffix or suffix in KIND_OF_SUFFIX)
        self._left_out += not taken
        return taken

    def leave_out(self, name: str) -> None:
        """Counts a member that is not a file."""
        self._left_out += bool(name)

    def add(self, name: str, data: bytes) -> None:
        self._members.add(_shown(name), data)

    def document(self) -> Document:
        """Returns the document of all members read."""
        warnings = list(self._members.warnings)
        if self._left_out:
            warnings.append(f"{self._left_out:,} of its files were skipped: hidden, links, or of an unsupported type.")
        document = self._builder.build("", warnings)
        if not self._members.read:
            raise self._members.failure() or EmptyDocument(
                f"{self._source} contains no readable file. {' '.join(warnings)[:500]}".strip()
            )
        return document


def _shown(name: str) -> str:
    """Returns a member's name for display, without parts that lead out of the archive's folder."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    return "".join(c for c in "/".join(parts) if c.isprintable())[:500] or "unnamed"
