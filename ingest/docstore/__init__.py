"""The document store in SQLite, the authoritative record of all documents."""

from ingest.docstore.database import Database
from ingest.docstore.filtering import Choices
from ingest.docstore.periods import fill_periods
from ingest.docstore.records import (
    ChunkRow,
    CollectionRow,
    EmbedderRole,
    EmbedderRow,
    KnownFailure,
    KnownVersion,
    SegmentRow,
    VersionRow,
)
from ingest.docstore.schema import DOCUMENT_TYPES, MIGRATIONS, SCHEMA, SCHEMA_VERSION, TEXT_BYTES
from ingest.docstore.store import PART, DocStore
from ingest.docstore.unembedded import Span
from ingest.docstore.versions import PendingVersion
from ingest.docstore.writer_queue import WriterQueue, WritingTurn

__all__ = [
    "DOCUMENT_TYPES",
    "MIGRATIONS",
    "PART",
    "SCHEMA",
    "SCHEMA_VERSION",
    "TEXT_BYTES",
    "Choices",
    "ChunkRow",
    "CollectionRow",
    "Database",
    "DocStore",
    "EmbedderRole",
    "EmbedderRow",
    "KnownFailure",
    "KnownVersion",
    "PendingVersion",
    "SegmentRow",
    "Span",
    "VersionRow",
    "WriterQueue",
    "WritingTurn",
    "fill_periods",
]
