"""Unpacks evenly spaced files of the C++ documentation, and makes questions from their headings."""

from __future__ import annotations

import re
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TITLE = re.compile(r"^# (.{4,80})$", re.MULTILINE)
SECTION = re.compile(r"^##+ (.{4,60})$", re.MULTILINE)
# Headings that stand in most files.
COMMON = frozenset({"remarks", "syntax", "see also", "example", "examples", "parameters", "requirements", "members"})


@contextmanager
def documents(archive: Path, files: int) -> Iterator[list[Path]]:
    """Yields the paths of `files` files, evenly spaced over an archive's Markdown files in order of their names."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as packed:
        members = sorted((one for one in packed if one.name.endswith(".md")), key=lambda one: one.name)
        step = len(members) / files
        chosen = [members[int(i * step)] for i in range(files)]
        packed.extractall(folder, chosen, filter="data")
        yield [Path(folder) / one.name for one in chosen]


def questions(paths: Sequence[Path], count: int) -> list[str]:
    """Returns `count` questions made from the titles of files, and from a section where one has a name."""
    made: list[str] = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        title = TITLE.search(text)
        sections = [one[1] for one in SECTION.finditer(text) if one[1].strip().casefold() not in COMMON]
        if title and len(made) % 2:
            made.append(f"What is {title[1]}?")
        elif title and sections:
            made.append(f"What does {title[1]} say about {sections[0]}?")
    step = len(made) / count
    return [made[int(i * step)] for i in range(count)]
