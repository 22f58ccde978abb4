"""Measures how long searches and quoted answers take, one after another and for many people at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import numpy as np

from app.footnote import Footnote
from app.models import Answer
from bench.cpp_docs import documents, questions
from bench.data import footnote

FILES, QUESTIONS = 300, 60
# Questions asked before anything is timed.
WARM = 6
PEOPLE, ASKED_BY_EACH = 20, 3
HITS = 10


@dataclass(frozen=True, slots=True)
class Time:
    """Milliseconds of one call: on the clock, and of this process's processors. The server of vectors is another."""

    wall: float
    cpu: float


def run(shared: Path) -> None:
    """Prints the times of searches and answers, their ratio, and the times for many people at once."""
    with documents(shared / "corpora" / "cpp-docs.tar.gz", FILES) as paths, footnote() as one:
        report = one.ingest(paths)
        assert not report.count("failed")
        measure(one, questions(paths, QUESTIONS + WARM))


def measure(one: Footnote, asked: Sequence[str]) -> None:
    """Prints all tables; the first WARM questions are not timed."""
    for question in asked[:WARM]:
        one.search(question, HITS)
        _answer(one, question)
    asked = asked[WARM:]
    searches, answers, given = [], [], []
    for number, question in enumerate(asked):
        # The vectors of recent questions are cached: a question is searched long before or after it is answered.
        other = asked[number - len(asked) // 2]
        searches.append(_timed(lambda other=other: one.search(other, HITS)))
        answers.append(_timed(lambda question=question: given.append(_answer(one, question))))
    print(f"{len(asked)} questions over {one.status()[0].chunks:,} chunks; {sum(a.refused for a in given)} refused.\n")
    print("| milliseconds | wall, p50 / p95 | processor, p50 / p95 |\n| --- | ---: | ---: |")
    _row("search", searches)
    _row("quoted answer", answers)
    ratio = [after / before for before, after in zip(_of(searches), _of(answers), strict=True)]
    print(f"| ratio | {ratio[0]:.1f} / {ratio[1]:.1f} | {ratio[2]:.1f} / {ratio[3]:.1f} |")
    for step in ("condense", "search", "answer"):
        spent = np.percentile([1000 * answer.timings.get(step, 0.0) for answer in given], (50, 95))
        print(f"| step of the answer: {step} | {spent[0]:.0f} / {spent[1]:.0f} | |")
    together = _together(one, asked)
    print(f"| answer, {PEOPLE} people at once | {np.median(together):.0f} / {np.percentile(together, 95):.0f} | |")


def _together(one: Footnote, asked: Sequence[str]) -> list[float]:
    """Returns the milliseconds of each answer while PEOPLE ask at once, ASKED_BY_EACH questions each."""
    start = Barrier(PEOPLE)

    def ask(person: int) -> list[float]:
        start.wait()
        mine = asked[person::PEOPLE][:ASKED_BY_EACH]
        return [_timed(lambda question=question: _answer(one, question)).wall for question in mine]

    with ThreadPoolExecutor(PEOPLE) as people:
        return [spent for some in people.map(ask, range(PEOPLE)) for spent in some]


def _answer(one: Footnote, question: str) -> Answer:
    return next(event for event in one.ask(question) if isinstance(event, Answer))


def _timed(call: Callable[[], object]) -> Time:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Time(1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu))


def _of(times: Sequence[Time]) -> list[float]:
    """Returns p50 and p95 on the clock, then p50 and p95 of the processors."""
    wall, cpu = [one.wall for one in times], [one.cpu for one in times]
    return [float(value) for some in (wall, cpu) for value in np.percentile(some, (50, 95))]


def _row(name: str, times: Sequence[Time]) -> None:
    wall, wall95, cpu, cpu95 = _of(times)
    print(f"| {name} | {wall:.0f} / {wall95:.0f} | {cpu:.0f} / {cpu95:.0f} |", flush=True)
