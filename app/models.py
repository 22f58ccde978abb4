"""The data of the read path: passages, citations, sentences, answers and the events that carry them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal
from urllib.parse import unquote

from ingest.filters import Filter
from ingest.models import Query
from ingest.urls import host_and_path, is_url

NOT_IN_WORDS = re.compile(r"[\W_]+")
SUFFIX = re.compile(r"\.[A-Za-z]\w{0,4}$")
Verdict = Literal["supported", "partly", "unsupported", "not checked", "no claim"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A numbered piece of a document that an answer may cite: `text == document text[start:end]`.

    `n` is its number in the prompt and in [n] markers, from 1. `document` is the source as ingested; `also_in`
    names other sources with the same words. `place` is what its page is called ("slide 4"). `score` is comparable
    within one question only. `header` is the header row of the table whose rows the text begins with, where
    that row lies before `start`.
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

    @property
    def name(self) -> str:
        """What its document is called: its title, or its file's name in words where it has none."""
        return self.title or _in_words(self.document)

    @property
    def above(self) -> str:
        """What is said of the passage outside its text: title, headings, page or sheet, file, folder."""
        folder = "" if is_url(self.document) else _in_words(str(PurePath(self.document).parent))
        return " ".join(filter(None, (self.title, *self.heading, self.place, _in_words(self.document), folder)))

    def cite(self, n: int, start: int = 0, end: int | None = None) -> Citation:
        """Footnote `n` on `text[start:end]`."""
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
    """Passages to ground an answer in, best first, with lines for the user about the search."""

    passages: tuple[Passage, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """One footnote: the words (`quote`, at [start, end) of the document's text) that a marker [n] stands for.

    `place` is what the page is called: "page 3", "slide 4", "sheet Q3"; "" for documents without pages.
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
    """Words of footnote `n` that bear a sentence out, or contradict it: at [start, end) of the document's text."""

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
    """A sentence of an answer, its markers taken out.

    `citations` are numbers of `Answer.citations`. `supported` is None where the sentence makes no claim (a
    greeting, 'I could not find …'), or none yet (the last one of an answer that was cut). `reason` says in a few
    words why a sentence is not supported, or why it has no verdict; `partly`, that some of it is. `unchecked`: its
    figures, dates and names are right, but its words could not be checked; `supported` is None then. `quotes` are the
    words that bear it out, best first; where it is contradicted, those that do. `start`/`end` are its place in
    `Answer.text`, markers included. `spans` are places in `Answer.text` of the words that answer the question.
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
    """What the language model's server says it read and wrote for an answer, in tokens.

    `cost` is in US dollars at the prices of the settings then; None where they name none.
    """

    input_tokens: int
    output_tokens: int
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The finished answer. `text` is Markdown with [n] markers, each naming one of `citations`.

    `refused`: the documents do not answer the question; `nearest` then holds the closest passages.
    `answerer`: "extractive", or the model ("openai:gpt-5-mini"). `incomplete`: the stream was cut, or stopped.
    `timings` are seconds by step. `notice` is a line for the user (why an answer fell back, what was cut).
    `confidence` is how sure it is that the passages answer the question, 0 to 1; None where that was not judged.
    `usage` is None where no model was asked, or its server did not say. `prompt` is the short SHA-256 of the text of
    prompts/answer.md that the model was asked with; "" where none was. `within` are the documents that were asked;
    empty: all.
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
        """Whether a language model was asked, to answer or to reword the question."""
        return bool(self.prompt) or self.usage is not None


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to a language model, and those of the passages that are in it.

    `template` is the short SHA-256 of the text of prompts/*.md that it was made from.
    """

    system: str
    user: str
    passages: tuple[Passage, ...] = ()
    template: str = ""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Event: the passages were found, by a question and what was asked before it.

    `notices` are lines for the user about the search, such as a reranker that failed.
    """

    query: Query
    passages: tuple[Passage, ...]
    notices: tuple[str, ...] = ()

    @property
    def searched(self) -> str:
        """The question that was searched, in words that are understood alone."""
        return self.query.alone


@dataclass(frozen=True, slots=True)
class Token:
    """Event: a piece of the answer's text, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Event: nothing comes just now, and why. It comes again as time goes by, so that it can be shown and stopped.

    `seconds` are left until the next attempt; None while the model is at work and nobody knows how long.
    """

    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Retracted:
    """Event: all text that came until now was the model thinking aloud; its answer begins after it."""


Event = Retrieved | Waiting | Token | Retracted | Answer


def _in_words(document: str) -> str:
    """The last part of a path or web address, without its ending; of an address without a path, its host."""
    host, path = "", document
    if is_url(document):
        host, path = host_and_path(document)
        path = unquote(path)
    last = SUFFIX.sub("", PurePath(path).name)
    return " ".join(NOT_IN_WORDS.split(last or host)).strip()
