"""Writes the text index: its fields, and what goes into each."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import tantivy

from ingest.errors import LexicalDamaged, LexicalStoreError
from ingest.host import close_files_to_others
from ingest.lexical.analyzer import spelled_out, terms_of
from ingest.lexical.files import made_with, note
from ingest.models import position_of
from ingest.text import ENGLISH, language_of

ANALYZER = "footnote"
# Weight of a term found in a chunk's headings, or in its file's name, against one found in its text. A heading that
# stands in the chunk is found there too: with a weight of 0.5, half of SciFact's documents lost 0.009 nDCG@10.
BOOSTS = {"text": 1.0, "heading": 0.25, "name": 0.3}
# Weight of a term found in a chunk or the chunks beside it, taken as one text: what a question is about is often said
# once, and what it asks for in the next paragraph. 1 to 2 gained SciFact 0.004 nDCG@10, eval/chunking a point of recall
# and conversations 0.006 nDCG@10, and cost recall@1 on eval/answerable nothing.
WINDOW, WINDOW_BOOST = "window", 1.0
# What keeps an index from being read without its being damaged.
NO_DAMAGE = (errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EROFS, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class LexicalEntry:
    """What is indexed of a chunk. `name` is the file's name and its folder's, `heading` its title and heading path."""

    chunk_id: str
    version_id: str
    text: str
    heading: str
    name: str


@dataclass(frozen=True, slots=True)
class _Written:
    """A chunk with its terms, field by field."""

    entry: LexicalEntry
    fields: dict[str, str]


class LexicalWriter:
    """Adds and deletes; nothing is seen by others until `commit`."""

    def __init__(self, writer: tantivy.IndexWriter, folder: Path, *, windows: bool) -> None:
        self._writer = writer
        self._folder = folder
        self._windows = windows
        self._languages: set[str] = set()
        # A chunk is written when the one after it is there, for what stands beside it counts.
        self._before: _Written | None = None
        self._last: _Written | None = None

    def add(self, entries: Sequence[LexicalEntry]) -> None:
        """Adds all chunks of versions, in reading order; what is there of these versions already is replaced.

        The chunks of a version may come in several calls, one right after the other.
        """
        with mapped("write", self._folder):
            for entry in entries:
                last = self._last and self._last.entry
                if not (last and last.version_id == entry.version_id and _comes_after(entry, last)):
                    self.delete({entry.version_id})
                self._write_last(_Written(entry, self._terms(entry)))

    def _write_last(self, after: _Written | None = None) -> None:
        """Writes the last chunk; `after` it stands the next one of its version, which is the last from here on."""
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
        return {field: " ".join(terms_of(spelled_out(getattr(entry, field)), [language])) for field in BOOSTS}

    def delete(self, version_ids: set[str]) -> None:
        """Deletes all chunks of versions."""
        with mapped("delete", self._folder):
            self._write_last()
            for version_id in version_ids:
                self._writer.delete_documents_by_term("version_id", version_id)

    def clear(self) -> None:
        """Deletes all chunks; until `commit`, searches find them."""
        with mapped("delete", self._folder):
            self._before = self._last = None
            self._writer.delete_all_documents()

    def commit(self) -> None:
        """Makes what was added and deleted durable and visible."""
        with mapped("write", self._folder):
            self._write_last()
            made = made_with(self._folder)
            if not self._languages <= made.languages:  # before it is seen: what is not noted is not asked for
                note(self._folder, replace(made, languages=made.languages | self._languages))
            self._writer.commit()
            close_files_to_others(self._folder)


def _comes_after(entry: LexicalEntry, last: LexicalEntry) -> bool:
    return position_of(entry.chunk_id) > position_of(last.chunk_id)


def _schema(*fields: str) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("chunk_id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("version_id", stored=False, tokenizer_name="raw", index_option="basic")
    for field in fields:
        builder.add_text_field(field, stored=False, tokenizer_name=ANALYZER)
    return builder.build()


# Of indexes made before there were windows; the fields that both have are the same.
FIRST_SCHEMA = _schema(*BOOSTS)
SCHEMA = _schema(*BOOSTS, WINDOW)


@contextmanager
def mapped(what: str, folder: Path, kind: type[LexicalStoreError] = LexicalStoreError) -> Iterator[None]:
    """Turns tantivy's errors (ValueError, OSError, and panics) into a LexicalStoreError, or `kind` where it applies."""
    try:
        yield
    except LexicalStoreError:
        raise
    except BaseException as error:
        # A panic of the library derives from nothing else.
        if not isinstance(error, (ValueError, OSError, RuntimeError)) and type(error).__name__ != "PanicException":
            raise
        said = str(error)
        if kind is LexicalDamaged and not any(f"os error {code}" in said for code in NO_DAMAGE):
            raise LexicalDamaged(
                f"Could not {what} the text index in {folder}: {said}. `footnote doctor --fix` makes it anew from the "
                "stored text."
            ) from error
        raise LexicalStoreError(
            f"Could not {what} the text index in {folder}: {said}. Check that the folder is writable and the disk "
            "has space, then try again."
        ) from error
