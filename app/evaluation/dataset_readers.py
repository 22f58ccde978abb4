"""Reads evaluation sets: BEIR folders, character-span references, and users' own question files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.evaluation.datasets import Dataset, EvaluationQuestion, Span, made
from app.models import Turn
from ingest.errors import SourceError
from ingest.text import storable_values

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
SPAN_QUESTIONS, SPAN_CORPORA = "questions_df.csv", "corpora"
FORMS = (
    f"a folder in BEIR's form ({CORPUS}, {QUERIES}, {QRELS}/test.tsv), a folder of {SPAN_QUESTIONS} and "
    f"{SPAN_CORPORA}/, or a file of questions (JSON lines with question, source and, if known, quote or page)"
)
OWN_FORM = '{"question": "…", "source": "handbook.pdf", "quote": "…"}'


def read_dataset(path: Path) -> Dataset:
    """Reads an evaluation set; its format is recognised by its files.

    Raises:
        SourceError: it is not an evaluation set, cannot be read, or has an invalid line; the message names file and
            line.
    """
    name = path.resolve().name
    try:
        if (path / CORPUS).is_file():
            return _beir(path, name)
        if (path / SPAN_QUESTIONS).is_file():
            return _spans(path, name)
        if path.is_file():
            return _own(path, path.stem)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"The evaluation set {path} could not be read: {error}. Check the file.") from error
    found = "does not exist" if not path.exists() else "is not an evaluation set"
    raise SourceError(f"{path} {found}. Name {FORMS}.")


def _beir(folder: Path, name: str) -> Dataset:
    corpus: dict[str, str] = {}
    for line, one in _json_lines(folder / CORPUS):
        title, text = str(one.get("title") or ""), _text(one, "text", folder / CORPUS, line, blank=True)
        corpus[_text(one, "_id", folder / CORPUS, line)] = f"# {title}\n\n{text}" if title else text
    relevant = _qrels(_qrels_file(folder))
    questions: list[EvaluationQuestion] = []
    unjudged = 0
    for line, one in _json_lines(folder / QUERIES):
        question = _beir_question(one, relevant, folder / QUERIES, line)
        if question.relevant or question.answerable is False:
            questions.append(question)
        else:
            unjudged += 1
    _check_questions(questions, folder / QUERIES)
    missing = sum(document not in corpus for q in questions for document in q.relevant)
    notes = [f"{unjudged:,} questions without judgements were left out."] if unjudged else []
    if missing:
        notes.append(f"{missing:,} judgements name documents that the corpus lacks; they count as not found.")
    return made(name, corpus, questions, notes)


def _beir_question(
    one: dict[str, Any], relevant: dict[str, dict[str, int]], path: Path, line: int
) -> EvaluationQuestion:
    known = one.get("metadata")
    metadata: dict[str, Any] = known if isinstance(known, dict) else {}
    ident = _text(one, "_id", path, line)
    return EvaluationQuestion(
        id=ident,
        text=_text(one, "text", path, line),
        history=_history(metadata.get("history"), path, line),
        relevant=relevant.get(ident, {}),
        answerable=_beir_answerable(metadata, path, line),
    )


def _beir_answerable(metadata: dict[str, Any], path: Path, line: int) -> bool | None:
    """Returns if a question can be answered, from `answerable` or from MT-RAG's `answerability`; None if unknown."""
    if "answerability" in metadata:
        said = metadata["answerability"]
        return True if said == ["ANSWERABLE"] else False if said == ["UNANSWERABLE"] else None
    return _flag(metadata.get("answerable"), "metadata.answerable", path, line)


def _qrels_file(folder: Path) -> Path:
    files = sorted((folder / QRELS).glob("*.tsv"))
    test = folder / QRELS / "test.tsv"
    if test in files:
        return test
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise SourceError(f"{folder / QRELS} needs a file test.tsv, or a single .tsv (there: {found}).")
    return files[0]


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    relevant: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), start=1):
            if not row or (line == 1 and len(row) > 2 and not row[-1].strip().lstrip("-").isdigit()):  # noqa: PLR2004 - columns
                continue
            try:
                question, document, grade = row[0], row[-2], int(row[-1])
            except (ValueError, IndexError) as error:
                raise SourceError(
                    f"{path}, line {line}: not a judgement. Each line is: question id, document id, grade, with tabs "
                    "between."
                ) from error
            if grade > 0:
                relevant.setdefault(question, {})[document] = grade
    return relevant


def _spans(folder: Path, name: str) -> Dataset:
    path = folder / SPAN_QUESTIONS
    corpus: dict[str, str] = {}
    for file in sorted((folder / SPAN_CORPORA).glob("*")):
        corpus[file.stem] = file.read_text(encoding="utf-8")
    questions: list[EvaluationQuestion] = []
    with path.open(encoding="utf-8-sig", newline="") as table:
        rows = csv.DictReader(table)
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            try:
                text, document = row["question"], row["corpus_id"]
                references = json.loads(row["references"])
                spans = tuple(_span(one, document, corpus, where) for one in references)
            except (ValueError, KeyError, TypeError) as error:
                raise SourceError(
                    f"{where}: not a question with references. The columns are question, references (JSON: content, "
                    "start_index, end_index) and corpus_id."
                ) from error
            questions.append(EvaluationQuestion(str(len(questions) + 1), text, relevant={document: 1}, spans=spans))
    _check_questions(questions, path)
    return made(name, corpus, questions)


