"""Reads question files: JSON lines with _id and text, or one question per line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import SourceError
from ingest.text import storable, storable_values

STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question of a file. `id` is its _id, or its line number."""

    id: str
    text: str


def read_questions(path: Path) -> list[AskedQuestion]:
    """Reads the questions of a file; "-" is standard input.

    A line that begins with { is JSON with "text" and optionally "_id"; any other line is a question. Empty lines are
    skipped.

    Raises:
        SourceError: the file cannot be read, or a JSON line is invalid; the message names the line.
    """
    try:
        text = sys.stdin.read() if path == STANDARD_INPUT else path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"The questions in {path} could not be read: {error}. Give a text file in UTF-8.") from error
    return list(_questions(path, text))


def _questions(path: Path, text: str) -> Iterator[AskedQuestion]:
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):  # U+2028 does not end a line
        if not line.strip():
            continue
        if line.lstrip().startswith("{"):
            yield _from_json(path, number, line)
        else:
            yield AskedQuestion(str(number), storable(line.strip()))


def _from_json(path: Path, number: int, line: str) -> AskedQuestion:
    try:
        fields = storable_values(json.loads(line))
        return AskedQuestion(str(fields.get("_id", number)), str(fields["text"]))
    except (ValueError, KeyError, RecursionError) as error:
        raise SourceError(
            f'{path}, line {number}: not a question. Each line is {{"_id": "1", "text": "…"}}, or the question itself.'
        ) from error
