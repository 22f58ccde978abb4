"""Generates questions from the user's chunks, with the words that answer them and how each was made."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePath
from typing import Any, Protocol

from app.answering import question_prompt
from app.evaluation.metrics import plain
from app.evaluation.question_templates import Draft, Drafts, Kind, drafts
from app.llm import ChatLLM
from ingest.errors import (
    Cancelled,
    LLMBusy,
    LLMError,
    LLMNoCredit,
    LLMNotConfigured,
    LLMNotFound,
    LLMRefusedKey,
    LLMUnreachable,
)
from ingest.models import IndexedChunk, StoredChunk

# Most chunks read, so that a large collection costs no more than a small one.
MOST_CHUNKS = 4_000
# Chunks a model is asked about per requested question.
TRIES = 3
# Shorter chunks, in characters, hold too little to ask a model about.
SHORTEST_CHUNK = 200
LONGEST_QUESTION, SHORTEST_QUOTE = 400, 12
# Labels of the two parts of a reply, each on its own line.
QUESTION, QUOTE = (
    re.compile(rf"^[^\w\n]*+{label}[^\w\n:]*+:", re.IGNORECASE | re.MULTILINE) for label in ("question", "quote")
)
POINTS_AT_PASSAGE = re.compile(r"\b(the|this) (passage|text|section|excerpt|document)\b|according to", re.IGNORECASE)
# Errors that would recur with the next question.
LASTING = (LLMNotConfigured, LLMRefusedKey, LLMNotFound, LLMNoCredit, LLMUnreachable, LLMBusy)


@dataclass(frozen=True, slots=True)
class GeneratedQuestion:
    """A question with the words that answer it: `quote`, at [start, end) of its document's text.

    `source` is the shortest end of the document's path that is unique. `made_by` is "heading", "definition",
    "sentence", or "model:<name>".
    """

    question: str
    source: str
    page: int | None
    quote: str
    start: int
    end: int
    made_by: str

    def as_json(self) -> dict[str, Any]:
        """Returns a line of a question file, as `app.evaluation.dataset_readers` reads it."""
        fields: dict[str, Any] = {"question": self.question, "source": self.source}
        if self.page is not None:
            fields["page"] = self.page
        place = {"quote": self.quote, "start": self.start, "end": self.end}
        return fields | place | {"answerable": True, "made_by": self.made_by}


@dataclass(frozen=True, slots=True)
class GeneratedQuestions:
    """The generated questions; `skipped` counts unusable replies of the model."""

    questions: tuple[GeneratedQuestion, ...]
    skipped: int = 0

    def counts(self) -> dict[str, int]:
        """Counts the questions by how they were made."""
        return dict(Counter(question.made_by for question in self.questions))


class Chunks(Protocol):
    """A store of chunks, such as `ingest.docstore.store.DocStore`."""

    def indexed_chunks(self, chunk_ids: Sequence[str]) -> list[IndexedChunk]:
        """Returns those of `chunk_ids` that are stored."""


class QuestionWriter:
    """Asks a language model for a question that a chunk answers.

    Args:
        llm: the model.
        prompts: the folder of questions.md.
    """

    def __init__(self, llm: ChatLLM, prompts: Path) -> None:
        self._llm = llm
        self._prompts = prompts
        self.made_by = f"model:{llm.name}"

    def write(self, chunk: StoredChunk) -> tuple[str, int, int] | None:
        """Returns a question and the position of its answer in the chunk's text; None if the reply is unusable.

        A reply counts only if its quote is in the chunk, word for word.

        Raises:
            LLMError: the model cannot be used, for this chunk or for any.
        """
        try:
            reply = self._llm.complete(question_prompt(self._prompts, chunk.source, chunk.heading, chunk.text))
        except LASTING:
            raise
        except LLMError:
            return None
        asked = QUESTION.search(reply)
        quoted = QUOTE.search(reply, asked.end()) if asked else None
        if not asked or not quoted:
            return None
        question = " ".join(reply[asked.end() : quoted.start()].split())
        if not question or len(question) > LONGEST_QUESTION or POINTS_AT_PASSAGE.search(question):
            return None
        quote = next(iter(reply[quoted.end() :].strip().splitlines()), "")  # U+2028 does not end a line
        span = located(quote, chunk.text)
        return (question, *span) if span else None


def generate(
    chunk_ids: Sequence[str],
    chunks: Chunks,
    n: int,
    writer: QuestionWriter | None,
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> GeneratedQuestions:
    """Generates at most `n` questions, spread over the documents; without a model, equal seeds give equal questions.

    Args:
        chunk_ids: the chunks to ask about.
        chunks: the store of the chunks.
        n: the number of questions.
        writer: the language model; None: questions come from headings, definitions and distinctive sentences.
        seed: seed of the random choice.
        on_progress: called with the number of questions made and requested.
        cancel: stops the work.

    Raises:
        Cancelled: the work was stopped.
        LLMError: the language model cannot be used.
    """
    rng = random.Random(seed)  # noqa: S311 - not security-relevant
    ids = sorted(chunk_ids)
    read = chunks.indexed_chunks(rng.sample(ids, MOST_CHUNKS) if len(ids) > MOST_CHUNKS else ids)
    found = sorted((one.chunk for one in read), key=lambda chunk: (chunk.source, chunk.position))
    run = _Run(found, rng, on_progress or (lambda *_: None), cancel or threading.Event())
    return run.written(n, writer) if writer else run.drafted(n)


class _Run:
    """The state of one generation."""

    def __init__(
        self,
        chunks: Sequence[StoredChunk],
        rng: random.Random,
        on_progress: Callable[[int, int], None],
        cancel: threading.Event,
    ) -> None:
        self._chunks = chunks
        self._rng = rng
        self._on_progress = on_progress
        self._cancel = cancel
        self._names = shortest_names({chunk.source for chunk in chunks})

    def drafted(self, n: int) -> GeneratedQuestions:
        found = drafts(self._chunks)
        made = []
        for kind, draft in _alternating(found, self._rng):
            self._check()
            made.append(self._question(draft.chunk, draft.question, draft.start, draft.end, kind))
            self._on_progress(len(made), n)
            if len(made) == n:
                break
        return GeneratedQuestions(tuple(made))

    def written(self, n: int, writer: QuestionWriter) -> GeneratedQuestions:
        long_enough = [chunk for chunk in self._chunks if len(chunk.text) >= SHORTEST_CHUNK] or list(self._chunks)
        made: dict[str, GeneratedQuestion] = {}
        skipped = 0
        for chunk in spread(long_enough, self._rng)[: TRIES * n]:
            self._check()
            written = writer.write(chunk)
            if written is None or plain(written[0]) in made:
                skipped += 1
                continue
            made[plain(written[0])] = self._question(chunk, *written, writer.made_by)
            self._on_progress(len(made), n)
            if len(made) == n:
                break
        return GeneratedQuestions(tuple(made.values()), skipped)

    def _question(self, chunk: StoredChunk, question: str, start: int, end: int, made_by: str) -> GeneratedQuestion:
        return GeneratedQuestion(
            question=question,
            source=self._names[chunk.source],
            page=chunk.page,
            quote=chunk.text[start:end],
            start=chunk.start + start,
            end=chunk.start + end,
            made_by=made_by,
        )

    def _check(self) -> None:
        if self._cancel.is_set():
            raise Cancelled("Stopped before the questions were complete; no file was written.")


def located(quote: str, text: str) -> tuple[int, int] | None:
    """Returns the position of a quote in a text, word for word except white space; None if it is not there."""
    words = quote.strip().strip("\"'\u201c\u201d\u2018\u2019").split()
    if not SHORTEST_QUOTE <= len(" ".join(words)) <= len(text):
        return None
    found = re.search(r"\s+".join(map(re.escape, words)), text)
    return found.span() if found else None


def spread(chunks: Sequence[StoredChunk], rng: random.Random) -> list[StoredChunk]:
    """Returns all chunks, one of each document in turn, in random order."""
    by_source: dict[str, list[StoredChunk]] = {}
    for chunk in chunks:
        by_source.setdefault(chunk.source, []).append(chunk)
    groups = list(by_source.values())
    rng.shuffle(groups)
    for group in groups:
        rng.shuffle(group)
    return [chunk for turn in zip_longest(*groups) for chunk in turn if chunk is not None]


def shortest_names(sources: set[str]) -> dict[str, str]:
    """Returns, for each path, the shortest end that distinguishes it from the others."""
    parts = {source: [part for part in PurePath(source).parts if part != "/"] or [source] for source in sources}
    ends = Counter("/".join(p[-i:]) for p in parts.values() for i in range(1, len(p) + 1))
    return {
        source: next((end for i in range(1, len(p) + 1) if ends[end := "/".join(p[-i:])] == 1), source)
        for source, p in parts.items()
    }


def _alternating(found: Drafts, rng: random.Random) -> Iterator[tuple[Kind, Draft]]:
    """Yields drafts, alternating between kinds, each kind spread over the documents; no question twice."""
    kinds = [[(kind, draft) for draft in _one_a_chunk(made, rng)] for kind, made in found.items()]
    asked: set[str] = set()
    for turn in zip_longest(*kinds):
        for kind, draft in filter(None, turn):
            if plain(draft.question) not in asked:
                asked.add(plain(draft.question))
                yield kind, draft


def _one_a_chunk(made: Sequence[Draft], rng: random.Random) -> list[Draft]:
    by_chunk: dict[str, list[Draft]] = {}
    for draft in made:
        by_chunk.setdefault(draft.chunk.id, []).append(draft)
    order = spread([drafts[0].chunk for drafts in by_chunk.values()], rng)
    return [rng.choice(by_chunk[chunk.id]) for chunk in order]
