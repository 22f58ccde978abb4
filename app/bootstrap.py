"""Builds the application from its settings: the only place that chooses concrete classes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from app.answering import AnswerService, Lazy, Models, Refusal
from app.conversations import ChatStore, Conversations
from app.footnote import Footnote
from app.grounding import EntailmentModel
from app.llm import Connection, build_llm
from app.retrieval import CrossEncoderJudge, Reranker, RerankServer
from ingest.library import CONVERSATIONS, Library
from ingest.settings import Settings, load_settings


def open_footnote(
    settings: Settings,
    open_library: Callable[[Settings], Library] = Library,
    open_answers: Callable[[Library, Models], AnswerService] = AnswerService,
) -> Footnote:
    """Opens a data folder as the whole application. Models are built on first use.

    Args:
        settings: the data folder and the models to use.
        open_library: opens the folder's documents.
        open_answers: builds the answering service.

    Raises:
        DocumentStoreError: the data folder cannot be used, or cannot be closed to other users.
    """
    library = open_library(settings)
    models = build_models(settings)
    answers = open_answers(library, models)
    return Footnote(
        library,
        answers,
        Conversations(ChatStore.open(settings.data_dir / CONVERSATIONS), answers),
        llm=models.llm,
    )


def build_models(settings: Settings) -> Models:
    """Builds the lazily loaded models for answering. Loads nothing and opens no connection yet."""
    return Models(
        llm=Lazy(partial(build_llm, settings)),  # two seconds of imports, so only on first use
        reranker=Lazy(partial(build_reranker, settings)),
        entailment=Lazy(partial(build_entailment, settings)),
        refusal=Lazy(Refusal.load),
        connection=Connection(settings),
    )


def build_reranker(settings: Settings) -> Reranker | None:
    """Builds the reranker named in the settings; None if there is none. Loads nothing and opens no connection yet.

    Raises:
        RerankerError: the reranker server's address or key is invalid.
    """
    if settings.reranker_url:
        return Reranker(RerankServer(settings), settings.reranker_candidates)
    if settings.reranker:
        judge = CrossEncoderJudge(settings.reranker, settings.embedding_device)
        return Reranker(judge, settings.reranker_candidates)
    return None


def build_entailment(settings: Settings) -> EntailmentModel | None:
    """Builds the entailment model named in the settings; None if there is none. Loads nothing yet."""
    named = settings.entailment_model
    return EntailmentModel(named, settings.embedding_device) if named else None


_shared_lock = threading.Lock()
_shared: Footnote | None = None


def shared_footnote() -> Footnote:
    """Returns the `Footnote` shared by all chat sessions of this process."""
    global _shared  # noqa: PLW0603 - one per process is the point
    with _shared_lock:
        if _shared is None:
            _shared = open_footnote(load_settings())
        return _shared
