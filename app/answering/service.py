"""Answers and searches over the collections of a library, with models that are built at first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.answering.answerer import Answerer
from app.answering.course import EXTRACTIVE
from app.answering.refusal import Refusal
from app.cancellation import CancelToken
from app.llm import ChatLLM, Connection
from app.models import Event, Turn
from app.protocols import Entails
from app.retrieval import Reranker, Retriever, SearchResult
from ingest.filters import Filter
from ingest.library import Library
from ingest.models import Query, SearchHit

T = TypeVar("T")


class Lazy(Generic[T]):
    """Builds a value at the first call and gives the same one from then on. Thread-safe.

    Args:
        build: makes the value; called again after it has raised.
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
        """Tells whether the value has been built."""
        return bool(self._built)


@dataclass(frozen=True, slots=True)
class Models:
    """The models that answers are made with; each is None where the settings name none.

    `connection` tells what is wrong with the language model's server. `refusal` decides whether passages answer.
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
        models: what answers are made with.
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

        `Waiting` may come anywhere before the answer. Once cancelled, the answer holds what came; there is none where
        nothing did.

        Args:
            question: as the user wrote it.
            history: the turns before it, oldest first.
            collection: None for the default one.
            k: how many passages to ground the answer in; FOOTNOTE_PASSAGES if not given.
            within: the documents that are asked; None for all.
            cancel: checked between events, and where the model is read.

        Raises:
            QuestionError: the question or `k` cannot be used, or no document fits `within`.
            SourceError: there is no such collection.
            RerankerError, EmbedderError: the reranker or the entailment model of the settings cannot be used at all.
        """
        name = self._library.existing(collection)
        events = self._answerer(name).ask(question, history, k=k, within=within, cancel=cancel)
        self._library.check_filter(within, collection=name)
        return events

    def _answerer(self, collection: str) -> Answerer:
        embedder, retriever = self._library.index(collection).embedder, self.retriever(collection)
        refusal = self._models.refusal()
        return Answerer(
            retriever.passages,
            embedder,
            self._models.llm(),
            self._library.settings,
            entailment=self._models.entailment(),
            absent=lambda asked, within: retriever.absent(asked, within=within),
            searched=retriever.searched,
            refusal=refusal if embedder.model == refusal.embedder else None,
        )

    def search(
        self, question: str | Query, k: int, *, collection: str | None = None, within: Filter | None = None
    ) -> list[SearchHit]:
        """Finds what `retrieve` does; its notices are logged. Raises as `ask` does."""
        return self._searchable(collection, within).search(question, k, within=within)

    def retrieve(
        self, question: str | Query, k: int, *, collection: str | None = None, within: Filter | None = None
    ) -> SearchResult:
        """Finds the `k` chunks that fit a question best, of the documents `within`, best first. Raises as `ask`."""
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
        """Returns what puts candidates in order; None where the settings name nothing."""
        return self._models.reranker()

    def answerer_name(self) -> str:
        """Returns the language model's name, or "extractive" where answers quote the documents."""
        llm = self._models.llm()
        return llm.name if llm else EXTRACTIVE

    def answerer_problem(self) -> str:
        """Says what is wrong with the language model's server, as far as can be told at once; "" where nothing is."""
        return self._models.connection.problem() if self._library.settings.llm else ""

    def is_ready(self, collection: str | None = None) -> bool:
        """Tells whether a collection's embedding model is in memory, so that a question need not wait for it."""
        return self._library.index(self._library.existing(collection)).embedder.ready

    def warm(self) -> None:
        """Loads the default collection's model and searches once, so that the first question need not wait."""
        index = self._library.index(self._library.settings.collection)
        index.embedder.encode_query("warm")
        index.vector_search("warm", 1)
        if reranker := self._models.reranker():
            reranker.check()
        entailment = self._models.entailment()
        if self._models.llm() and entailment:
            entailment.load()
