"""BM25 search with tantivy over the chunks of one collection, on disk, for many readers and one writer."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import tantivy

from ingest.errors import LexicalDamaged, LexicalStoreError
from ingest.host import close_files_to_others, make_private_folder
from ingest.lexical.analyzer import ANALYSIS, in_pieces, spelled_out, terms_of
from ingest.lexical.files import FIRST_ANALYSIS, META, damaged_files, has_field, made_with, meta, note, state_of
from ingest.lexical.writer import ANALYZER, BOOSTS, SCHEMA, WINDOW, WINDOW_BOOST, LexicalWriter, mapped
from ingest.models import Query, as_query
from ingest.text import ENGLISH, LANGUAGES, asked_in

# Texts are analysed before they are passed to tantivy, each in its own language.
AS_WRITTEN = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
# Most distinct terms of a question; a pasted page would add time and no meaning beyond that.
MOST_TERMS = 256
WRITER_BYTES = 64 * 1024 * 1024
# A switch takes two renames; readers wait at most this long for one, even if it was interrupted between them.
SWITCH_SECONDS, LOOK_SECONDS = 0.5, 0.005


class LexicalStore:
    """The full-text index in one folder. Searching is safe from any thread and process.

    Args:
        folder: the index folder; created on first use.
        stop_words: drops the common words of a question's language, if it has other words.
        windows: searches the text around a chunk too.
        sleep: waits the given number of seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        stop_words: bool = True,
        windows: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.folder = folder
        self._stop_words = stop_words
        self._windows = windows
        self._sleep = sleep
        self._lock = threading.Lock()
        self._opened: tuple[tantivy.Index, bool] | None = None
        self._state = (0, 0, 0)

    @property
    def exists(self) -> bool:
        """Returns True if there is an index."""
        return (self.folder / META).exists()

    @property
    def outdated(self) -> bool:
        """Returns True if there is an index whose terms were made by an older analyser."""
        return self.exists and made_with(self.folder).analysis != ANALYSIS

    def mark(self) -> None:
        """Records that all chunks in the index have current terms."""
        with mapped("write", self.folder):
            note(self.folder, replace(made_with(self.folder), analysis=ANALYSIS))

    @contextmanager
    def anew(self) -> Iterator[LexicalWriter]:
        """Yields a writer of a new index, which replaces the current one at the end unless an error occurs.

        Until then the old one is searched. Searches wait for the short moment between the two.
        """
        self.drop_leftovers()
        with LexicalStore(self._beside("new")).writing() as writer:
            yield writer
        self.switch()

    def switch(self) -> None:
        """Replaces the index by the one that `anew` has written."""
        with mapped("write", self.folder):
            if self.folder.exists():
                self.folder.rename(self._beside("old"))
            self._beside("new").rename(self.folder)
            self._forget()
        self.drop_leftovers()

    def drop_leftovers(self) -> None:
        """Deletes what an interrupted `anew` left."""
        with mapped("delete", self.folder):
            for left in map(self._beside, ("new", "old")):
                if left.exists():
                    shutil.rmtree(left)

    def _beside(self, which: str) -> Path:
        return self.folder.with_name(f"{self.folder.name}.{which}")

    @contextmanager
    def writing(self) -> Iterator[LexicalWriter]:
        """Yields a writer; the caller holds the collection's writer lock. Drops uncommitted changes at the end."""
        with mapped("write", self.folder):
            if not self.exists:
                self._forget()
                make_private_folder(self.folder)
                self.mark()
                tantivy.Index(SCHEMA, path=str(self.folder))
            index, windows = self._index()
            writer = index.writer(WRITER_BYTES, 1)
        try:
            yield LexicalWriter(writer, self.folder, windows=windows)
        except BaseException:
            for step in (writer.rollback, writer.wait_merging_threads):  # the second releases the index
                with suppress(LexicalStoreError), mapped("close", self.folder):
                    step()
            raise
        with mapped("close", self.folder):
            writer.rollback()
            writer.wait_merging_threads()
            close_files_to_others(self.folder)

    def terms(self, text: str) -> list[str]:
        """Returns the distinct search terms of `text`, in order of appearance.

        A word gives its English stem and that of the question's language, or of all languages in the index if that is
        unclear. Stop words are included only if there is nothing else. They are always indexed, so that the list of
        stop words can change without rebuilding the index. An index of an older version is also searched by its older
        terms, until a writer rebuilds it.
        """
        made = made_with(self.folder)
        plain = f"{spelled_out(text)} {in_pieces(text)}" if made.analysis == FIRST_ANALYSIS else spelled_out(text)
        asked = asked_in(text, {ENGLISH, *made.languages} & LANGUAGES)
        languages = [asked] if asked else made.languages
        telling = terms_of(plain, languages, without=asked or ENGLISH) if self._stop_words else []
        return list(dict.fromkeys(telling or terms_of(plain, languages)))

    def search(self, query: str | Query, k: int, versions: Collection[str] | None = None) -> list[tuple[str, float]]:
        """Returns the `k` best chunks as (id, BM25 score), best first; [] if no term of the query is indexed.

        Args:
            query: the question, alone or with earlier questions, which have lower weights.
            k: number of results.
            versions: the versions to search; None for all. It does not change the scores.

        Raises:
            LexicalDamaged: the index cannot be read.
        """
        return self._found(query, k, None if versions is None else _any_of("version_id", versions))

    def scores(self, query: str | Query, chunk_ids: Sequence[str]) -> dict[str, float]:
        """Returns the BM25 scores of those of `chunk_ids` that contain a term of `query`, as `search` computes them.

        Raises as `search` does.
        """
        return dict(self._found(query, len(chunk_ids), _any_of("chunk_id", chunk_ids))) if chunk_ids else {}

    def _found(self, query: str | Query, k: int, among: tantivy.Query | None) -> list[tuple[str, float]]:
        """Returns the `k` best chunks that contain any term of `query` and match `among`, if given."""
        with self._searcher("search") as (searcher, windows):
            wanted = _any_term(
                [*as_query(query).weighted(self.terms).items()][:MOST_TERMS], windows=windows and self._windows
            )
            if wanted is None:
                return []
            if among is not None:
                wanted = tantivy.Query.boolean_query([(tantivy.Occur.Must, wanted), (tantivy.Occur.Must, among)])
            found = searcher.search(wanted, k, count=False).hits
            return [(str(searcher.doc(address)["chunk_id"][0]), float(score)) for score, address in found]

    def ids(self) -> list[str]:
        """Returns the ids of all chunks in the index, duplicates included. Raises as `search` does."""
        with self._searcher("list") as (searcher, _):
            found = searcher.search(tantivy.Query.all_query(), max(1, searcher.num_docs), count=False).hits
            return [str(searcher.doc(address)["chunk_id"][0]) for _, address in found]

    def count(self) -> int:
        """Counts the indexed chunks. Raises as `search` does."""
        with self._searcher("count") as (searcher, _):
            return int(searcher.num_docs)

    def count_deleted(self) -> int:
        """Counts the deleted chunks that still take space. Raises as `search` does."""
        with mapped("read", self.folder, LexicalDamaged):
            return sum(int((one["deletes"] or {}).get("num_deleted_docs", 0)) for one in meta(self.folder)["segments"])

    def damaged_files(self) -> list[str]:
        """Returns the names of the index's files that are missing, or do not match their checksums."""
        return damaged_files(self.folder)

    def wipe(self) -> None:
        """Deletes an index that can no longer be opened, so that it can be filled again."""
        with self._lock, mapped("delete", self.folder):
            self._opened = None
            if self.folder.exists():
                shutil.rmtree(self.folder)

    def _forget(self) -> None:
        with self._lock:
            self._opened = None

    def _index(self) -> tuple[tantivy.Index, bool]:
        """Opens the index as it is now; returns it, and True if it has windows.

        Never creates one: while `switch` runs, a reader would write an empty index over the new one.
        """
        with self._lock:
            state = state_of(self.folder)
            if self._opened is None or state != self._state:
                windows = has_field(self.folder, WINDOW)
                if self._opened is None or self._opened[1] != windows:  # it may have been rebuilt
                    index = tantivy.Index.open(str(self.folder))
                    index.register_tokenizer(ANALYZER, AS_WRITTEN)
                    index.config_reader("Manual", 1)
                    self._opened = index, windows
                self._opened[0].reload()
                self._state = state
            return self._opened

    @contextmanager
    def _searcher(self, what: str) -> Iterator[tuple[tantivy.Searcher, bool]]:
        """Yields a searcher of the current index, and True if it has windows."""
        with mapped(what, self.folder, LexicalDamaged):
            self._wait_for_switch()
            try:
                index, windows = self._index()
            except (ValueError, OSError):  # another process may have rebuilt it
                self._forget()
                self._wait_for_switch()
                index, windows = self._index()
            yield index.searcher(), windows

    def _wait_for_switch(self) -> None:
        until = time.monotonic() + SWITCH_SECONDS
        while not self.exists and self._beside("old").exists() and time.monotonic() < until:
            self._sleep(LOOK_SECONDS)


def _any_term(weighted: Sequence[tuple[str, float]], *, windows: bool) -> tantivy.Query | None:
    """Matches chunks that contain any of the terms; None if there are no terms."""
    boosts = {**BOOSTS, WINDOW: WINDOW_BOOST} if windows else BOOSTS
    clauses = [
        (tantivy.Occur.Should, _boosted(field, term, weight * boost))
        for term, weight in weighted
        for field, boost in boosts.items()
    ]
    return tantivy.Query.boolean_query(clauses) if clauses else None


def _any_of(field: str, values: Collection[str]) -> tantivy.Query:
    """Matches chunks with one of the values in a field, without adding to the score."""
    return tantivy.Query.const_score_query(tantivy.Query.term_set_query(SCHEMA, field, list(values)), 0.0)


def _boosted(field: str, term: str, boost: float) -> tantivy.Query:
    query = tantivy.Query.term_query(SCHEMA, field, term, index_option="freq")
    return query if boost == 1.0 else tantivy.Query.boost_query(query, boost)
