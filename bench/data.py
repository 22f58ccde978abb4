"""Evaluation sets in BEIR's form, and a Footnote over them."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.bootstrap import Footnote
from ingest.settings import Settings


@dataclass(frozen=True)
class Dataset:
    """Documents by id, questions by id, and for each question the ids of relevant documents with their grades."""

    corpus: dict[str, str]
    questions: dict[str, str]
    relevant: dict[str, dict[str, int]]


def read(folder: Path) -> Dataset:
    """Reads corpus.jsonl, queries.jsonl and qrels/test.tsv; questions without judgements are left out."""
    corpus = {
        one["_id"]: f"# {one['title']}\n\n{one['text']}" if one.get("title") else one["text"]
        for one in _lines(folder / "corpus.jsonl")
    }
    relevant: dict[str, dict[str, int]] = {}
    with (folder / "qrels" / "test.tsv").open() as file:
        for question, document, grade in list(csv.reader(file, delimiter="\t"))[1:]:
            if int(grade) > 0:
                relevant.setdefault(question, {})[document] = int(grade)
    questions = {one["_id"]: one["text"] for one in _lines(folder / "queries.jsonl") if one["_id"] in relevant}
    return Dataset(corpus, questions, relevant)


@contextmanager
def footnote() -> Iterator[Footnote]:
    """A Footnote with the default settings on an empty data folder."""
    with tempfile.TemporaryDirectory() as folder, Footnote(Settings(_env_file=None, data_dir=Path(folder))) as one:
        yield one


@contextmanager
def ingested(corpus: dict[str, str]) -> Iterator[tuple[Footnote, dict[str, str]]]:
    """A Footnote that holds a corpus, and the id of each source."""
    with tempfile.TemporaryDirectory() as folder, footnote() as one:
        sources = {}
        for number, (document, text) in enumerate(corpus.items()):
            path = Path(folder) / f"{number:06d}.md"
            path.write_text(text)
            sources[str(path)] = document
        report = one.ingest([Path(folder)])
        assert report.count("failed") == 0, [d.error for d in report.documents if d.error][:3]
        yield one, sources


def _lines(path: Path) -> Iterator[dict]:
    with path.open() as file:
        for line in file:
            yield json.loads(line)
