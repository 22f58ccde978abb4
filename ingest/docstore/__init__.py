"""The document store in SQLite, the record of what is true."""

from ingest.docstore.database import Database
from ingest.docstore.filtering import Choices
from ingest.docstore.records import (
    ChunkRow,
    CollectionRow,
    EmbedderRole,
    EmbedderRow,
    KnownFailure,
    KnownVersion,
    VersionRow,
)
from ingest.docstore.schema import MIGRATIONS, RECKONED, SCHEMA, SCHEMA_VERSION
from ingest.docstore.store import PART, DocStore
from ingest.docstore.vector_cache import ChunkVectors
from ingest.docstore.writer_queue import WriterQueue, WritingTurn

__all__ = [
    "MIGRATIONS",
    "PART",
    "RECKONED",
    "SCHEMA",
    "SCHEMA_VERSION",
    "Choices",
    "ChunkRow",
    "ChunkVectors",
    "CollectionRow",
    "Database",
    "DocStore",
    "EmbedderRole",
    "EmbedderRow",
    "KnownFailure",
    "KnownVersion",
    "VersionRow",
    "WriterQueue",
    "WritingTurn",
]
