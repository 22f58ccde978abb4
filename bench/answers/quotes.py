"""Measures how often quotes answer, and how often questions are refused that the documents do not answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from app.evaluation.dataset_readers import read_dataset
from app.footnote import Footnote
from app.models import Answer
from app.text.sentences import split_sentences
from app.text.terms import words_of
from bench.answers.verification import HALVES, half
from bench.data import Answered, answered, footnote, ingested, json_lines

ROOT = Path(__file__).resolve().parents[2]


def run(shared: Path) -> None:
    """Prints the shares for the sample documents and for a set of answerable and unanswerable questions."""
    print("| set | questions | answered | right | refused |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with footnote() as one:
        one.ingest([ROOT / "data" / "sample"])
        for name in ("sample", "offtopic"):
            questions = list(json_lines(ROOT / "tests" / f"{name}_questions.jsonl"))
            answers = [_ask(one, question["text"]) for question in questions]
            right = sum(
                question["answer_contains"].casefold() in answer.text.casefold()
                for question, answer in zip(questions, answers, strict=True)
                if "answer_contains" in question
            )
            _row(f"samples, {name}", answers, str(right) if name == "sample" else "")
    _answerable(shared / "eval" / "answerable")


def _answerable(folder: Path) -> None:
    data = answered(folder)
    with ingested(read_dataset(folder).corpus or {}) as (one, sources):
        found = {question.id: _ask(one, question.text) for question in data.questions}
        _row("answerable", list(found.values()), "")
        _row("unanswerable", [_ask(one, text) for text in data.unanswerable.values()], "")
        first = {
            question.id: sources[(found[question.id].citations or found[question.id].nearest)[0].document]
            for question in data.questions
        }
    quotes = {key: " ".join(sentence.text for sentence in answer.sentences) for key, answer in found.items()}
    report(data, quotes, first)


def report(data: Answered, quotes: Mapping[str, str], first: Mapping[str, str]) -> None:
    """Prints the overlap of quotes with human answers, two baselines, and how often the gold passage is cited first.

    Args:
        data: the questions with their human answers.
        quotes: question id -> the quoted sentences.
        first: question id -> id of the passage that is cited first.
    """
    lead = {key: _lead(data.texts[passage]) for key, passage in first.items()}
    whole = {key: data.texts[passage] for key, passage in first.items()}
    print("\n| tokens of the human answer | half | recall | precision | F1 | words | gold cited first |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, texts in (("quotes", quotes), ("first passage whole", whole), ("lead sentence", lead)):
        for which in HALVES:
            asked = [question for question in data.questions if half(question.id) == which]
            scores = np.array([_overlap(texts[one.id], one.answers) for one in asked]).mean(axis=0)
            gold = sum(first[one.id] in one.relevant for one in asked)
            cells = " | ".join(f"{score:.3f}" for score in scores[:3])
            print(f"| {name} | {which} | {cells} | {scores[3]:.0f} | {gold}/{len(asked)} |", flush=True)


def _lead(text: str) -> str:
    start, end = split_sentences(text)[0]
    return text[start:end]


def _overlap(text: str, answers: Sequence[str]) -> tuple[float, float, float, int]:
    """Returns recall, precision and F1 of a text's tokens against the nearest human answer, and the text's length."""
    said = Counter(token.casefold() for token in words_of(text))
    best = (0.0, 0.0, 0.0)
    for answer in answers:
        wanted = Counter(token.casefold() for token in words_of(answer))
        shared = (said & wanted).total()
        if shared:
            recall, precision = shared / wanted.total(), shared / said.total()
            best = max(best, (recall, precision, 2 * recall * precision / (recall + precision)), key=lambda one: one[2])
    return (*best, said.total())


def _ask(one: Footnote, text: str) -> Answer:
    *_, answer = one.ask(text)
    return answer


def _row(name: str, answers: list[Answer], right: str) -> None:
    refused = sum(answer.refused for answer in answers)
    print(f"| {name} | {len(answers)} | {len(answers) - refused} | {right} | {refused} |", flush=True)
