"""How often quotes answer, and how often silence is kept where the documents are silent."""

from __future__ import annotations

import json
from pathlib import Path

from app.bootstrap import Footnote
from app.models import Answer
from bench.data import footnote, ingested

ROOT = Path(__file__).resolve().parents[1]


def run(shared: Path) -> None:
    """Prints the shares for the sample documents and for a set of answerable and unanswerable questions."""
    print("| set | questions | answered | right | refused |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with footnote() as one:
        one.ingest([ROOT / "data" / "sample"])
        for name in ("sample", "offtopic"):
            lines = (ROOT / "tests" / f"{name}_questions.jsonl").read_text().splitlines()
            questions = [json.loads(line) for line in lines]
            answers = [_ask(one, question["text"]) for question in questions]
            right = sum(
                question["answer_contains"].casefold() in answer.text.casefold()
                for question, answer in zip(questions, answers, strict=True)
                if "answer_contains" in question
            )
            _row(f"samples, {name}", answers, str(right) if name == "sample" else "")
    _answerable(shared / "eval" / "answerable")


def _answerable(folder: Path) -> None:
    corpus = {}
    for line in (folder / "corpus.jsonl").read_text().splitlines():
        fields = json.loads(line)
        corpus[fields["_id"]] = f"# {fields.get('title', '')}\n\n{fields['text']}"
    questions = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    with ingested(corpus) as (one, _):
        for answerable in (True, False):
            wanted = [q["text"] for q in questions if bool(q["metadata"]["answerable"]) is answerable]
            _row("answerable" if answerable else "unanswerable", [_ask(one, text) for text in wanted], "")


def _ask(one: Footnote, text: str) -> Answer:
    *_, answer = one.ask(text)
    return answer


def _row(name: str, answers: list[Answer], right: str) -> None:
    refused = sum(answer.refused for answer in answers)
    print(f"| {name} | {len(answers)} | {len(answers) - refused} | {right} | {refused} |", flush=True)
