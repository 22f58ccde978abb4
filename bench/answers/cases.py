"""Small cases rebuilt from public reports: measures if each question is correctly answered or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.footnote import Footnote
from app.models import Answer, Turn
from bench.data import footnote, json_lines

# Files beside the documents that are not ingested.
NO_DOCUMENTS = frozenset({"README.md", "conv17.json", "larger-collection"})
# Folders whose files are each ingested separately.
ALONE = ("03-", "08-")
CONVERSATIONS = "27-followup-two-answers"
# The cases about refusal, quotes and languages.
OURS = ("03", "09", "10", "11", "12", "13", "16", "25", "26", "27")


@dataclass(frozen=True)
class Outcome:
    """A question of a case, its answer, and whether the answer is right."""

    case: str
    question: str
    text: str
    right: bool


def run(shared: Path) -> None:
    """Prints a row for each question that went wrong, and the number that went right."""
    found = list(outcomes(shared / "cases"))
    for one in found:
        if not one.right:
            print(f"| {one.case} | {one.question} | {' '.join(one.text.split())[:160]} |", flush=True)
    ours = [one for one in found if one.case.startswith(OURS)]
    print(f"\nRight: {sum(one.right for one in ours)} of {len(ours)}; with the cases of other kinds,", end=" ")
    print(f"{sum(one.right for one in found)} of {len(found)}.")


def outcomes(folder: Path, only: Sequence[str] = ()) -> Iterator[Outcome]:
    """Yields the outcomes of all cases, or of those whose folders begin with one of `only`."""
    lines = list(json_lines(folder / "cases.jsonl"))
    for case in dict.fromkeys(str(line["case"]) for line in lines):
        if not only or case.startswith(tuple(only)):
            yield from _of_case(folder / case, [line for line in lines if line["case"] == case])
    if not only or CONVERSATIONS.startswith(tuple(only)):
        yield from _conversations(folder / CONVERSATIONS)


def _of_case(folder: Path, lines: Sequence[dict]) -> Iterator[Outcome]:
    paths = [path for path in folder.iterdir() if path.name not in NO_DOCUMENTS]
    groups = [[path] for path in paths] if folder.name.startswith(ALONE) else [paths]
    answers: dict[str, list[tuple[str, bool]]] = {line["question"]: [] for line in lines}
    for group in groups:
        with footnote() as one:
            one.ingest(group)
            for line in lines:
                answer = _ask(one, line["question"])
                answers[line["question"]].append((_told(answer), _is_right(answer, line)))
    for line in lines:
        text, right = max(answers[line["question"]], key=lambda one: one[1])
        yield Outcome(folder.name, line["question"], text, right)


def _conversations(folder: Path) -> Iterator[Outcome]:
    with footnote() as one:
        one.ingest([folder / "prices.md"])
        for turns in json.loads((folder / "conv17.json").read_text()):
            history: list[Turn] = []
            for question, expected in turns:
                answer = _ask(one, question, history)
                wanted = {"contains": [expected] if expected else [], "refused": expected is None}
                # The figures in the other turns belong to other cars.
                others = [other for asked, other in turns if other and other != expected and asked]
                yield Outcome(
                    folder.name, question, _told(answer), _is_right(answer, wanted | {"not_contains": others})
                )
                history.append(Turn(question, answer.text))


def _ask(one: Footnote, question: str, history: Sequence[Turn] = ()) -> Answer:
    return next(event for event in one.ask(question, history) if isinstance(event, Answer))


def _told(answer: Answer) -> str:
    return f"refused: {answer.notice}" if answer.refused else answer.text


def _is_right(answer: Answer, line: dict) -> bool:
    text = answer.text.casefold()
    return answer.refused == line["refused"] and (
        all(part.casefold() in text for part in line["contains"])
        and not any(part.casefold() in text for part in line.get("not_contains", ()))
    )
