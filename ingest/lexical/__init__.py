"""BM25 search by tantivy."""

from ingest.lexical.store import LexicalStore
from ingest.lexical.writer import LexicalEntry, LexicalWriter

__all__ = ["LexicalEntry", "LexicalStore", "LexicalWriter"]
