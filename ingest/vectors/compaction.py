"""Rids the files of a stopped Chroma server of what was deleted.

Chroma keeps the folders of deleted collections, and the words of deleted chunks in its log of writes and in its
full-text index (SQLite's FTS5) until that is optimised; SQLite keeps free pages until it is vacuumed. There is no call
for this in Chroma's API, so its private tables are changed here: only where they are exactly as in the versions that
this was tried with (`chromadb` is pinned to them in pyproject.toml).
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from ingest.errors import VectorStoreError

# Chroma's SQLite file is rewritten when so much of it was deleted; a small one, which takes a second, always.
DELETED_SHARE = 0.1
SMALL_BYTES = 128 * 1024 * 1024
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# The private tables that are read or changed, with all their columns in order, as chromadb 1.5 makes them.
TABLES = {
    "embeddings": ("id", "segment_id", "embedding_id", "seq_id", "created_at"),
    "embeddings_queue": ("seq_id", "created_at", "operation", "topic", "id", "vector", "encoding", "metadata"),
    "embedding_fulltext_search": ("string_value",),
    "segments": ("id", "type", "scope", "collection"),
}
# The code of a deletion in Chroma's log of writes.
DELETE = 3
# The log keeps the words of chunks that were deleted since, for as long as it is not purged (which is every 1,000
# writes or so). Replayed without those entries, it gives the same.
FORGET_DELETED = """
DELETE FROM embeddings_queue WHERE seq_id IN (
    SELECT written.seq_id FROM embeddings_queue written JOIN (
        SELECT topic, id, max(seq_id) AS last FROM embeddings_queue WHERE operation = ? GROUP BY topic, id
    ) deleted ON deleted.topic = written.topic AND deleted.id = written.id WHERE written.seq_id < deleted.last)
"""


def compact(folder: Path, deleted: int) -> bool:
    """Removes what was deleted from Chroma's files; call it only while no server owns them.

    Args:
        folder: the folder that Chroma keeps its data in.
        deleted: how many chunks were deleted since this was last done.

    Returns:
        Whether it was done; False where too little of a large file was deleted for it to be rewritten.

    Raises:
        VectorStoreError: the tables are not those of a Chroma version that was tried, or the files cannot be changed.
            Nothing that is not deleted is lost by it.
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
            f"What was deleted is still in Chroma's files in {folder}: {error}. Nobody finds it, but the words are on "
            "the disk. Check that the folder is writable and the disk has room, then run `footnote doctor --fix`."
        ) from error
    return True


def _check_tables(db: sqlite3.Connection, path: Path) -> None:
    for table, columns in TABLES.items():
        found = tuple(str(row[1]) for row in db.execute(f"PRAGMA table_info({table})"))
        if found != columns:
            raise VectorStoreError(
                f"What was deleted is still in {path}: its table {table} has the columns {', '.join(found) or 'none'}, "
                f"not {', '.join(columns)}, so another version of Chroma wrote it than Footnote was tried with. "
                "Install the chromadb version that Footnote asks for, then run `footnote doctor --fix`."
            )
