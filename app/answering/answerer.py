"""Turns a question into the events of its answer; the chat, the command line and the evaluation all use it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Protocol

from app.answering.computation import Calculator
from app.answering.course import Course
from app.answering.document_list import listed, topic_of
from app.answering.evidence import nowhere
from app.answering.extractive import ExtractiveAnswerer
from app.answering.generative import Writer, Written
from app.answering.quotes import Quotes
from app.answering.refusal import Judgement, Refusal
from app.answering.tables import ReadsText
from app.cancellation import CancelToken
from app.grounding import REFUSAL, Verified, Verifier, is_refusal
from app.llm import ChatLLM
from app.models import Answer, Citation, Event, Passage, Retrieval, Retrieved, Sentence, Token, Turn
from app.protocols import Embeds, Entails
from app.retrieval import MOST_PASSAGES, Absent, check_k, check_question, in_context
from ingest.filters import Filter
from ingest.models import Query
from ingest.settings import Settings
from ingest.text import storable

NOTHING_INDEXED = "The collection has no documents yet. Add some first."
QUOTED = "Quoted from your documents; no language model is in use."
COMPUTED = "Computed from tables of your documents; no language model is in use."
NOT_ASKED = "Computed from tables of your documents; the language model was not asked."
# Tokens of passages: the least and most that are half of a model's context. Without a model, tables are read from the
# most: with half of it, the quoted answers of bench/answers/filings.py had 72 figures instead of 75.
LEAST_CONTEXT, MOST_CONTEXT = 3_000, 8_000
NEAREST = 3
# Most words of the question that a refusal lists as missing from the passages.
MOST_MISSING = 6
INSTEAD = "The answer below is quoted from your documents instead."


class Retrieves(Protocol):
    """A search whose passages answers are based on."""

    def __call__(self, question: Query, k: int | None, *, within: Filter | None = None, tokens: int = 0) -> Retrieval:
        """Finds the `k` best passages in the documents selected by `within`; without `k`, those that fit `tokens`."""
        ...


class Answerer:
    """Answers questions from one collection.

    Args:
        retrieve: question, k, `within` (the documents to search) -> numbered passages, best first.
        embedder: the collection's embedder, for choosing quotes and verifying answers.
        llm: the language model; None: answers are quotes.
        settings: the number of passages, the prompts' folder, the model's context.
        entailment: the model that compares claims with their sources; None: only words and embeddings are compared.
        absent: question, `within` -> the identifiers in the question that no document contains.
        searched: `within` -> the number of chunks searched; None if unknown.
        mentioning: topic, `within` -> a passage of each document that mentions it.
        refusal: decides whether passages answer a question; None if it is not calibrated for the embedder.
        read: reads the text of documents, to compute over whole tables; None: only over what was found.
    """

    def __init__(
        self,
        retrieve: Retrieves,
        embedder: Embeds,
        llm: ChatLLM | None,
        settings: Settings,
        *,
        entailment: Entails | None = None,
        absent: Callable[[str, Filter | None], Sequence[Absent]] = lambda _question, _within: (),
        searched: Callable[[Filter | None], int | None] = lambda _within: None,
        mentioning: Callable[[str, Filter | None], Retrieval] = lambda _topic, _within: Retrieval(()),
        refusal: Refusal | None = None,
        read: ReadsText | None = None,
    ) -> None:
        self._retrieve = retrieve
        self._absent = absent
        self._searched = searched
        self._mentioning = mentioning
        self._embedder = embedder
        self._refusal = refusal
        self._verifier = Verifier(embedder, entailment)
        self._extractive = ExtractiveAnswerer(embedder, read)
        self._calculator = Calculator(read)
        self._llm = llm
        self._settings = settings

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        k: int | None = None,
        within: Filter | None = None,
        cancel: CancelToken | None = None,
    ) -> Generator[Event, None, None]:
        """Answers a question: yields `Retrieved`, any number of `Token`, then one `Answer`; `Waiting` in between.

        The joined tokens, without those before a `Retracted`, are the answer as first written. `Answer.text` differs
        from it only in markers that verification corrected. If the model fails before its first word, the answer is
        quoted instead; if it fails later or is cancelled, the answer is marked incomplete. If cancelled before the
        first word, there is no `Answer`. Closing the generator ends the request to the model and discards the answer.

        Args:
            question: as the user wrote it.
            history: the earlier turns, oldest first.
            k: how many passages to base the answer on; if not given, FOOTNOTE_PASSAGES or as many as fit the budget.
            within: the documents to search; None for all.
            cancel: checked between events.

        Raises:
            QuestionError: immediately, if the question is blank or too long, or `k` is not from 1 to 50.
        """
        check_question(question)
        k = self._settings.passages if k is None else k
        if k is not None:
            check_k(k, MOST_PASSAGES)
        turns = [Turn(storable(one.question), storable(one.answer)) for one in history]
        return self._events(storable(question).strip(), turns, k, within, cancel or CancelToken())

    def _events(
        self, question: str, history: Sequence[Turn], k: int | None, within: Filter | None, cancel: CancelToken
    ) -> Generator[Event, None, None]:
        course = Course(question, self._settings, within or Filter())
        writer = Writer(self._llm, self._settings, cancel) if self._llm is not None else None
        if writer is not None:
            self._verifier.load()  # fails before a paid request if answers cannot be verified
        if writer is not None and history:
            reworded = yield from writer.standalone(question, history, course.spending)
            course.note(reworded.notice)
            course.query = reworded.query or in_context(question, history, self._similarity)
        else:
            course.query = in_context(question, history, self._similarity)
        course.done("condense")
        if cancel.cancelled:
            return
        topic = topic_of(course.searched)
        listing = self._mentioning(topic, within) if topic else Retrieval(())
        found = listing if listing.passages else self._retrieve(course.query, k, within=within, tokens=self._budget())
        course.search_notices = found.notices
        course.done("search")
        yield Retrieved(course.query, found.passages, found.notices)
        if cancel.cancelled:
            return
        if listing.passages:
            yield from self._list(course, topic, listing.passages)
        elif not found.passages:
            yield from self._refuse(course, (), NOTHING_INDEXED)
        elif missing := self._absent(question, within):
            yield from self._refuse(course, found.passages, REFUSAL, _are_absent(missing))
        elif writer is not None and self._llm is not None:
            # Exact and proven by its footnotes, which a model's arithmetic is not.
            if (computed := self._computed(course, found)).sentences:
                yield from _shown(course, computed, NOT_ASKED)
                return
            yield from self._write(writer, self._llm.name, course, found, cancel)
        else:
            yield from self._quote(course, found)

    def _list(self, course: Course, topic: str, passages: Sequence[Passage]) -> Iterator[Event]:
        quotes = listed(topic, passages)
        course.done("answer")
        yield Token(quotes.text)
        said = f"{len(passages)} {'document mentions' if len(passages) == 1 else 'documents mention'} {topic}."
        yield course.answer(quotes.text, quotes.sentences, quotes.citations, notice=said)

    def _budget(self) -> int:
        """Returns the tokens of passages that an answer may be based on."""
        if self._settings.context_tokens:
            return self._settings.context_tokens
        if self._llm is None:
            return MOST_CONTEXT
        return min(MOST_CONTEXT, max(LEAST_CONTEXT, self._llm.context_tokens // 2))

    def _similarity(self, one: str, other: str) -> float:
        return float(self._embedder.encode_query(one) @ self._embedder.encode_query(other))

    def _quote(self, course: Course, found: Retrieval) -> Iterator[Event]:
        passages = found.narrow
        judged = self._judged(course, passages)
        course.confidence = round(judged.confidence, 4) if judged else None
        answers = judged is None or judged.answers
        quotes = computed = self._computed(course, found)
        if answers and not computed.sentences:
            quotes = self._extractive.answer(
                course.query, passages, wide=found.passages, meant=found.meant, relevant=judged is not None
            )
        if not quotes.sentences:
            yield from self._refuse(course, passages, REFUSAL, judged.reason if judged else "")
            return
        yield from _shown(course, quotes, "" if course.notices else COMPUTED if computed.sentences else QUOTED)

    def _computed(self, course: Course, found: Retrieval) -> Quotes:
        return self._calculator.answer(course.query, (*found.passages, *found.narrow))

    def _judged(self, course: Course, passages: Sequence[Passage]) -> Judgement | None:
        if self._refusal is None:
            return None
        query, searched = course.query, self._searched(course.within)
        last = query.text if query.alone != query.text else None
        return self._refusal.judge(query.alone, passages, self._embedder, searched=searched, last=last)

    def _write(
        self, writer: Writer, name: str, course: Course, found: Retrieval, cancel: CancelToken
    ) -> Iterator[Event]:
        written = yield from writer.write(course.searched, found.passages, course.spending)
        course.note(*written.notices)
        if not written.text and cancel.cancelled:
            return
        if not written.text:
            course.note(INSTEAD)
            yield from self._quote(course, found)
            return
        course.done("answer")
        yield self._verified(course, name, written, found.passages)

    def _verified(self, course: Course, name: str, written: Written, passages: Sequence[Passage]) -> Answer:
        text, numbers = written.text, written.numbers
        refused = not numbers and is_refusal(text)
        cited = {n: passages[passage - 1] for passage, n in numbers.items()}
        verified = (
            Verified(text, (_no_claim(text),), ())
            if refused
            else self._verifier.verify(text, cited, passages, incomplete=written.incomplete)
        )
        course.done("verify")
        return course.answer(
            verified.text,
            verified.sentences,
            verified.citations,
            answerer=name,
            prompt=written.prompt,
            incomplete=written.incomplete,
            refused=refused,
            nearest=_nearest(passages) if refused else (),
            notice=_needed(course.searched, passages) if refused else "",
        )

    def _refuse(self, course: Course, passages: Sequence[Passage], text: str, why: str = "") -> Iterator[Event]:
        course.done("answer")
        yield Token(text)
        notice = why or _needed(course.searched, passages)
        yield course.answer(text, (_no_claim(text),), refused=True, nearest=_nearest(passages), notice=notice)


def _shown(course: Course, quotes: Quotes, notice: str) -> Iterator[Event]:
    course.done("answer")
    at = 0
    for sentence in quotes.sentences:
        yield Token(quotes.text[at : sentence.end])
        at = sentence.end
    yield course.answer(quotes.text, quotes.sentences, quotes.citations, notice=notice)


def _no_claim(text: str) -> Sentence:
    return Sentence(text, (), None, 0, len(text))


def _needed(searched: str, passages: Sequence[Passage]) -> str:
    """Names the question's words that are missing from the passages; "" if none are."""
    missing = nowhere(searched, passages) if passages else []
    listed = ", ".join(f"\u201c{word}\u201d" for word in missing[:MOST_MISSING])
    return f"An answer would need documents about {listed}: the nearest passages do not mention it." if listed else ""


def _are_absent(missing: Sequence[Absent]) -> str:
    """Names the identifiers that no document contains, and the most similar ones that exist."""

    def listed(names: Iterable[str]) -> str:
        return ", ".join(f"\u201c{name}\u201d" for name in names)

    nearest = list(dict.fromkeys(name for one in missing for name in one.nearest))
    verb = "is" if len(missing) == 1 else "are"
    said = f"{listed(one.text for one in missing)} {verb} in none of the searched documents."
    return f"{said} The most similar that are: {listed(nearest)}." if nearest else said


def _nearest(passages: Sequence[Passage]) -> tuple[Citation, ...]:
    return tuple(passage.cite(n) for n, passage in enumerate(passages[:NEAREST], start=1))
