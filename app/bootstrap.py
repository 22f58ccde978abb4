"""The one place that builds concrete objects from settings: `Footnote` is what the command line and the chat use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property, partial

from app.answering import Answerer, Refusal
from app.conversations import ChatStore
from app.evaluation import GeneratedQuestions, QuestionWriter, generate
from app.grounding import EntailmentModel
from app.llm import ChatLLM, Connection, build_llm
from app.models import Answer, Citation, Event, Surroundings, Turn
from app.retrieval import CrossEncoderJudge, Reranker, RerankServer, Retriever
from ingest.errors import Cancelled, SourceError
from ingest.filters import Filter
from ingest.library import CONVERSATIONS, Library
from ingest.models import Query, SearchHit, page_at
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
        self.chats = ChatStore.open(settings.data_dir / CONVERSATIONS)
        self._retrievers: dict[str, Retriever] = {}

    def close(self) -> None:
        """Closes the conversations too; see `Library.close`."""
        self.chats.close()
        super().close()

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        collection: str | None = None,
        k: int | None = None,
        within: Filter | None = None,
    ) -> Generator[Event, None, None]:
        """Answers a question from a collection's documents: `Retrieved`, any number of `Token`, one `Answer`.

        `Waiting` may come anywhere before the answer; `app.answering.answerer.stop` ends it early and keeps what came.

        Args:
            question: as the user wrote it.
            history: the turns before it, oldest first.
            collection: None for the default one.
            k: how many passages to ground the answer in; FOOTNOTE_PASSAGES if not given.
            within: the documents that are asked; None for all.

        Raises:
            QuestionError: the question or `k` cannot be used, or no document fits `within`.
            SourceError: there is no such collection.
            RerankerError, EmbedderError: the reranker or the entailment model of the settings cannot be used at all.
        """
        name, notices = self.existing(collection), list[str]()
        embedder = self.index(name).embedder
        refusal = self._refusal if embedder.model == self._refusal.embedder else None
        retriever = self.retriever(name)
        answerer = Answerer(
            partial(retriever.passages, on_notice=notices.append),
            embedder,
            self._llm,
            self.settings,
            entailment=self._entailment,
            absent=lambda asked, within: retriever.absent(asked, within=within),
            searched=retriever.searched,
            refusal=refusal,
        )
        events = answerer.ask(question, history, k=k, within=within)
        self.check_filter(within, collection=name)
        return _noticed(events, notices)

    def search(
        self,
        question: str | Query,
        k: int,
        *,
        collection: str | None = None,
        within: Filter | None = None,
        on_notice: Callable[[str], None] | None = None,
    ) -> list[SearchHit]:
        """The `k` chunks that fit a question best, best first, of the documents `within`. Raises as `ask` does.

        `on_notice` is told, in words for the user, that the reranker failed; without it, that is logged.
        """
        name = self.existing(collection)
        self.check_filter(within, collection=name)
        return self.retriever(name).search(question, k, within=within, on_notice=on_notice)

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

    def generate_questions(
        self,
        n: int,
        *,
        collection: str | None = None,
        seed: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> GeneratedQuestions:
        """At most `n` questions made from a collection's documents; see `app.evaluation.question_generator.generate`.

        Raises:
            SourceError: there is no such collection, or it holds no documents.
        """
        name = self.existing(collection)
        if not self.documents(name):
            raise SourceError(f"The collection {name!r} holds no documents yet. Add some: footnote ingest PATH")
        index, llm = self.index(name), self._llm
        writer = QuestionWriter(llm, self.settings.prompts_dir) if llm else None
        ids = index.docstore.chunk_ids(index.collection.id)
        return generate(ids, index.docstore, n, writer, seed=seed, on_progress=on_progress, cancel=cancel)

    def answerer_name(self) -> str:
        """The language model's name, or "extractive" where answers quote the documents."""
        return self._llm.name if self._llm else "extractive"

    def answerer_problem(self) -> str:
        """What is wrong with the language model's server, as far as can be told at once; "" where nothing is."""
        return self._connection.problem() if self.settings.llm else ""

    def retriever(self, collection: str) -> Retriever:
        """The search over one collection."""
        with self._lock:
            if collection not in self._retrievers:
                self._retrievers[collection] = Retriever(self.index(collection), self.reranker)
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
        if self.reranker:
            self.reranker.check()
        if self._llm and self._entailment:
            self._entailment.load()

    @cached_property
    def reranker(self) -> Reranker | None:
        """What puts candidates in order; None where the settings name nothing."""
        return build_reranker(self.settings)

    @property
    def _llm(self) -> ChatLLM | None:
        with self._lock:
            return self._built_llm

    @cached_property
    def _connection(self) -> Connection:
        return Connection(self.settings)

    @cached_property
    def _refusal(self) -> Refusal:
        return Refusal.load()

    @cached_property
    def _entailment(self) -> EntailmentModel | None:
        return build_entailment(self.settings)

    @cached_property
    def _built_llm(self) -> ChatLLM | None:
        return build_llm(self.settings)  # takes two seconds of imports: not before it is needed


def build_reranker(settings: Settings) -> Reranker | None:
    """The reranker that the settings name; None where they name none. Loads nothing and connects to nothing yet.

    Raises:
        RerankerError: the address or key of its server cannot be one.
    """
    if settings.reranker_url:
        return Reranker(RerankServer(settings), settings.reranker_candidates)
    if settings.reranker:
        judge = CrossEncoderJudge(settings.reranker, settings.embedding_device)
        return Reranker(judge, settings.reranker_candidates)
    return None


def build_entailment(settings: Settings) -> EntailmentModel | None:
    """The model that reads claims against their proof; None where the settings name none. Loads nothing yet."""
    named = settings.entailment_model
    return EntailmentModel(named, settings.embedding_device) if named else None


def _noticed(events: Generator[Event, None, None], notices: Sequence[str]) -> Generator[Event, None, None]:
    """The events, the answer with what was noticed while it was searched for. What stops them is passed on."""
    with closing(events):
        event = next(events)
        while not isinstance(event, Answer):
            try:
                yield event
            except Cancelled as stopped:
                event = events.throw(stopped)
            else:
                event = next(events)
        yield replace(event, notice=" ".join(part for part in (*notices, event.notice) if part))


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
