"""Backups: one ZIP file with the documents' text and vectors, uploads, conversations, and a manifest with checksums.

Both indexes are rebuilt from it, without the original files and the embedding model.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
import time
import zipfile
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ingest.docstore import MIGRATIONS, SCHEMA, SCHEMA_VERSION, Database
from ingest.errors import BackupError
from ingest.host import OWNER_FILE
from ingest.index import writing
from ingest.library import CONVERSATIONS, DOCUMENTS, UPLOADS, Library

FORMAT = 1
MANIFEST = "manifest.json"
PART_BYTES = MIB = 1024 * 1024
# Data that searches cannot find, and the jobs of writers, are not part of a backup.
CLEANED = (
    "DELETE FROM versions WHERE status != 'active'",
    "DELETE FROM documents WHERE NOT EXISTS (SELECT 1 FROM versions WHERE document = documents.id)",
    """
    DELETE FROM vectors WHERE (embedder, embed_key) NOT IN (
        SELECT e.id, c.embed_key FROM stored_chunks c JOIN embedders e ON e.collection = c.collection)
    """,
    "DELETE FROM jobs",
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive, as listed in the manifest; `size` in bytes."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """Summary of an archive. `created` is in seconds since the epoch, `size` in bytes."""

    created: float
    documents: int
    chunks: int
    conversations: int
    uploads: int
    size: int


def write_backup(library: Library, path: Path) -> BackupFacts:
    """Writes an archive of a data folder while it is in use. An existing file is replaced only by a complete one.

    Raises:
        BackupError: the archive cannot be written.
        StoreError: a store cannot be read.
    """
    for name in library.collections():
        index = library.index(name)
        if not all(row.kept for row in index.embedders().values()):  # written by an older version
            with writing(index, "backup") as writer:
                writer.recover()
    data_dir = library.settings.data_dir
    try:
        # A private folder, because an archive holds all documents and conversations in clear text. It also separates
        # two backups to the same place.
        with tempfile.TemporaryDirectory(prefix=".footnote-", dir=path.parent) as folder:
            partial = Path(folder) / "archive"
            facts = _write(data_dir, Path(folder), partial)
            partial.chmod(OWNER_FILE)
            to_disk(partial)
            partial.replace(path)
        to_disk(path.parent)
    except (OSError, sqlite3.Error) as error:
        need = (data_dir / DOCUMENTS).stat().st_size * 2 // MIB + 1
        raise BackupError(
            f"Could not write {path}: {getattr(error, 'strerror', None) or error}. An earlier file there is unchanged. "
            f"Choose another place, or free some space: up to {need:,} MiB may be needed."
        ) from error
    return BackupFacts(**facts, size=path.stat().st_size)


def _write(data_dir: Path, folder: Path, partial: Path) -> dict[str, Any]:
    """Copies a consistent snapshot of the stores, then packs everything into one file."""
    documents = folder / DOCUMENTS
    with closing(Database(data_dir / DOCUMENTS, SCHEMA, SCHEMA_VERSION, MIGRATIONS)) as database:
        database.copy_to(documents)
    files = {DOCUMENTS: documents}
    with closing(sqlite3.connect(documents, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")
        for statement in CLEANED:
            db.execute(statement)
        counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("documents", "chunks")]  # noqa: S608
    conversations = 0
    if (data_dir / CONVERSATIONS).exists():
        files[CONVERSATIONS] = folder / CONVERSATIONS
        with (
            closing(sqlite3.connect(data_dir / CONVERSATIONS, timeout=60)) as db,
            closing(sqlite3.connect(files[CONVERSATIONS])) as copy,
        ):
            db.backup(copy)
            conversations = copy.execute("SELECT count(*) FROM conversations").fetchone()[0]
            copy.execute("PRAGMA journal_mode = DELETE")
    uploads = [one for one in (data_dir / UPLOADS).rglob("*") if one.is_file() and not one.name.startswith(".")]
    files |= {one.relative_to(data_dir).as_posix(): one for one in uploads}
    facts = {
        "created": time.time(),
        "documents": counts[0],
        "chunks": counts[1],
        "conversations": conversations,
        "uploads": len(uploads),
    }
    members: dict[str, dict[str, Any]] = {}
    manifest = {
        "format": FORMAT,
        "footnote": version("footnote-rag"),
        "schema": SCHEMA_VERSION,
        "facts": facts,
        "uploads": str(data_dir / UPLOADS),
        "files": members,
    }
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, source in files.items():
            if member := _add(archive, name, source):
                members[name] = asdict(member)
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return facts


def _add(archive: zipfile.ZipFile, name: str, source: Path) -> Member | None:
    """Adds a file; returns None if it was removed in the meantime."""
    digest, size = hashlib.sha256(), 0
    try:
        file = source.open("rb")
    except FileNotFoundError:
        return None
    with file, archive.open(name, "w", force_zip64=True) as out:
        while part := file.read(PART_BYTES):
            digest.update(part)
            size += len(part)
            out.write(part)
    return Member(size, digest.hexdigest())


def to_disk(path: Path) -> None:
    """Flushes a file, or the entries of a folder, to disk, so that they survive a loss of power."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
