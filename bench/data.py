"""Opens a Footnote on the corpus of an evaluation set, and reads sets with human answers."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.bootstrap import open_footnote
from app.evaluation.dataset_readers import read_dataset
from app.evaluation.datasets import written
from app.footnote import Footnote
from app.models import Passage
from ingest.settings import Settings

# Sizes of made collections in chunks.
SIZES = tuple(int(size) for size in os.environ.get("SIZES", "1000,10000,100000").split(","))


@contextmanager
def footnote(**settings: int) -> Iterator[Footnote]:
    """Yields a Footnote on an empty data folder, with default settings except for those given."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_footnote(Settings(_env_file=None, data_dir=Path(folder), **settings)) as one,
    ):
        yield one


@contextmanager
def ingested(corpus: Mapping[str, str], **settings: int) -> Iterator[tuple[Footnote, dict[str, str]]]:
    """Yields a Footnote with a corpus ingested, and the id of each source."""
    with tempfile.TemporaryDirectory() as folder, footnote(**settings) as one:
        sources = written(corpus, Path(folder))
        report = one.ingest([Path(folder)])
        assert report.count("failed") == 0, [d.error for d in report.documents if d.error][:3]
        yield one, sources


def json_lines(path: Path) -> Iterator[dict]:
    """Yields the objects of a file of JSON lines."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


@dataclass(frozen=True)
class HumanAnswer:
    """A question with the ids of the passages that answer it, and human answers written from them."""

    id: str
    text: str
    relevant: list[str]
    answers: list[str]


@dataclass(frozen=True)
class Answered:
    """Passages by id, questions that they answer, and questions that they do not answer."""

    titles: dict[str, str]
    texts: dict[str, str]
    questions: list[HumanAnswer]
    unanswerable: dict[str, str]

    def passage(self, document: str, n: int = 1) -> Passage:
        """Returns a passage in the form used for answering."""
        text = self.texts[document]
        return Passage(n, document, document, self.titles[document], None, (), 0, len(text), text, 1 / n)


def answered(folder: Path) -> Answered:
    """Reads a set whose questions carry `metadata.answerable` and `metadata.answers`."""
    data = {question.id: question for question in read_dataset(folder).questions}
    corpus = list(json_lines(folder / "corpus.jsonl"))
    asked = list(json_lines(folder / "queries.jsonl"))
    questions = [
        HumanAnswer(one["_id"], one["text"], list(data[one["_id"]].relevant), one["metadata"]["answers"])
        for one in asked
        if one["metadata"]["answerable"]
    ]
    silent = {one["_id"]: one["text"] for one in asked if not one["metadata"]["answerable"]}
    return Answered(
        {one["_id"]: one["title"] for one in corpus}, {one["_id"]: one["text"] for one in corpus}, questions, silent
    )
