"""The whole application as one object: documents, answers and conversations of one data folder."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

from app.answering import MARGIN, AnswerService, Lazy, surroundings
from app.conversations import Conversations
from app.llm import ChatLLM
from app.models import Citation, Surroundings
from ingest.errors import SourceError
from ingest.library import Library
from ingest.settings import Settings

if TYPE_CHECKING:  # imported late, as no question needs it
    from app.evaluation import GeneratedQuestions

P = ParamSpec("P")
R = TypeVar("R")


def _of_library(method: Callable[Concatenate[Library, P], R]) -> Callable[Concatenate[Footnote, P], R]:
    """Exposes a method of the library, or of its substitute, under its own name."""

    @functools.wraps(method)
    def offered(self: Footnote, /, *args: P.args, **kwargs: P.kwargs) -> R:
        own: Callable[P, R] = getattr(self.library, method.__name__)
        return own(*args, **kwargs)

    return offered


def _of_answers(method: Callable[Concatenate[AnswerService, P], R]) -> Callable[Concatenate[Footnote, P], R]:
    """Exposes a method of the answering service, or of its substitute, under its own name."""

    @functools.wraps(method)
    def offered(self: Footnote, /, *args: P.args, **kwargs: P.kwargs) -> R:
        own: Callable[P, R] = getattr(self.answers, method.__name__)
        return own(*args, **kwargs)

    return offered


class Footnote:
    """Answers questions from the documents of one data folder. Thread-safe; created by `app.bootstrap.open_footnote`.

    Args:
        library: the collections and their documents.
        answers: answers questions and searches.
        conversations: the stored conversations, which call `answers`.
        llm: the language model; returns None if the settings name none.
    """

    def __init__(
        self,
        library: Library,
        answers: AnswerService,
        conversations: Conversations,
        *,
        llm: Lazy[ChatLLM | None],
    ) -> None:
        self.library = library
        self.answers = answers
        self.conversations = conversations
        self._llm = llm

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the conversations and the library; see `Library.close`."""
        self.conversations.close()
        self.library.close()

    @property
    def settings(self) -> Settings:
        """The data folder and the models in use."""
        return self.library.settings

    index = _of_library(Library.index)
    existing = _of_library(Library.existing)
    ingest = _of_library(Library.ingest)
    save_upload = _of_library(Library.save_upload)
    remove = _of_library(Library.remove)
    tag = _of_library(Library.tag)
    check_filter = _of_library(Library.check_filter)
    choices = _of_library(Library.choices)
    model_note = _of_library(Library.model_note)
    is_removed = _of_library(Library.is_removed)
    collections = _of_library(Library.collections)
    status = _of_library(Library.status)
    counts = _of_library(Library.counts)
    count_chunks = _of_library(Library.count_chunks)
    documents = _of_library(Library.documents)
    report = _of_library(Library.report)
    bytes_on_disk = _of_library(Library.bytes_on_disk)

    ask = _of_answers(AnswerService.ask)
    search = _of_answers(AnswerService.search)
    retrieve = _of_answers(AnswerService.retrieve)
    retriever = _of_answers(AnswerService.retriever)
    reranker = _of_answers(AnswerService.reranker)
    answerer_name = _of_answers(AnswerService.answerer_name)
    answerer_problem = _of_answers(AnswerService.answerer_problem)
    is_ready = _of_answers(AnswerService.is_ready)
    warm = _of_answers(AnswerService.warm)

    def surroundings(self, citation: Citation, margin: int = MARGIN) -> Surroundings | None:
        """Returns a citation's quote with up to `margin` characters of its page on either side.

        Returns:
            None if the document has changed.
        """
        return surroundings(self.library.docstore, citation, margin)

    def generate_questions(
        self,
        n: int,
        *,
        collection: str | None = None,
        seed: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> GeneratedQuestions:
        """Generates at most `n` questions from a collection's documents; see `app.evaluation.generate`.

        Raises:
            SourceError: the collection does not exist or has no documents.
        """
        from app.evaluation import QuestionWriter, generate  # noqa: PLC0415 - see above

        name = self.existing(collection)
        if not self.documents(name):
            raise SourceError(f"The collection {name!r} holds no documents yet. Add some: footnote ingest PATH")
        index, llm = self.index(name), self._llm()
        writer = QuestionWriter(llm, self.settings.prompts_dir) if llm else None
        ids = index.docstore.chunk_ids(index.collection.id)
        return generate(ids, index.docstore, n, writer, seed=seed, on_progress=on_progress, cancel=cancel)
