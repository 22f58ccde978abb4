"""The hybrid search as a LangChain retriever. A separate module: LangChain's tracers take a second to import."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from app.retrieval import Retriever
from ingest.filters import Filter
from ingest.models import SearchHit


class FootnoteRetriever(BaseRetriever):
    """The hybrid search as a LangChain retriever, for use in a chain or an agent.

    Args:
        retriever: the collection's retriever.
        k: number of documents per question.
        within: the documents to search; None for all.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: Retriever
    k: int = 8
    within: Filter | None = None

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - LangChain's signature
    ) -> list[Document]:
        return [
            Document(id=hit.chunk.id, page_content=hit.chunk.text, metadata=_metadata(hit))
            for hit in self.retriever.search(query, self.k, within=self.within)
        ]


def _metadata(hit: SearchHit) -> dict[str, Any]:
    chunk = hit.chunk
    return {
        "source": chunk.source,
        "title": chunk.title,
        "page": chunk.page,
        "place": chunk.place,
        "heading": list(chunk.heading),
        "start": chunk.start,
        "end": chunk.end,
        "score": hit.score,
    }
