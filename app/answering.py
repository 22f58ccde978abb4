"""The one path from a question to the events of its answer; the chat, the command line and all else call it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from app import citations
from app.conversation import standalone_question
from app.extractive import Embeds, ExtractiveAnswerer
from app.llm import ChatLLM
from app.markers import MarkerFilter
from app.models import Answer, Citation, Event, Passage, Retrieved, Sentence, Token, Turn
from app.prompting import REFUSAL, answer_prompt, condense_prompt, is_refusal
from app.retrieval import check_k, check_question
from ingest.errors import LLMError
from ingest.settings import Settings

EXTRACTIVE = "extractive"
NOTHING_INDEXED = "There is nothing to answer from yet: the collection holds no documents. Add some first."
QUOTED = "Quoted word for word from your documents; no language model is in use."
MOST_PASSAGES = 50
NEAREST = 3


@dataclass(slots=True)
class _Course:
    """What is known of an answer while it is made."""

    question: str
    searched: str = ""
    notice: str = ""
    timings: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)
    at: float = field(default_factory=time.perf_counter)

    def done(self, step: str) -> None:
        """Books the time since the last step's end, in seconds."""
        now = time.perf_counter()
        self.timings[step] = round(self.timings.get(step, 0.0) + now - self.at, 4)
        self.timings["total"] = round(now - self.began, 4)
        self.at = now


class Answerer:
    """Answers questions from one collection.

    Args:
        retrieve: question, k -> numbered passages, best first.
        embedder: the collection's embedder, for choosing quotes.
        llm: the language model; None: answers quote.
        settings: how many passages, the prompts' folder, the model's context.
    """

    def __init__(
        self,
        retrieve: Callable[[str, int], Sequence[Passage]],
        embedder: Embeds,
        llm: ChatLLM | None,
        settings: Settings,
    ) -> None:
        self._retrieve = retrieve
        self._extractive = ExtractiveAnswerer(embedder)
        self._llm = llm
        self._settings = settings

    def ask(self, question: str, history: Sequence[Turn] = (), *, k: int | None = None) -> Iterator[Event]:
        """Answers a question: first `Retrieved`, then any number of `Token`, last one `Answer`.

        The tokens' texts joined are the answer's text. A model that fails before its first word is stood in for by
        quotes; one that fails later leaves an answer marked incomplete.

        Args:
            question: as the user wrote it.
            history: the turns before it, oldest first.
            k: how many passages to ground the answer in; FOOTNOTE_PASSAGES if not given.

        Raises:
            QuestionError: at once, when the question is blank or too long, or `k` is not from 1 to 50.
        """
        check_question(question)
        k = self._settings.passages if k is None else k
        check_k(k, MOST_PASSAGES)
        return self._events(question.strip(), history, k)

    def _events(self, question: str, history: Sequence[Turn], k: int) -> Iterator[Event]:
        course = _Course(question)
        course.searched = self._standalone(question, history, course)
        course.done("condense")
        passages = tuple(self._retrieve(course.searched, k))
        course.done("search")
        yield Retrieved(course.searched, passages)
        if not passages:
            yield from self._refuse(course, passages, NOTHING_INDEXED)
        elif self._llm is not None:
            yield from self._write(self._llm, course, passages)
        else:
            yield from self._quote(course, passages)

    def _standalone(self, question: str, history: Sequence[Turn], course: _Course) -> str:
        llm = self._llm
        if llm is None or not history:
            return standalone_question(question, history)
        try:
            folder = self._settings.prompts_dir
            return standalone_question(question, history, lambda h, q: llm.complete(condense_prompt(folder, q, h)))
        except LLMError as error:
            course.notice = f"{error} The question was searched without the model's help."
            return standalone_question(question, history)

    def _quote(self, course: _Course, passages: Sequence[Passage]) -> Iterator[Event]:
        quotes = self._extractive.answer(course.searched, passages)
        course.done("answer")
        if not quotes.sentences:
            yield from self._refuse(course, passages, REFUSAL)
            return
        at = 0
        for sentence in quotes.sentences:
            yield Token(quotes.text[at : sentence.end])
            at = sentence.end
        yield Answer(
            question=course.question,
            searched=course.searched,
            text=quotes.text,
            refused=False,
            answerer=EXTRACTIVE,
            sentences=quotes.sentences,
            citations=quotes.citations,
            timings=course.timings,
            notice=course.notice or QUOTED,
        )

    def _write(self, llm: ChatLLM, course: _Course, passages: Sequence[Passage]) -> Iterator[Event]:
        settings = self._settings
        prompt = answer_prompt(settings.prompts_dir, course.searched, passages, settings.llm_context_tokens)
        markers = MarkerFilter(len(prompt.passages))
        text, incomplete = "", False
        try:
            for piece in llm.stream(prompt):
                out = markers.feed(piece)
                out = out if text else out.lstrip()
                if out:
                    text += out
                    yield Token(out)
        except LLMError as error:
            course.notice = str(error)
            incomplete = True
        rest = markers.end() if text else markers.end().lstrip()
        if not text and not rest:
            course.notice += " The answer below is quoted from your documents instead."
            yield from self._quote(course, passages)
            return
        if rest:
            yield Token(rest)
        course.done("answer")
        yield self._verified(course, llm.name, text + rest, markers.numbers, passages, incomplete=incomplete)

    def _verified(
        self,
        course: _Course,
        name: str,
        text: str,
        numbers: dict[int, int],
        passages: Sequence[Passage],
        *,
        incomplete: bool,
    ) -> Answer:
        refused = not numbers and is_refusal(text)
        cited = {n: passages[passage - 1] for passage, n in numbers.items()}
        found = (_no_claim(text),) if refused else citations.verify(text, cited)
        footnotes = citations.cite(found, cited)
        course.done("verify")
        return Answer(
            question=course.question,
            searched=course.searched,
            text=text,
            refused=refused,
            answerer=name,
            sentences=found,
            citations=footnotes,
            nearest=_nearest(passages) if refused else (),
            timings=course.timings,
            incomplete=incomplete,
            notice=course.notice,
        )

    def _refuse(self, course: _Course, passages: Sequence[Passage], text: str) -> Iterator[Event]:
        course.done("answer")
        yield Token(text)
        yield Answer(
            question=course.question,
            searched=course.searched,
            text=text,
            refused=True,
            answerer=EXTRACTIVE,
            sentences=(_no_claim(text),),
            citations=(),
            nearest=_nearest(passages),
            timings=course.timings,
            notice=course.notice,
        )


def _no_claim(text: str) -> Sentence:
    return Sentence(text, (), None, 0, len(text))


def _nearest(passages: Sequence[Passage]) -> tuple[Citation, ...]:
    return tuple(passage.cite(n) for n, passage in enumerate(passages[:NEAREST], start=1))
