"""Passages -> what a language model writes of them: as it comes, without what names no passage, and stoppable."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from app.answering.prompts import answer_prompt, condense_prompt
from app.llm import ChatLLM, Spending
from app.models import Event, Passage, Prompt, Retracted, Token, Turn, Waiting
from app.retrieval import rewritten
from app.text import MarkerFilter
from ingest.errors import Cancelled, LLMContextTooLong, LLMError, QuestionError
from ingest.filters import Filter
from ingest.models import Query
from ingest.settings import Settings

# How the notice begins that not all passages were used; each further attempt takes the place of the one before.
TOO_MANY = "Not all passages fit into the context of"


@dataclass(slots=True)
class Course:
    """What is known of an answer while it is made.

    `within` are the documents that are asked; `notices` are lines for the user; `prompt` is `Prompt.template`.
    """

    question: str
    within: Filter = field(default_factory=Filter)
    query: Query = field(default_factory=lambda: Query(""))
    notices: list[str] = field(default_factory=list)
    confidence: float | None = None
    prompt: str = ""
    spending: Spending = field(default_factory=Spending)
    timings: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)
    at: float = field(default_factory=time.perf_counter)

    @property
    def searched(self) -> str:
        """The question that is searched, in words that are understood alone."""
        return self.query.alone

    def done(self, step: str) -> None:
        """Books the time since the last step's end, in seconds."""
        now = time.perf_counter()
        self.timings[step] = round(self.timings.get(step, 0.0) + now - self.at, 4)
        self.timings["total"] = round(now - self.began, 4)
        self.at = now


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote; "" where it failed before its first word. `numbers` are passage -> footnote."""

    text: str
    numbers: dict[int, int]
    incomplete: bool


class Writer:
    """Has a language model rewrite questions and answer them.

    Args:
        llm: the model.
        settings: the prompts' folder.
    """

    def __init__(self, llm: ChatLLM, settings: Settings) -> None:
        self._llm = llm
        self._prompts = settings.prompts_dir

    def standalone(self, course: Course, history: Sequence[Turn]) -> Generator[Event, None, Query | None]:
        """The question with what it leaves unsaid; None where the model fails, which becomes a notice."""
        reply = ""
        try:
            with closing(
                self._llm.stream(condense_prompt(self._prompts, course.question, history), course.spending)
            ) as pieces:
                for piece in pieces:
                    if isinstance(piece, Waiting):
                        yield piece
                    else:
                        reply = "" if isinstance(piece, Retracted) else reply + piece
        except LLMError as error:
            course.notices.append(f"{error} The question was searched without the model's help.")
            return None
        return rewritten(course.question, reply)

    def write(self, course: Course, passages: Sequence[Passage]) -> Generator[Event, None, Written]:
        """Streams an answer from passages, with fewer of them where the model says that all are too many.

        What goes wrong becomes a notice; so does a `Cancelled` that is thrown into the generator, once something came.

        Raises:
            QuestionError: the model's context has no room for the question and one passage.
            Cancelled: it was thrown in before the first word.
        """
        prompt = answer_prompt(self._prompts, course.searched, passages, self._llm.context_tokens)
        while True:
            course.prompt = prompt.template
            try:
                return (yield from self._stream(course, prompt))
            except LLMContextTooLong as error:
                fewer = self._with_fewer(course, prompt, error)
                if fewer is None:
                    course.notices.append(str(error))
                    return Written("", {}, incomplete=False)
                prompt = fewer

    def _with_fewer(self, course: Course, prompt: Prompt, error: LLMContextTooLong) -> Prompt | None:
        """The prompt with the better half of its passages; None where there is only one, or no room for it."""
        kept = prompt.passages[: len(prompt.passages) // 2]
        if not kept:
            return None
        if error.context_tokens:
            self._llm.learn_context(error.context_tokens)
        try:
            fewer = answer_prompt(self._prompts, course.searched, kept, self._llm.context_tokens)
        except QuestionError:
            return None
        n = len(fewer.passages)
        said = "the best passage alone was" if n == 1 else f"the best {n} passages were"
        course.notices[:] = [one for one in course.notices if not one.startswith(TOO_MANY)]
        course.notices.append(
            f"{TOO_MANY} {self._llm.name}: {said} used. Set FOOTNOTE_LLM_CONTEXT_TOKENS to the model's context."
        )
        return fewer

    def _stream(self, course: Course, prompt: Prompt) -> Generator[Event, None, Written]:
        markers = MarkerFilter(len(prompt.passages))
        text, incomplete = "", False
        try:
            with closing(self._llm.stream(prompt, course.spending)) as pieces:
                for piece in pieces:
                    if isinstance(piece, Waiting | Retracted):
                        if isinstance(piece, Retracted):
                            text, markers = "", MarkerFilter(len(prompt.passages))
                        yield piece
                        continue
                    out = markers.feed(piece)
                    out = out if text else out.lstrip()
                    if out:
                        text += out
                        yield Token(out)
        except (LLMError, Cancelled) as error:
            if not text and isinstance(error, LLMContextTooLong | Cancelled):
                raise
            course.notices.append(str(error))
            incomplete = True
        rest = markers.end() if text else markers.end().lstrip()
        if rest:
            yield Token(rest)
        return Written(text + rest, markers.numbers, incomplete)
