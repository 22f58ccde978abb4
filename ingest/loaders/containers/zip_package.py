"""Opens zip packages with limits on their unpacked size."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from contextlib import AbstractContextManager
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from ingest.errors import DamagedDocument
from ingest.loaders.source import Source

CONTENT_TYPES = "[Content_Types].xml"
# Namespaces of the strict form of Office's XML formats, which map to the usual ones.
STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
USUAL = rb"http://schemas.openxmlformats.org/\1/2006/"
VARIANTS = re.compile(
    rb"application/vnd\.(?:ms-word\.(?:document|template)\.macroEnabled(?:Template)?"
    rb"|openxmlformats-officedocument\.wordprocessingml\.template)\.main\+xml"
)
DOCUMENT = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError)


class Package:
    """A zip archive in memory.

    Args:
        source: its bytes.
        what: the expected type, for messages: "Word document".

    Raises:
        DamagedDocument: it is not a zip archive, or made to unpack to an absurd size.
    """

    def __init__(self, source: Source, what: str) -> None:
        self._source = source
        self._what = what
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source.data))
            self.entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        except BROKEN as error:
            raise DamagedDocument(
                f"{source} is damaged, or not a {what}: it cannot be opened as a zip archive "
                f"({error}). Get an intact copy."
            ) from error
        source.unpack(sum(entry.file_size for entry in self.entries))
        self.names = frozenset(entry.filename for entry in self.entries)

    def read(self, name: str | zipfile.ZipInfo) -> bytes:
        """Returns a member's bytes, never more than the archive's index declares.

        Raises:
            EncryptedDocument: a password is needed.
            DamagedDocument: it is missing or damaged.
        """
        try:
            entry = name if isinstance(name, zipfile.ZipInfo) else self._zip.getinfo(name)
            if entry.flag_bits & 1:
                raise self._source.locked()
            with self._zip.open(entry) as member:
                return member.read(entry.file_size)
        except (KeyError, *BROKEN, RuntimeError) as error:
            named = name if isinstance(name, str) else name.filename
            raise self._source.damaged(f"{self._what} parts", f"{named}: {error}") from error

    def office_file(self) -> io.BytesIO:
        """Returns the whole package in the form that Office libraries accept.

        Replaces namespaces of the strict form, and declares templates and files with macros as documents.
        """
        strict = any(STRICT.search(self.read(name)) for name in self.names & {"_rels/.rels"})
        if not strict and not any(VARIANTS.search(self.read(name)) for name in self.names & {CONTENT_TYPES}):
            return io.BytesIO(self._source.data)
        rewritten = io.BytesIO()
        with zipfile.ZipFile(rewritten, "w") as package:
            for entry in self.entries:
                data = self.read(entry)
                is_xml = entry.filename.endswith((".xml", ".rels"))
                data = STRICT.sub(USUAL, data) if is_xml else data
                package.writestr(entry.filename, VARIANTS.sub(DOCUMENT, data) if is_xml else data)
        rewritten.seek(0)
        return rewritten

    def xml(self, name: str) -> Any:
        """Returns a member's root element (ElementTree), read by `parse_xml`. Raises as `read` does."""
        return parse_xml(self.read(name), self._source, self._what)

    def being_read(self) -> AbstractContextManager[None]:
        """Returns a context for reading its parts. Raises as `Source.being_read` does."""
        return self._source.being_read(f"{self._what} parts")


def parse_xml(data: bytes, source: Source, what: str) -> Any:
    """Returns the root element (ElementTree) of untrusted XML: no entities, no external references, no network.

    Raises:
        DamagedDocument: it is not well-formed, or uses any of these.
    """
    try:
        return ElementTree.fromstring(data)
    except DefusedXmlException as error:
        raise DamagedDocument(
            f"{source} was not read: it declares XML entities or external references ({type(error).__name__}), which "
            f"can be used in attacks. If you trust it, save it again without them."
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise DamagedDocument(f"{source} is damaged: its {what} is not well-formed ({error}).") from error
