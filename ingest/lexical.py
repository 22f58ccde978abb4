"""tantivy: BM25 over the chunks of one collection, on disk, read by many processes and written by one."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tantivy

from ingest.errors import LexicalStoreError

ANALYZER = "footnote"
# Scripts written without spaces are indexed by character; all else by word.
SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
TOKEN = rf"[{SPACELESS}]|[[\p{{L}}\p{{M}}\p{{N}}_]--[{SPACELESS}]]+"
# "39,669" is one number, however it is written.
GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Weight of a term found in a chunk's headings, or in its file's name, against one found in its text.
BOOSTS = {"text": 1.0, "heading": 0.5, "name": 0.3}
# Distinct terms of a question that are searched; a pasted page adds time and no meaning beyond that.
MOST_TERMS = 256
WRITER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LexicalEntry:
    """What is indexed of a chunk. `name` is the file's name, `heading` its title and heading path."""

    chunk_id: str
    version_id: str
    text: str
    heading: str
    name: str


class LexicalStore:
    """The full-text index in one folder. Searching is safe from any thread and process.

    Args:
        folder: where the index lies; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._analyzer = _analyzer()
        self._schema = _schema()
        self._lock = threading.Lock()
        with _mapped("open", folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, path=str(folder), reuse=True)
            self._index.register_tokenizer(ANALYZER, self._analyzer)
            self._index.config_reader("Manual", 1)

    @contextmanager
    def writing(self) -> Iterator[LexicalWriter]:
        """A writer; the caller holds the collection's writer lock. What is not committed is dropped at the end."""
        with _mapped("write", self._folder):
            writer = self._index.writer(WRITER_BYTES, 1)
        try:
            yield LexicalWriter(writer, self._folder)
        finally:
            with _mapped("close", self._folder):
                writer.rollback()
                writer.wait_merging_threads()

    def terms(self, text: str) -> list[str]:
        """The distinct terms that `text` is searched by, in order of appearance."""
        return list(dict.fromkeys(self._analyzer.analyze(_plain(text))))

    def search(self, query: str, k: int) -> list[tuple[str, float]]:
        """The `k` best chunks as (id, BM25 score), best first; [] where no term of the query is indexed."""
        clauses = [
            (tantivy.Occur.Should, _boosted(self._schema, field, term, boost))
            for term in self.terms(query)[:MOST_TERMS]
            for field, boost in BOOSTS.items()
        ]
        if not clauses:
            return []
        with _mapped("search", self._folder):
            searcher = self._searcher()
            found = searcher.search(tantivy.Query.boolean_query(clauses), k, count=False).hits
            return [(str(searcher.doc(address)["chunk_id"][0]), float(score)) for score, address in found]

    def ids(self) -> set[str]:
        """All chunk ids in the index."""
        with _mapped("list", self._folder):
            searcher = self._searcher()
            found = searcher.search(tantivy.Query.all_query(), max(1, searcher.num_docs), count=False).hits
            return {str(searcher.doc(address)["chunk_id"][0]) for _, address in found}

    def count(self) -> int:
        """How many chunks are indexed."""
        with _mapped("count", self._folder):
            return int(self._searcher().num_docs)

    def _searcher(self) -> tantivy.Searcher:
        with self._lock:
            self._index.reload()
            return self._index.searcher()


class LexicalWriter:
    """Adds and deletes; nothing is seen by others until `commit`."""

    def __init__(self, writer: tantivy.IndexWriter, folder: Path) -> None:
        self._writer = writer
        self._folder = folder

    def add(self, entries: Sequence[LexicalEntry]) -> None:
        """Adds chunks; those of their versions that are there already are replaced."""
        with _mapped("write", self._folder):
            self.delete({entry.version_id for entry in entries})
            for entry in entries:
                self._writer.add_document(
                    tantivy.Document(
                        chunk_id=entry.chunk_id,
                        version_id=entry.version_id,
                        text=_plain(entry.text),
                        heading=_plain(entry.heading),
                        name=entry.name,
                    )
                )

    def delete(self, version_ids: set[str]) -> None:
        """Deletes all chunks of versions."""
        with _mapped("delete", self._folder):
            for version_id in version_ids:
                self._writer.delete_documents_by_term("version_id", version_id)

    def commit(self) -> None:
        """Makes what was added and deleted durable and visible."""
        with _mapped("write", self._folder):
            self._writer.commit()


def _plain(text: str) -> str:
    return GROUPED.sub("", text)


def _analyzer() -> tantivy.TextAnalyzer:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(TOKEN))
        .filter(tantivy.Filter.remove_long(256))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("chunk_id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("version_id", stored=False, tokenizer_name="raw", index_option="basic")
    for field in BOOSTS:
        builder.add_text_field(field, stored=False, tokenizer_name=ANALYZER)
    return builder.build()


def _boosted(schema: tantivy.Schema, field: str, term: str, boost: float) -> tantivy.Query:
    query = tantivy.Query.term_query(schema, field, term, index_option="freq")
    return query if boost == 1.0 else tantivy.Query.boost_query(query, boost)


@contextmanager
def _mapped(what: str, folder: Path) -> Iterator[None]:
    """Turns tantivy's errors (ValueError, OSError) into a LexicalStoreError."""
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        raise LexicalStoreError(
            f"Could not {what} the text index in {folder}: {error}. Check that the folder is writable and the disk "
            "has space, then try again."
        ) from error
