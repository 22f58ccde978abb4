"""Answers questions and searches in the collections of a library, with models built on first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from app.answering.answerer import Answerer
from app.answering.course import EXTRACTIVE
from app.answering.refusal import Refusal
from app.cancellation import CancelToken
from app.llm import ChatLLM, Connection
from app.models import Event, SearchResult, Turn
from app.protocols import Entails
from app.retrieval import Reranker, Retriever
from ingest.filters import Filter
from ingest.library import Library
from ingest.models import Query, SearchHit
from ingest.settings import base_model

T = TypeVar("T")


class Lazy(Generic[T]):
    """Builds a value on the first call and returns the same one afterwards. Thread-safe.

    Args:
        build: creates the value; called again if it raised an error.
    """

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._built: list[T] = []

    def __call__(self) -> T:
        """Returns the value."""
        with self._lock:
            if not self._built:
                self._built.append(self._build())
            return self._built[0]

    @property
    def is_built(self) -> bool:
        """True once the value has been built."""
        return bool(self._built)


@dataclass(frozen=True, slots=True)
class Models:
    """The models used for answering; each is None if the settings name none.

    `connection` reports problems with the language model's server. `refusal` decides whether passages answer.
    """

    llm: Lazy[ChatLLM | None]
    reranker: Lazy[Reranker | None]
    entailment: Lazy[Entails | None]
    refusal: Lazy[Refusal]
    connection: Connection


class AnswerService:
    """Answers questions and searches in the collections of a library. Thread-safe.

    Args:
        library: the collections.
        models: the models used for answering.
    """

    def __init__(self, library: Library, models: Models) -> None:
        self._library = library
        self._models = models
        self._lock = threading.Lock()
        self._retrievers: dict[str, Retriever] = {}

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        collection: str | None = None,
        k: int | None = None,
        within: Filter | None = None,
        cancel: CancelToken | None = None,
    ) -> Generator[Event, None, None]:
        """Answers a question from a collection's documents: `Retrieved`, any number of `Token`, one `Answer`.

        `Waiting` may come anywhere before the answer. If cancelled, the answer holds the text so far; if there is no
        text yet, there is no `Answer`.

        Args:
            question: as the user wrote it.
            history: the earlier turns, oldest first.
            collection: None for the default one.
            k: how many passages to base the answer on; FOOTNOTE_PASSAGES if not given.
            within: the documents to search; None for all.
            cancel: checked between events and while the model is writing.

        Raises:
            QuestionError: the question or `k` is invalid, or no document matches `within`.
            SourceError: the collection does not exist.
            RerankerError, EmbedderError: the configured reranker or entailment model cannot be used at all.
        """
        name = self._library.existing(collection)
        events = self._answerer(name).ask(question, history, k=k, within=within, cancel=cancel)
        self._library.check_filter(within, collection=name)
        return events

    def _answerer(self, collection: str) -> Answerer:
        index, retriever = self._library.index(collection), self.retriever(collection)
        embedder = index.embedder
        refusal = self._models.refusal()
        return Answerer(
            partial(retriever.passages, embedder=embedder),
            embedder,
            self._models.llm(),
            self._library.settings,
            entailment=self._models.entailment(),
            absent=lambda asked, within: retriever.absent(asked, within=within),
            searched=retriever.searched,
            mentioning=lambda topic, within: retriever.mentioning(topic, within=within),
            refusal=refusal if base_model(embedder.model) == refusal.embedder else None,
            read=index.docstore.excerpt,
        )

    def search(
        self, question: str | Query, k: int, *, collection: str | None = None, within: Filter | None = None
    ) -> list[SearchHit]:
        """Returns the hits of `retrieve` and logs its notices. Raises as `ask` does."""
        return self._searchable(collection, within).search(question, k, within=within)

    def retrieve(
        self, question: str | Query, k: int, *, collection: str | None = None, within: Filter | None = None
    ) -> SearchResult:
        """Finds the `k` chunks that best match a question in the documents `within`, best first. Raises as `ask`."""
        return self._searchable(collection, within).retrieve(question, k, within=within)

    def _searchable(self, collection: str | None, within: Filter | None) -> Retriever:
        name = self._library.existing(collection)
        self._library.check_filter(within, collection=name)
        return self.retriever(name)

    def retriever(self, collection: str) -> Retriever:
        """Returns the search over one collection."""
        index, reranker = self._library.index(collection), self._models.reranker()
        with self._lock:
            if collection not in self._retrievers:
                self._retrievers[collection] = Retriever(index, reranker)
            return self._retrievers[collection]

    def reranker(self) -> Reranker | None:
        """Returns the reranker; None if the settings name none."""
        return self._models.reranker()

    def answerer_name(self) -> str:
        """Returns the language model's name, or "extractive" if answers quote the documents."""
        llm = self._models.llm()
        return llm.name if llm else EXTRACTIVE

    def answerer_problem(self) -> str:
        """Returns any problem with the language model's server that a quick check finds; "" if there is none."""
        return self._models.connection.problem() if self._library.settings.llm else ""

    def is_ready(self, collection: str | None = None) -> bool:
        """Returns True if a collection's embedding model is in memory, so that a question need not wait for it."""
        return self._library.index(self._library.existing(collection)).embedder.ready

    def warm(self) -> None:
        """Loads the default collection's models and searches once, so that the first question need not wait."""
        index = self._library.index(self._library.settings.collection)
        index.embedder.encode_query("warm")
        index.vector_search("warm", 1)
        if reranker := self._models.reranker():
            reranker.check()
        entailment = self._models.entailment()
        if self._models.llm() and entailment:
            entailment.load()