def _span(one: dict[str, Any], document: str, corpus: dict[str, str], where: str) -> Span:
    span = Span(document, int(one["start_index"]), int(one["end_index"]))
    if document not in corpus:
        raise SourceError(f"{where}: there is no file {SPAN_CORPORA}/{document}.*. Add it, or remove the question.")
    if not 0 <= span.start < span.end <= len(corpus[document]):
        raise SourceError(f"{where}: characters {span.start} to {span.end} are not in {document}.")
    if "content" in one and corpus[document][span.start : span.end] != one["content"]:
        raise SourceError(
            f"{where}: characters {span.start} to {span.end} of {document} are not the reference's content. "
            "The corpus is not the one that the references were made on."
        )
    return span


def read_lines(data: bytes, name: str) -> list[dict[str, Any]]:
    """Returns the lines of a user's question file, unchanged after a check of their format.

    Raises:
        SourceError: it cannot be read, or a line has an invalid format.
    """
    try:
        lines = io.StringIO(data.decode("utf-8-sig"), newline=None)  # U+2028 does not end a line
    except UnicodeDecodeError as error:
        raise SourceError(f"The questions in {name} could not be read: {error}. Give a text file in UTF-8.") from error
    found = list(_objects(lines, Path(name)))
    _check_questions([_own_question(one, Path(name), line) for line, one in found], Path(name))
    return [one for _, one in found]


def _own(path: Path, name: str) -> Dataset:
    questions = [_own_question(one, path, line) for line, one in _json_lines(path)]
    _check_questions(questions, path)
    return made(name, None, questions)


def _own_question(one: dict[str, Any], path: Path, line: int) -> EvaluationQuestion:
    answerable = _flag(one.get("answerable"), "answerable", path, line)
    source, page = str(one.get("source") or ""), one.get("page")
    if not source and answerable is not False:
        raise SourceError(
            f'{path}, line {line}: the "source" is missing. Name the document that answers, or add "answerable": false.'
        )
    if page is not None and (not isinstance(page, int) or page < 1):
        raise SourceError(f'{path}, line {line}: "page" is {page!r}, but must be a number from 1.')
    question = EvaluationQuestion(
        id=str(one.get("_id", line)),
        text=_text(one, "question", path, line),
        history=_history(one.get("history"), path, line),
        answerable=answerable,
    )
    if answerable is False:
        return question
    return replace(question, relevant={source: 1}, quote=str(one.get("quote") or ""), page=page)


def _history(turns: Any, path: Path, line: int) -> tuple[Turn, ...]:
    """Reads turns from [{"question", "answer"}], or from [{"speaker": "user" or another, "text"}]."""
    found: list[Turn] = []
    try:
        for one in turns or ():
            if "question" in one:
                found.append(Turn(str(one["question"]), str(one.get("answer") or "")))
            elif one["speaker"] == "user":
                found.append(Turn(str(one["text"]), ""))
            elif found:
                found[-1] = Turn(found[-1].question, f"{found[-1].answer}\n{one['text']}".strip())
    except (KeyError, TypeError) as error:
        raise SourceError(
            f'{path}, line {line}: "history" is not a list of turns. Each turn is {{"question": "…", "answer": "…"}}.'
        ) from error
    return tuple(found)


def _flag(value: Any, name: str, path: Path, line: int) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise SourceError(f'{path}, line {line}: "{name}" is {value!r}, but must be true or false.')


def _text(one: dict[str, Any], name: str, path: Path, line: int, *, blank: bool = False) -> str:
    value = one.get(name)
    if isinstance(value, (str, int)) and (blank or str(value).strip()):
        return str(value)
    raise SourceError(f'{path}, line {line}: "{name}" is missing or empty. A line of questions is {OWN_FORM}.')


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the objects of a JSON lines file, each with its line number."""
    with path.open(encoding="utf-8-sig") as file:
        yield from _objects(file, path)


def _objects(lines: Iterable[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = storable_values(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{path}, line {number}: not JSON ({error}). Each line is one object.") from error
        if not isinstance(value, dict):
            raise SourceError(f"{path}, line {number}: not a JSON object. A line of questions is {OWN_FORM}.")
        yield number, value


def _check_questions(questions: Sequence[EvaluationQuestion], path: Path) -> None:
    if not questions:
        raise SourceError(f"{path} has no question with a known answer. Add some with their expected result.")
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise SourceError(f"{path}: the question id {question.id!r} appears twice. Give each question its own id.")
        seen.add(question.id)
