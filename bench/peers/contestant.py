"""Runs one step of one contestant in a process of its own, and prints the result as a line of JSON.

    index DOCUMENTS STORE MODEL           splits, embeds and stores the documents: seconds of both parts
    count DOCUMENTS STORE MODEL           counts the chunks, and the tokens of the texts given to the model
    query STORE MODEL QUESTION            answers one question: the number of results
    warm STORE MODEL QUESTIONS UNTIMED    answers the questions of a JSON file: milliseconds of each but the first ones

The peers' programs import this module in their own environments: only the standard library and `tokenizers` are used.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

# Results of a search.
HITS = 10
# Tokens that the model adds to each text: [CLS] and [SEP].
SPECIAL = 2

Search = Callable[[str], Sequence[object]]


class Contestant(Protocol):
    """The parts of a peer's program: a module with these functions."""

    def split(self, documents: Path) -> Sequence[Any]:
        """Reads and splits all Markdown files of a folder."""

    def store(self, chunks: Sequence[Any], folder: Path, model: str) -> None:
        """Embeds chunks and stores them in an empty folder."""

    def given(self, chunks: Sequence[Any]) -> list[str]:
        """Returns the texts that the model is given."""

    def most_tokens(self, model: str) -> int:
        """Returns the most tokens of a text that the model reads, special tokens included."""

    def open_search(self, folder: Path, model: str) -> Search:
        """Opens a stored index. Returns a function that finds HITS chunks for a question."""


def run(contestant: Contestant, arguments: Sequence[str]) -> None:
    """Runs the step that the arguments name, and prints its result."""
    step, *rest = arguments
    print(json.dumps(STEPS[step](contestant, *rest)), flush=True)


def index(contestant: Contestant, documents: str, folder: str, model: str) -> dict[str, float]:
    """Makes an index. Returns the seconds of both parts."""
    began = time.perf_counter()
    chunks = contestant.split(Path(documents))
    middle = time.perf_counter()
    contestant.store(chunks, Path(folder), model)
    return {"split": middle - began, "store": time.perf_counter() - middle}


def count(contestant: Contestant, documents: str, _folder: str, model: str) -> dict[str, int]:
    """Splits the documents again. Returns the number of chunks, and the tokens given to the model and read by it."""
    chunks = contestant.split(Path(documents))
    texts = contestant.given(chunks)
    return {"chunks": len(chunks), **counted(token_counts(texts, model), contestant.most_tokens(model))}


def counted(lengths: Iterable[int], most: int) -> dict[str, int]:
    """Adds up the tokens of texts, and those that a model reads of them.

    Args:
        lengths: tokens of each text, without special tokens.
        most: the most tokens that the model reads, special tokens included.
    """
    lengths = list(lengths)
    return {"given": sum(lengths), "read": sum(min(length, most - SPECIAL) for length in lengths)}


def token_counts(texts: Sequence[str], model: str) -> list[int]:
    """Returns the number of tokens of each text, without special tokens, by the tokenizer in a model's folder."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - not a part of the other steps

    tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]


def query(contestant: Contestant, folder: str, model: str, question: str) -> dict[str, int]:
    """Opens the index and answers one question. Returns the number of results."""
    return {"found": len(contestant.open_search(Path(folder), model)(question))}


def warm(contestant: Contestant, folder: str, model: str, questions: str, untimed: str) -> dict[str, list[float]]:
    """Answers questions one after another. Returns the milliseconds of each but the first `untimed`."""
    search = contestant.open_search(Path(folder), model)
    asked = json.loads(Path(questions).read_text(encoding="utf-8"))
    times = []
    for question in asked:
        began = time.perf_counter()
        found = search(question)
        times.append(1000 * (time.perf_counter() - began))
        if not found:
            sys.exit(f"Nothing was found for {question!r}: the index is empty or damaged.")
    return {"search": times[int(untimed) :]}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {"index": index, "count": count, "query": query, "warm": warm}
