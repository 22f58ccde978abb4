"""Finds the passages that answer a question: hybrid search, fusion, reranking and follow-up questions."""

from app.retrieval.follow_up import in_context, rewritten
from app.retrieval.rerank_server import RerankServer
from app.retrieval.reranking import CrossEncoderJudge, Reranker
from app.retrieval.retriever import (
    MOST_CHARACTERS,
    MOST_PASSAGES,
    Absent,
    Retriever,
    check_k,
    check_question,
)

__all__ = [
    "MOST_CHARACTERS",
    "MOST_PASSAGES",
    "Absent",
    "CrossEncoderJudge",
    "RerankServer",
    "Reranker",
    "Retriever",
    "check_k",
    "check_question",
    "in_context",
    "rewritten",
]
