"""The data of the read path: passages, citations, sentences, answers and the events that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from ingest.filters import Filter
from ingest.models import Query, SearchHit
from ingest.urls import is_url, source_in_words

if TYPE_CHECKING:
    from ingest.embedding import TokenVectors

# Characters of a header that leave the embedder room for the rows below it: half of its 256 tokens.
MOST_HEADER = 500
Verdict = Literal["supported", "partly", "unsupported", "not checked", "no claim"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A numbered section of a document that an answer may cite: `text == document text[start:end]`.

    `n` is its number in the prompt and in [n] markers, from 1. `document` is the source as ingested; `also_in` lists
    other sources with the same text. `place` is the label of its page ("slide 4"). `score` is comparable only within
    one question. If the text starts inside a table, `header` is the table's header row, which lies before `start`; if
    it starts with or inside a table, `caption` is the text just before that table. `periods` are those on which the
    document reports, in order ("2023-Q3"). `context` is embedded before the text of a chunk. `tokens`
    are the vectors of its tokens, if they are known.
    """

    n: int
    document: str
    version_id: str
    title: str
    page: int | None
    heading: tuple[str, ...]
    start: int
    end: int
    text: str
    score: float
    also_in: tuple[str, ...] = ()
    place: str = ""
    header: str = ""
    caption: str = ""
    periods: tuple[str, ...] = ()
    context: str = ""
    tokens: TokenVectors | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The document's title, or its file name in words if it has no title."""
        return self.title or source_in_words(self.document)

    @property
    def above(self) -> str:
        """The context of the passage: title, headings, page or sheet, file and folder."""
        folder = "" if is_url(self.document) else source_in_words(str(PurePath(self.document).parent))
        return " ".join(filter(None, (self.title, *self.heading, self.place, source_in_words(self.document), folder)))

    @property
    def embedded_header(self) -> str:
        """The header of its table as it is embedded with its text; "" if it is too long for that."""
        return self.header if len(self.header) <= MOST_HEADER else ""

    def cite(self, n: int, start: int = 0, end: int | None = None) -> Citation:
        """Returns footnote `n` for `text[start:end]`."""
        end = len(self.text) if end is None else end
        return Citation(
            n=n,
            document=self.document,
            version_id=self.version_id,
            title=self.title,
            page=self.page,
            heading=self.heading,
            start=self.start + start,
            end=self.start + end,
            quote=self.text[start:end],
            place=self.place,
        )


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Passages for an answer, best first, with lines for the user about the search.

    `found` are the best of the chunks that were found; the passages are these with their surroundings. `meant` are the
    sources of the documents that the question means by names or periods; empty if it means none in particular.
    """

    passages: tuple[Passage, ...]
    notices: tuple[str, ...] = ()
    found: tuple[Passage, ...] = ()
    meant: frozenset[str] = frozenset()

    @property
    def narrow(self) -> tuple[Passage, ...]:
        """The chunks that were found, or the passages if they are not known."""
        return self.found or self.passages


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The chunks that a search found, best first, with lines for the user about the search."""

    hits: list[SearchHit]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """One footnote: the words a marker [n] refers to (`quote`, at [start, end) of the document's text).

    `place` is the label of the page: "page 3", "slide 4", "sheet Q3"; "" for documents without pages.
    """

    n: int
    document: str
    version_id: str
    title: str
    page: int | None
    heading: tuple[str, ...]
    start: int
    end: int
    quote: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of footnote `n` that support or contradict a sentence, at [start, end) of the document's text."""

    n: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A citation's quote with the text around it in its document."""

    before: str
    quote: str
    after: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer, without its markers.

    `citations` are numbers of `Answer.citations`. `supported` is None if the sentence makes no claim (a greeting,
    'I could not find …') or has no verdict yet (the last one of an incomplete answer). `reason` says in a few words
    why a sentence is not supported or has no verdict. `partly`: some of it is supported. `unchecked`: its figures,
    dates and names are right, but its words could not be checked; `supported` is then None. `quotes` are the words
    that support it, best first; for a contradicted sentence, the words that contradict it. `start`/`end` locate it in
    `Answer.text`, markers included. `spans` locate the words in `Answer.text` that answer the question.
    """

    text: str
    citations: tuple[int, ...]
    supported: bool | None
    start: int
    end: int
    reason: str = ""
    partly: bool = False
    quotes: tuple[Quote, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    unchecked: bool = False

    @property
    def verdict(self) -> Verdict:
        """The verdict in a word or two."""
        if self.supported is None:
            return "not checked" if self.unchecked else "no claim"
        return "supported" if self.supported else "partly" if self.partly else "unsupported"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written by the language model for an answer, as reported by its server.

    `cost` is in US dollars at the prices set at the time; None if the settings name no prices.
    """

    input_tokens: int
    output_tokens: int
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The finished answer. `text` is Markdown with [n] markers, each naming one of `citations`.

    `refused`: the documents do not answer the question; `nearest` then holds the closest passages.
    `answerer`: "extractive", or the model ("openai:gpt-5-mini"). `incomplete`: the stream was cut off or stopped.
    `timings` are seconds by step. `notice` is a line for the user (why an answer fell back, what was cut).
    `confidence`, 0 to 1, is how likely the passages answer the question; None if not judged.
    `usage` is None if no model was called or its server did not report it. `prompt` is the short SHA-256 of the
    prompts/answer.md sent to the model; "" if none was sent. `within` selects the documents searched; empty: all.
    """

    question: str
    searched: str
    text: str
    refused: bool
    answerer: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    nearest: tuple[Citation, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
    incomplete: bool = False
    notice: str = ""
    confidence: float | None = None
    usage: Usage | None = None
    prompt: str = ""
    within: Filter = field(default_factory=Filter)

    @property
    def asked_model(self) -> bool:
        """True if a language model was called, to answer or to reword the question."""
        return bool(self.prompt) or self.usage is not None


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages sent to a language model, and the passages they contain.

    `template` is the short SHA-256 of the prompts/*.md file it was built from.
    """

    system: str
    user: str
    passages: tuple[Passage, ...] = ()
    template: str = ""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Event: the search is done; holds the passages, and the query with the conversation's context.

    `notices` are lines for the user about the search, such as a reranker that failed.
    """

    query: Query
    passages: tuple[Passage, ...]
    notices: tuple[str, ...] = ()

    @property
    def searched(self) -> str:
        """The question as searched, reworded to be understood without the conversation."""
        return self.query.alone


@dataclass(frozen=True, slots=True)
class Token:
    """Event: the next part of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Event: no text at the moment, and why. Repeated at intervals, so that the wait can be shown and stopped.

    `seconds` until the next attempt; None while the model is working and the time is unknown.
    """

    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Retracted:
    """Event: all text so far was the model's reasoning; the answer begins after this."""


Event = Retrieved | Waiting | Token | Retracted | Answer
