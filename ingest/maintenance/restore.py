"""Fills an empty data folder from a backup. The whole archive is verified before anything is changed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from ingest.docstore import SCHEMA_VERSION
from ingest.errors import BackupError, DocumentStoreError
from ingest.host import make_private_folder, private_opener
from ingest.index import writing
from ingest.library import CHAT_LOCK, CONVERSATIONS, DOCUMENTS, UPLOADS, Library
from ingest.maintenance.archived_rows import copy_conversations, copy_documents
from ingest.maintenance.archived_values import NotOurs
from ingest.maintenance.backup import FORMAT, MANIFEST, MIB, PART_BYTES, BackupFacts, Member, to_disk
from ingest.maintenance.disk_checks import RESTORING
from ingest.settings import Settings

# Size limit of a manifest in bytes; it takes some 200 for each uploaded file.
MOST_MANIFEST = 64 * MIB
STORES = {DOCUMENTS, CONVERSATIONS}


def restore_backup(
    path: Path, settings: Settings, open_library: Callable[[Settings], Library] = Library
) -> BackupFacts:
    """Fills an empty data folder from an archive, after verifying the whole archive.

    Raises:
        BackupError: the archive is damaged, not a backup, or from a newer version, or the folder is not empty.
    """
    folder = settings.data_dir
    with _opened(path) as archive:
        manifest = _checked_manifest(archive, path)
        _check_room(manifest, folder)
        for name, member in manifest["files"].items():
            _verify(archive, name, member, path)
        _check_empty(folder)
        try:
            _unpack(archive, manifest, folder)
        except (NotOurs, sqlite3.DatabaseError) as error:
            raise _damaged(path, str(error)) from error
        except (OSError, DocumentStoreError) as error:
            raise BackupError(
                f"Could not write to {folder}: {getattr(error, 'strerror', None) or error}. Free some space and try "
                "again, or choose another folder with FOOTNOTE_DATA_DIR."
            ) from error
    with open_library(settings) as library:
        for name in library.collections():
            with writing(library.index(name), "restore") as writer:
                # Indexes already in the folder may hold other versions of the same chunks.
                writer.recover(thorough=True)
    return BackupFacts(**manifest["facts"], size=path.stat().st_size)


def _unpack(archive: zipfile.ZipFile, manifest: dict[str, Any], folder: Path) -> None:
    """Moves all files into place. If interrupted, leaves its own marked folder, so that it can be repeated."""
    make_private_folder(folder)
    before = list(folder.glob(RESTORING + "*"))
    staging = Path(tempfile.mkdtemp(prefix=RESTORING, dir=folder))
    try:
        for name in manifest["files"]:
            _extract(archive, name, staging)
        _copy_stores(staging, str(manifest["uploads"]), str(folder / UPLOADS))
        _move_in(staging, folder)
    except BaseException:
        if not before and not (folder / CONVERSATIONS).exists():
            shutil.rmtree(staging, ignore_errors=True)
            with suppress(OSError):  # not empty
                folder.rmdir()
        raise
    for one in [*before, staging]:
        shutil.rmtree(one, ignore_errors=True)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BackupError(
            f"{path} cannot be read as a backup: {error}. Nothing was changed. Name a file that `footnote backup` "
            "wrote."
        ) from error
    with archive:
        yield archive


def _checked_manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        with archive.open(MANIFEST) as file:
            manifest: dict[str, Any] = json.loads(file.read(MOST_MANIFEST))
        newer = manifest["format"] > FORMAT or manifest["schema"] > SCHEMA_VERSION
        manifest["files"] = {name: Member(**member) for name, member in manifest["files"].items()}
        sizes = [member.size for member in manifest["files"].values()]
        facts = asdict(BackupFacts(**manifest["facts"], size=0))
        counted = all(type(one) in {int, float} and one >= 0 for one in (*sizes, *facts.values()))
        safe = (
            counted
            and isinstance(manifest["uploads"], str)
            and all(_is_safe(name) for name in manifest["files"])
            and DOCUMENTS in manifest["files"]
        )
    except Exception as error:
        raise _damaged(path, f"its manifest cannot be read ({error})") from error
    if newer:
        raise BackupError(f"{path} was written by a newer Footnote. Nothing was changed. Update Footnote.")
    if not safe:
        raise _damaged(path, "its manifest lists unknown files")
    return manifest


def _check_room(manifest: dict[str, Any], folder: Path) -> None:
    """Raises BackupError if the disk lacks space for the archive's declared content.

    A database being copied exists three times: as archived, in the new file, and in that file's journal.
    """
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    sizes = {name: one.size for name, one in manifest["files"].items()}
    copied = max(size for name, size in sizes.items() if name in STORES)
    needed, free = sum(sizes.values()) + 2 * copied, shutil.disk_usage(there).free
    if needed > free:
        raise BackupError(
            f"{folder} has too little space: the restore needs {needed // MIB:,} MiB, but {free // MIB:,} are "
            "free. Nothing was changed. Free some space, or choose another folder with FOOTNOTE_DATA_DIR."
        )


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name in STORES or (parts[:1] == (UPLOADS,) and ".." not in parts and "\\" not in name)


def _verify(archive: zipfile.ZipFile, name: str, member: Member, path: Path) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(name) as file:
            while part := file.read(PART_BYTES):
                digest.update(part)
                size += len(part)
                if size > member.size:
                    break
    except Exception as error:
        raise _damaged(path, f"{name} cannot be read ({error})") from error
    if (size, digest.hexdigest()) != (member.size, member.sha256):
        raise _damaged(path, f"{name} does not match its checksum")


def _damaged(path: Path, why: str) -> BackupError:
    return BackupError(f"{path} is damaged: {why}. Nothing was changed. Use another copy of the backup.")


def _check_empty(folder: Path) -> None:
    """Raises BackupError if the folder is in use, or contains documents or conversations.

    Data from an interrupted restore does not count.
    """
    if _is_served(folder):
        raise BackupError(
            f"Footnote is running on {folder}. Nothing was changed. Stop it with Ctrl-C, then restore again."
        )
    cut_off = any(folder.glob(RESTORING + "*"))
    for name, table in ((DOCUMENTS, "documents"), (CONVERSATIONS, "exchanges")):
        if not (folder / name).exists():
            continue
        try:
            with closing(sqlite3.connect(folder / name)) as db:
                tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
                filled = table in tables and db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608 - constants
        except sqlite3.Error:
            filled = True
        if filled and not (cut_off and name == CONVERSATIONS):
            raise BackupError(
                f"{folder} is not empty: {name} contains data. Nothing was changed. Move the folder away, or name "
                "another one with FOOTNOTE_DATA_DIR."
            )


def _is_served(folder: Path) -> bool:
    """Returns True if a chat is running on a data folder; it holds this lock meanwhile."""
    try:
        with open(folder / CHAT_LOCK, "ab", opener=private_opener) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _extract(archive: zipfile.ZipFile, name: str, staging: Path) -> None:
    target = staging / name
    make_private_folder(target.parent)
    with archive.open(name) as file, open(target, "wb", opener=private_opener) as out:
        shutil.copyfileobj(file, out)


def _move_in(staging: Path, folder: Path) -> None:
    """Moves uploads first and the document store last: the folder counts as empty until that is there."""
    if (staging / UPLOADS).exists():
        shutil.copytree(staging / UPLOADS, folder / UPLOADS, dirs_exist_ok=True, copy_function=os.replace)
    for name in (CONVERSATIONS, DOCUMENTS):
        for suffix in ("-wal", "-shm"):
            (folder / (name + suffix)).unlink(missing_ok=True)
        if (staging / name).exists():
            to_disk(staging / name)
            (staging / name).replace(folder / name)
    to_disk(folder)


def _copy_stores(staging: Path, old: str, new: str) -> None:
    """Replaces the archived databases by new ones, updating the paths of uploaded files."""
    parts = [json.dumps(one + os.sep)[1:-1] for one in (old, new)]

    def moved(column: str, value: Any) -> Any:
        if column == "source" and value.startswith(old + os.sep):
            return new + value[len(old) :]
        return value.replace(*parts) if column in {"answer", "filter"} and value else value

    for name, copy in ((DOCUMENTS, copy_documents), (CONVERSATIONS, copy_conversations)):
        if (staging / name).exists():
            archived = (staging / name).rename(staging / f"{name}.archived")
            copy(archived, staging / name, moved)
            archived.unlink()
            with closing(sqlite3.connect(staging / name)) as db:
                db.execute("PRAGMA journal_mode = DELETE")  # a single file, which can be moved
