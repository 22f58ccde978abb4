"""Validates the fields and types of archived conversations, the JSON that `app.conversations.store` reads."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ingest.filters import Filter
from ingest.text import storable_values

# Offsets, numbers and token counts within the range of every store.
Whole = Annotated[int, Field(ge=0, le=2**53)]


class _Stored(BaseModel):
    """A dataclass of `app.models` as JSON: strict types, required fields present, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class StoredFilter(_Stored):
    sources: list[str] = []
    types: list[str] = []
    since: str | None = None
    until: str | None = None
    tags: list[str] = []
    periods: list[str] = []


class StoredUsage(_Stored):
    input_tokens: Whole
    output_tokens: Whole
    cost: float | None = None


class StoredQuote(_Stored):
    n: Whole
    start: Whole
    end: Whole
    text: str


class StoredSentence(_Stored):
    text: str
    citations: list[Whole]
    supported: bool | None
    start: Whole
    end: Whole
    reason: str = ""
    partly: bool = False
    quotes: list[StoredQuote] = []
    spans: list[Annotated[list[Whole], Field(min_length=2, max_length=2)]] = []
    unchecked: bool = False


class StoredCitation(_Stored):
    n: Whole
    document: str
    version_id: str
    title: str
    page: Whole | None
    heading: list[str]
    start: Whole
    end: Whole
    quote: str
    place: str = ""


class StoredAnswer(_Stored):
    question: str
    searched: str
    text: str
    refused: bool
    answerer: str
    sentences: list[StoredSentence]
    citations: list[StoredCitation]
    nearest: list[StoredCitation]
    timings: dict[str, float] = {}
    incomplete: bool = False
    notice: str = ""
    confidence: float | None = None
    usage: StoredUsage | None = None
    prompt: str = ""
    within: StoredFilter = StoredFilter()


EARLIER = TypeAdapter(list[StoredUsage | None])


def check_answer(found: Any) -> None:
    """Raises ValueError or QuestionError if JSON is not an answer that `app.conversations.store` can read."""
    # Answers of earlier versions may contain unstorable characters; `app.conversations.store` replaces them too.
    fields = storable_values(found)
    StoredAnswer.model_validate(fields)
    check_filter(fields.get("within", {}))


def check_filter(found: Any) -> None:
    """Raises ValueError or QuestionError if JSON is not a filter that `app.conversations.store` can read."""
    StoredFilter.model_validate(found)
    Filter.from_json(found)


def check_earlier(found: Any) -> None:
    """Raises ValueError if JSON is not a list of usages that `app.conversations.store` can read."""
    EARLIER.validate_python(found)
