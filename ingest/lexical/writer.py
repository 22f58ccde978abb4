"""Writes the text index and defines its fields."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import tantivy

from ingest.errors import LexicalDamaged, LexicalStoreError
from ingest.host import close_files_to_others
from ingest.lexical.analyzer import spelled_out, terms_of
from ingest.lexical.files import made_with, note
from ingest.models import position_of
from ingest.text import ENGLISH, language_of

ANALYZER = "footnote"
# Weight of a term in a chunk's headings or file name, relative to one in its text. A heading inside the chunk also
# counts as text: with a weight of 0.5, half of SciFact's documents lost 0.009 nDCG@10.
BOOSTS = {"text": 1.0, "heading": 0.25, "name": 0.3}
# Weight of a term in a chunk or its neighbours, taken as one text: the topic of a question is often named once, and the
# answer given in the next paragraph. Weights of 1 to 2 gained 0.004 nDCG@10 on SciFact, a point of recall on
# eval/chunking and 0.006 nDCG@10 on conversations, and cost no recall@1 on eval/answerable.
WINDOW, WINDOW_BOOST = "window", 1.0
# Headings and names whose terms are cached: chunks in a row share them.
RECURRING = 64
# Errors that make an index unreadable without being damage.
NO_DAMAGE = (errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EROFS, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class LexicalEntry:
    """Indexed fields of a chunk. `name` holds its file's and folder's names, `heading` its title and heading path."""

    chunk_id: str
    version_id: str
    text: str
    heading: str
    name: str


@dataclass(frozen=True, slots=True)
class _Written:
    """A chunk with its terms by field."""

    entry: LexicalEntry
    fields: dict[str, str]


class LexicalWriter:
    """Adds and deletes chunks; changes are visible to others only after `commit`."""

    def __init__(self, writer: tantivy.IndexWriter, folder: Path, *, windows: bool) -> None:
        self._writer = writer
        self._folder = folder
        self._windows = windows
        self._languages: set[str] = set()
        # A chunk is written once the next one is known, because its neighbours are indexed with it.
        self._before: _Written | None = None
        self._last: _Written | None = None

    def add(self, entries: Sequence[LexicalEntry]) -> None:
        """Adds all chunks of versions, in reading order; replaces what is indexed of these versions.

        The chunks of a version may be spread over several consecutive calls.
        """
        with mapped("write", self._folder):
            for entry in entries:
                last = self._last and self._last.entry
                if not (last and last.version_id == entry.version_id and _comes_after(entry, last)):
                    self.delete({entry.version_id})
                self._write_last(_Written(entry, self._terms(entry)))

    def _write_last(self, after: _Written | None = None) -> None:
        """Writes the last chunk; `after` is the next one of its version, and becomes the last."""
        if self._last:
            entry, fields = self._last.entry, dict(self._last.fields)
            if self._windows:
                around = [one for one in (self._before, self._last, after) if one]
                fields[WINDOW] = " ".join(one.fields["text"] for one in around)
            self._writer.add_document(tantivy.Document(chunk_id=entry.chunk_id, version_id=entry.version_id, **fields))
        self._before, self._last = (self._last if after else None), after

    def _terms(self, entry: LexicalEntry) -> dict[str, str]:
        language = language_of(entry.text) or ENGLISH
        self._languages.add(language)
        return {
            "text": " ".join(terms_of(spelled_out(entry.text), [language])),
            "heading": _recurring_terms(entry.heading, language),
            "name": _recurring_terms(entry.name, language),
        }

    def delete(self, version_ids: set[str]) -> None:
        """Deletes all chunks of versions."""
        with mapped("delete", self._folder):
            self._write_last()
            for version_id in version_ids:
                self._writer.delete_documents_by_term("version_id", version_id)

    def clear(self) -> None:
        """Deletes all chunks; searches still find them until `commit`."""
        with mapped("delete", self._folder):
            self._before = self._last = None
            self._writer.delete_all_documents()

    def commit(self) -> None:
        """Makes additions and deletions durable and visible."""
        with mapped("write", self._folder):
            self._write_last()
            made = made_with(self._folder)
            if not self._languages <= made.languages:  # before the commit: unrecorded languages are not searched
                note(self._folder, replace(made, languages=made.languages | self._languages))
            self._writer.commit()
            close_files_to_others(self._folder)


@lru_cache(RECURRING)
def _recurring_terms(text: str, language: str) -> str:
    return " ".join(terms_of(spelled_out(text), [language]))


def _comes_after(entry: LexicalEntry, last: LexicalEntry) -> bool:
    return position_of(entry.chunk_id) > position_of(last.chunk_id)


def _schema(*fields: str) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("chunk_id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("version_id", stored=False, tokenizer_name="raw", index_option="basic")
    for field in fields:
        builder.add_text_field(field, stored=False, tokenizer_name=ANALYZER)
    return builder.build()


# Schema of indexes made before windows existed; the common fields are the same.
FIRST_SCHEMA = _schema(*BOOSTS)
SCHEMA = _schema(*BOOSTS, WINDOW)


@contextmanager
def mapped(what: str, folder: Path, kind: type[LexicalStoreError] = LexicalStoreError) -> Iterator[None]:
    """Maps tantivy's errors (ValueError, OSError, and panics) to LexicalStoreError, or to `kind` if it is damage."""
    try:
        yield
    except LexicalStoreError:
        raise
    except BaseException as error:
        # tantivy's PanicException derives from BaseException directly.
        if not isinstance(error, (ValueError, OSError, RuntimeError)) and type(error).__name__ != "PanicException":
            raise
        said = str(error)
        if kind is LexicalDamaged and not any(f"os error {code}" in said for code in NO_DAMAGE):
            raise LexicalDamaged(
                f"Could not {what} the text index in {folder}: {said}. `footnote doctor --fix` rebuilds it from the "
                "stored text."
            ) from error
        raise LexicalStoreError(
            f"Could not {what} the text index in {folder}: {said}. Check that the folder is writable and the disk "
            "has space, then try again."
        ) from error
