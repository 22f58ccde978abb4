"""The state of an answer in progress, from which the `Answer` is built."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.llm import Spending
from app.models import Answer, Citation, Sentence
from ingest.filters import Filter
from ingest.models import Query
from ingest.settings import Settings

EXTRACTIVE = "extractive"


@dataclass(slots=True)
class Course:
    """The state of an answer in progress; only the answerer changes it.

    `within` selects the documents searched. `search_notices` and `notices` are lines for the user, in order: from the
    search, and from the steps after it. `began` and `at` are clock readings in seconds: the start and the last step.
    """

    question: str
    settings: Settings
    within: Filter = field(default_factory=Filter)
    query: Query = field(default_factory=lambda: Query(""))
    search_notices: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    confidence: float | None = None
    spending: Spending = field(default_factory=Spending)
    timings: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)
    at: float = field(default_factory=time.perf_counter)

    @property
    def searched(self) -> str:
        """The question as searched, reworded to be understood without the conversation."""
        return self.query.alone

    def note(self, *notices: str) -> None:
        """Adds lines for the user; blank ones are skipped."""
        self.notices += tuple(filter(None, notices))

    def done(self, step: str) -> None:
        """Records the seconds since the end of the previous step."""
        now = time.perf_counter()
        self.timings[step] = round(self.timings.get(step, 0.0) + now - self.at, 4)
        self.timings["total"] = round(now - self.began, 4)
        self.at = now

    def answer(
        self,
        text: str,
        sentences: Sequence[Sentence],
        citations: Sequence[Citation] = (),
        *,
        answerer: str = EXTRACTIVE,
        prompt: str = "",
        incomplete: bool = False,
        refused: bool = False,
        nearest: Sequence[Citation] = (),
        notice: str = "",
    ) -> Answer:
        """Builds the answer; `notice` is appended to the notices so far."""
        return Answer(
            question=self.question,
            searched=self.searched,
            text=text,
            refused=refused,
            answerer=answerer,
            sentences=tuple(sentences),
            citations=tuple(citations),
            nearest=tuple(nearest),
            timings=self.timings,
            incomplete=incomplete,
            notice=" ".join(filter(None, (*self.search_notices, *self.notices, notice))),
            confidence=self.confidence,
            usage=self.spending.usage(self.settings),
            prompt=prompt,
            within=self.within,
        )
