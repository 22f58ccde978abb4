"""The data of the read path: passages, citations, sentences, answers and the events that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Passage:
    """A numbered piece of a document that an answer may cite: `text == document text[start:end]`.

    `n` is its number in the prompt and in [n] markers, from 1. `document` is the source as ingested; `also_in`
    names other sources with the same words. `place` is what its page is called ("slide 4"). `score` is comparable
    within one question only.
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
class Surroundings:
    """A citation's quote with the text around it in its document."""

    before: str
    quote: str
    after: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer, its markers taken out.

    `citations` are numbers of `Answer.citations`. `supported` is None where the sentence makes no claim
    (a greeting, 'I could not find …'). `reason` says in a few words why a sentence is not supported.
    `start`/`end` are its place in `Answer.text`, markers included.
    """

    text: str
    citations: tuple[int, ...]
    supported: bool | None
    start: int
    end: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The finished answer. `text` is Markdown with [n] markers, each naming one of `citations`.

    `refused`: the documents do not answer the question; `nearest` then holds the closest passages.
    `answerer`: "extractive", or the model ("openai:gpt-5-mini"). `incomplete`: the stream was cut.
    `timings` are seconds by step. `notice` is a line for the user (why an answer fell back, what was cut).
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


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to a language model, and those of the passages that are in it."""

    system: str
    user: str
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Event: the passages were found. `searched` is the standalone question that was searched."""

    searched: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """Event: a piece of the answer's text, as it is written."""

    text: str


Event = Retrieved | Token | Answer
