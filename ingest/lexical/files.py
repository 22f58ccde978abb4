"""Verifies the files of a tantivy index, and records which analyser made its terms."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.host import write_private_text

META = "meta.json"
# Stored beside tantivy's own files: the analysis version, then the languages.
MADE_WITH = "analysis"
# Version of indexes without this file.
FIRST_ANALYSIS = 1
# Files of a segment, which end in a checksum; deletions are in a further file.
SEGMENT_FILES = (".fast", ".fieldnorm", ".idx", ".pos", ".store", ".term")
CHECKED = {*SEGMENT_FILES, ".del"}
FOOTER_MAGIC = 1337


@dataclass(frozen=True, slots=True)
class MadeWith:
    """The analyser version of an index, and the languages of its stems."""

    analysis: int
    languages: frozenset[str]


def made_with(folder: Path) -> MadeWith:
    """Returns the record of the index in a folder, or that of the oldest version if it is unreadable."""
    try:
        version, *languages = (folder / MADE_WITH).read_text().split()
        return MadeWith(int(version), frozenset(languages))
    except (OSError, ValueError):
        return MadeWith(FIRST_ANALYSIS, frozenset())


def note(folder: Path, made: MadeWith) -> None:
    """Writes the record atomically.

    Raises:
        OSError: it cannot be written.
    """
    partial = folder / f"{MADE_WITH}.partial"
    write_private_text(partial, " ".join((str(made.analysis), *sorted(made.languages))))
    partial.replace(folder / MADE_WITH)


def meta(folder: Path) -> dict[str, Any]:
    """Returns tantivy's description of the index in a folder, with its segments.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    found: dict[str, Any] = json.loads((folder / META).read_bytes())
    return found


def state_of(folder: Path) -> tuple[int, int, int]:
    """Returns what changes with every commit, at little cost. Raises OSError if there is no index."""
    found = (folder / META).stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def has_field(folder: Path, name: str) -> bool:
    """Returns True if the index in a folder has a field. Raises as `meta` does."""
    try:
        return any(field["name"] == name for field in meta(folder)["schema"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{META} does not list the fields") from error


def damaged_files(folder: Path) -> list[str]:
    """Returns the names of an index's files that are missing, or do not match their checksums."""
    try:
        segments = {str(one["segment_id"]).replace("-", "") for one in meta(folder)["segments"]}
    except (OSError, ValueError, KeyError, TypeError):
        return [META]
    there = [path for path in folder.iterdir() if path.stem.split(".")[0] in segments]
    wanted = {segment + suffix for segment in segments for suffix in SEGMENT_FILES}
    return sorted([*(wanted - {path.name for path in there}), *(one.name for one in there if not _is_whole(one))])


def _is_whole(path: Path) -> bool:
    """Returns True if a tantivy file matches the CRC-32 in its footer.

    Source: tantivy's directory/footer.rs: body, footer as JSON, its length and 1337 as little-endian u32.
    """
    if path.suffix not in CHECKED:
        return True
    data = path.read_bytes()
    try:
        length, magic = struct.unpack("<II", data[-8:])
        footer = json.loads(data[-8 - length : -8])
        return bool(magic == FOOTER_MAGIC and zlib.crc32(data[: -8 - length]) == footer["crc"])
    except (struct.error, ValueError, KeyError, TypeError):
        return False
