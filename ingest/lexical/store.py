"""tantivy: BM25 over the chunks of one collection, on disk, read by many processes and written by one."""

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
from ingest.lexical.files import FIRST_ANALYSIS, META, damaged_files, has_field, made_with, meta, note
from ingest.lexical.writer import ANALYZER, BOOSTS, SCHEMA, WINDOW, WINDOW_BOOST, LexicalWriter, mapped
from ingest.models import Query, as_query
from ingest.text import ENGLISH, LANGUAGES, asked_in

# Texts are made into terms before tantivy gets them, each by its own language.
AS_WRITTEN = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
# Distinct terms of a question that are searched; a pasted page adds time and no meaning beyond that.
MOST_TERMS = 256
WRITER_BYTES = 64 * 1024 * 1024
# A switch takes two renames; one that was cut off between them is not waited for longer than this.
SWITCH_SECONDS, LOOK_SECONDS = 0.5, 0.005


class LexicalStore:
    """The full-text index in one folder. Searching is safe from any thread and process.

    Args:
        folder: where the index lies; made at first use when missing.
        stop_words: whether a question is searched without the common words of its language, where it has others.
        windows: whether what is said beside a chunk counts for it.
        sleep: waits so many seconds.
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

    @property
    def exists(self) -> bool:
        """Whether there is an index at all."""
        return (self.folder / META).exists()

    @property
    def outdated(self) -> bool:
        """Whether there is an index and it was made with other terms than questions have now."""
        return self.exists and made_with(self.folder).analysis != ANALYSIS

    def mark(self) -> None:
        """Notes that all chunks in the index have the terms of today."""
        with mapped("write", self.folder):
            note(self.folder, replace(made_with(self.folder), analysis=ANALYSIS))

    @contextmanager
    def anew(self) -> Iterator[LexicalWriter]:
        """A writer of an index that takes the place of the one there is, at the end, if nothing goes wrong.

        Until then the old one is searched. In between is a moment without any, which a search waits for.
        """
        self.drop_leftovers()
        with LexicalStore(self._beside("new")).writing() as writer:
            yield writer
        self.switch()

    def switch(self) -> None:
        """Puts what `anew` has written in the place of the index."""
        with mapped("write", self.folder):
            if self.folder.exists():
                self.folder.rename(self._beside("old"))
            self._beside("new").rename(self.folder)
            self._forget()
        self.drop_leftovers()

    def drop_leftovers(self) -> None:
        """Deletes what `anew` has left where it was cut off."""
        with mapped("delete", self.folder):
            for left in map(self._beside, ("new", "old")):
                if left.exists():
                    shutil.rmtree(left)

    def _beside(self, which: str) -> Path:
        return self.folder.with_name(f"{self.folder.name}.{which}")

    @contextmanager
    def writing(self) -> Iterator[LexicalWriter]:
        """A writer; the caller holds the collection's writer lock. What is not committed is dropped at the end."""
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
            for step in (writer.rollback, writer.wait_merging_threads):  # the second lets go of the index
                with suppress(LexicalStoreError), mapped("close", self.folder):
                    step()
            raise
        with mapped("close", self.folder):
            writer.rollback()
            writer.wait_merging_threads()
            close_files_to_others(self.folder)

    def terms(self, text: str) -> list[str]:
        """The distinct terms that `text` is searched by, in order of appearance.

        A word has its English stem and that of the question's language; where that is not clear, those of all languages
        in the index. Stop words are among the terms only where there is nothing else. They are indexed all the same:
        which words say nothing is the question's affair, and may change without the index being made anew. An index of
        an older Footnote is searched by what it has in place of terms of today too, until a writer makes it anew.
        """
        made = made_with(self.folder)
        plain = f"{spelled_out(text)} {in_pieces(text)}" if made.analysis == FIRST_ANALYSIS else spelled_out(text)
        asked = asked_in(text, {ENGLISH, *made.languages} & LANGUAGES)
        languages = [asked] if asked else made.languages
        telling = terms_of(plain, languages, without=asked or ENGLISH) if self._stop_words else []
        return list(dict.fromkeys(telling or terms_of(plain, languages)))

    def search(self, query: str | Query, k: int, versions: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` best chunks as (id, BM25 score), best first; [] where no term of the query is indexed.

        Args:
            query: the words, alone or with those of earlier questions, which weigh less.
            k: how many.
            versions: whose chunks may be found; None for all. It changes no score.

        Raises:
            LexicalDamaged: the index cannot be read.
        """
        return self._found(query, k, None if versions is None else _any_of("version_id", versions))

    def scores(self, query: str | Query, chunk_ids: Sequence[str]) -> dict[str, float]:
        """BM25 scores of those of `chunk_ids` that hold a term of `query`: what `search` would say of them.

        Raises as `search` does.
        """
        return dict(self._found(query, len(chunk_ids), _any_of("chunk_id", chunk_ids))) if chunk_ids else {}

    def _found(self, query: str | Query, k: int, among: tantivy.Query | None) -> list[tuple[str, float]]:
        """The `k` best chunks that hold any term of `query`, and where that is given, match `among`."""
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
        """The ids of all chunks in the index, one as often as it is there. Raises as `search` does."""
        with self._searcher("list") as (searcher, _):
            found = searcher.search(tantivy.Query.all_query(), max(1, searcher.num_docs), count=False).hits
            return [str(searcher.doc(address)["chunk_id"][0]) for _, address in found]

    def count(self) -> int:
        """How many chunks are indexed. Raises as `search` does."""
        with self._searcher("count") as (searcher, _):
            return int(searcher.num_docs)

    def count_deleted(self) -> int:
        """How many deleted chunks still take room. Raises as `search` does."""
        with mapped("read", self.folder, LexicalDamaged):
            return sum(int((one["deletes"] or {}).get("num_deleted_docs", 0)) for one in meta(self.folder)["segments"])

    def damaged_files(self) -> list[str]:
        """Names of the index's files that are missing, or whose content is not what their checksums say."""
        return damaged_files(self.folder)

    def wipe(self) -> None:
        """Deletes the index, so that it can be filled again; for one that cannot be opened any more."""
        with self._lock, mapped("delete", self.folder):
            self._opened = None
            if self.folder.exists():
                shutil.rmtree(self.folder)

    def _forget(self) -> None:
        with self._lock:
            self._opened = None

    def _index(self) -> tuple[tantivy.Index, bool]:
        """The index as it is opened here, and whether it has windows.

        It makes none: a reader that did would, while `switch` is at work, write an empty index over the new one.
        """
        with self._lock:
            windows = has_field(self.folder, WINDOW)
            if self._opened is None or self._opened[1] != windows:  # it may have been made anew
                index = tantivy.Index.open(str(self.folder))
                index.register_tokenizer(ANALYZER, AS_WRITTEN)
                index.config_reader("Manual", 1)
                self._opened = index, windows
            return self._opened

    @contextmanager
    def _searcher(self, what: str) -> Iterator[tuple[tantivy.Searcher, bool]]:
        """The index as it is now, and whether it has windows."""
        with mapped(what, self.folder, LexicalDamaged):
            self._wait_for_switch()
            try:
                index, windows = self._index()
                index.reload()
            except (ValueError, OSError):  # another process has made it anew, perhaps
                self._forget()
                self._wait_for_switch()
                index, windows = self._index()
                index.reload()
            yield index.searcher(), windows

    def _wait_for_switch(self) -> None:
        until = time.monotonic() + SWITCH_SECONDS
        while not self.exists and self._beside("old").exists() and time.monotonic() < until:
            self._sleep(LOOK_SECONDS)


def _any_term(weighted: Sequence[tuple[str, float]], *, windows: bool) -> tantivy.Query | None:
    """Matches what holds any of some terms; None where there are none."""
    boosts = {**BOOSTS, WINDOW: WINDOW_BOOST} if windows else BOOSTS
    clauses = [
        (tantivy.Occur.Should, _boosted(field, term, weight * boost))
        for term, weight in weighted
        for field, boost in boosts.items()
    ]
    return tantivy.Query.boolean_query(clauses) if clauses else None


def _any_of(field: str, values: Collection[str]) -> tantivy.Query:
    """Matches what has one of some values in a field, which adds nothing to the score."""
    return tantivy.Query.const_score_query(tantivy.Query.term_set_query(SCHEMA, field, list(values)), 0.0)


def _boosted(field: str, term: str, boost: float) -> tantivy.Query:
    query = tantivy.Query.term_query(SCHEMA, field, term, index_option="freq")
    return query if boost == 1.0 else tantivy.Query.boost_query(query, boost)
