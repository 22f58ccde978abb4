"""BM25 search with tantivy."""

from ingest.lexical.store import LexicalStore
from ingest.lexical.writer import LexicalEntry, LexicalWriter

__all__ = ["LexicalEntry", "LexicalStore", "LexicalWriter"]
