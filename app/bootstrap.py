"""The one place that builds concrete objects from settings: `Footnote` is what the command line and the chat use."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property

from app.answering import Answerer
from app.chats import ChatStore
from app.llm import ChatLLM, build_llm
from app.models import Citation, Event, Surroundings, Turn
from app.retrieval import Retriever
from ingest.library import Library
from ingest.models import SearchHit, page_at
from ingest.settings import Settings, load_settings

# What stands before a quote in its surroundings; with more, the quote is out of sight when they are opened.
MOST_LINES_BEFORE = 6


class Footnote(Library):
    """A library that answers questions: all that one process needs, built at first use. Thread-safe.

    Args:
        settings: where things lie and which models to use.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.chats = ChatStore.open(settings.data_dir / "chats.sqlite")
        self._retrievers: dict[str, Retriever] = {}

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        collection: str | None = None,
        k: int | None = None,
    ) -> Iterator[Event]:
        """Answers a question from a collection's documents: `Retrieved`, any number of `Token`, one `Answer`.

        Raises:
            QuestionError: the question or `k` cannot be used.
            SourceError: there is no such collection.
        """
        name = self.existing(collection)
        answerer = Answerer(self.retriever(name).passages, self.index(name).embedder, self._llm, self.settings)
        return answerer.ask(question, history, k=k)

    def search(self, question: str, k: int, *, collection: str | None = None) -> list[SearchHit]:
        """The `k` chunks that fit a question best, best first. Raises as `ask` does."""
        return self.retriever(self.existing(collection)).search(question, k)

    def surroundings(self, citation: Citation, margin: int = 400) -> Surroundings | None:
        """A citation's words with up to `margin` characters of their page on either side.

        None when the document has changed.
        """
        page = page_at(tuple(self._docstore.pages(citation.version_id)), citation.start)
        first = max(page.start if page else 0, citation.start - margin)
        excerpt = self._docstore.excerpt(citation.version_id, first, citation.end + margin)
        before, rest = excerpt[: citation.start - first], excerpt[citation.start - first :]
        if not rest.startswith(citation.quote):
            return None
        after = rest[len(citation.quote) :]
        if first and not (page and first == page.start):
            before = _from_a_line(before)
        last_lines = "".join(before.splitlines(keepends=True)[-MOST_LINES_BEFORE:])
        return Surroundings(last_lines, citation.quote, _to_a_line(after, margin))

    def answerer_name(self) -> str:
        """The language model's name, or "extractive" where answers quote the documents."""
        return self._llm.name if self._llm else "extractive"

    def retriever(self, collection: str) -> Retriever:
        """The search over one collection."""
        with self._lock:
            if collection not in self._retrievers:
                self._retrievers[collection] = Retriever(self.index(collection))
            return self._retrievers[collection]

    @property
    def ready(self) -> bool:
        """Whether an embedding model is in memory, so that a question need not wait for it."""
        return any(embedder.ready for embedder in self._embedders.values())

    def warm(self) -> None:
        """Loads the default collection's model and searches once, so that the first question need not wait."""
        index = self.index(self.settings.collection)
        index.embedder.encode_query("warm")
        index.vector_search("warm", 1)

    @property
    def _llm(self) -> ChatLLM | None:
        with self._lock:
            return self._built_llm

    @cached_property
    def _built_llm(self) -> ChatLLM | None:
        return build_llm(self.settings)  # takes two seconds of imports: not before it is needed


def _from_a_line(text: str) -> str:
    """Text from its first whole line on, or where it is one line, from its first whole word."""
    for mark in ("\n", " "):
        _, found, rest = text.partition(mark)
        if found:
            return rest.lstrip()
    return text


def _to_a_line(text: str, margin: int) -> str:
    """Text up to its last whole line, or its last whole word, where it was cut off at `margin`."""
    if len(text) < margin:
        return text
    lines, found, _ = text.rpartition("\n")
    return lines if found and lines.strip() else text.rpartition(" ")[0]


_shared_lock = threading.Lock()
_shared: Footnote | None = None


def shared_footnote() -> Footnote:
    """The one `Footnote` of this process, for the chat, whose sessions all share it."""
    global _shared  # noqa: PLW0603 - one per process is the point
    with _shared_lock:
        if _shared is None:
            _shared = Footnote(load_settings())
        return _shared
