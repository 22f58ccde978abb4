"""Removes deleted data from the files of a stopped Chroma server.

Chroma keeps the folders of deleted collections. It also keeps the text of deleted chunks in its write log and in its
full-text index (SQLite's FTS5) until that is optimised; SQLite keeps free pages until it is vacuumed. Chroma's API has
no call for this, so its private tables are changed here, but only if they are exactly those of the tested versions
(`chromadb` is pinned to them in pyproject.toml).
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from ingest.errors import VectorStoreError

# Chroma's SQLite file is rewritten if this fraction of it was deleted; a small file, which takes a second, always is.
DELETED_SHARE = 0.1
SMALL_BYTES = 128 * 1024 * 1024
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# The private tables that are read or changed, with all columns in order, as chromadb 1.5 creates them.
TABLES = {
    "embeddings": ("id", "segment_id", "embedding_id", "seq_id", "created_at"),
    "embeddings_queue": ("seq_id", "created_at", "operation", "topic", "id", "vector", "encoding", "metadata"),
    "embedding_fulltext_search": ("string_value",),
    "segments": ("id", "type", "scope", "collection"),
}
# Operation code of a deletion in Chroma's write log.
DELETE = 3
# The log keeps the text of deleted chunks until it is purged (about every 1,000 writes). Replaying it without these
# entries gives the same result.
FORGET_DELETED = """
DELETE FROM embeddings_queue WHERE seq_id IN (
    SELECT written.seq_id FROM embeddings_queue written JOIN (
        SELECT topic, id, max(seq_id) AS last FROM embeddings_queue WHERE operation = ? GROUP BY topic, id
    ) deleted ON deleted.topic = written.topic AND deleted.id = written.id WHERE written.seq_id < deleted.last)
"""


def compact(folder: Path, deleted: int) -> bool:
    """Removes deleted data from Chroma's files; call it only while no server owns them.

    Args:
        folder: Chroma's data folder.
        deleted: number of chunks deleted since the last compaction.

    Returns:
        True if it was done; False if too little of a large file was deleted to rewrite it.

    Raises:
        VectorStoreError: the tables are not those of a tested Chroma version, or the files cannot be changed. No other
            data is lost.
    """
    path = folder / "chroma.sqlite3"
    if not path.exists():
        return True
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            _check_tables(db, path)
            chunks = int(db.execute("SELECT count(*) FROM embeddings").fetchone()[0])
            if path.stat().st_size > SMALL_BYTES and deleted < chunks * DELETED_SHARE:
                return False
            used = {str(row[0]) for row in db.execute("SELECT id FROM segments")}
            for unused in (one for one in folder.iterdir() if UUID.fullmatch(one.name) and one.name not in used):
                shutil.rmtree(unused)
            db.execute(FORGET_DELETED, (DELETE,))
            db.execute("INSERT INTO embedding_fulltext_search (embedding_fulltext_search) VALUES ('optimize')")
            db.execute("VACUUM")
    except (sqlite3.Error, OSError) as error:
        raise VectorStoreError(
            f"Deleted text is still in Chroma's files in {folder}: {error}. Searches do not find it, but it remains on "
            "the disk. Check that the folder is writable and the disk has space, then run `footnote doctor --fix`."
        ) from error
    return True


def _check_tables(db: sqlite3.Connection, path: Path) -> None:
    for table, columns in TABLES.items():
        found = tuple(str(row[1]) for row in db.execute(f"PRAGMA table_info({table})"))
        if found != columns:
            raise VectorStoreError(
                f"Deleted text is still in {path}: its table {table} has the columns {', '.join(found) or 'none'}, not "
                f"{', '.join(columns)}, so it was written by a Chroma version that Footnote does not support. "
                "Install the chromadb version that Footnote requires, then run `footnote doctor --fix`."
            )
