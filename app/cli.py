"""The `footnote` command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app.console import answer_json, hits_json, print_answer, print_hits, print_status, status_json
from app.models import Answer
from app.questions import read_questions
from app.readings import print_readings, report_json
from ingest.__main__ import SOME_FAILED, CollectionOption, JsonOption, ingest_command, messages
from ingest.errors import QuestionError
from ingest.settings import load_settings

cli = typer.Typer(
    name="footnote",
    help="Chat with your own documents and check every word of the answer.",
    epilog="Settings are FOOTNOTE_* variables, or lines of .env; the README has the table.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.command("ingest")(ingest_command)

QuestionArgument = Annotated[str | None, typer.Argument(help="The question.")]
QuestionsOption = Annotated[
    Path | None,
    typer.Option("--questions", help="A file of questions (JSON lines with _id and text, or one a line); - is stdin."),
]


@cli.command()
def run() -> None:
    """Serve the chat on http://127.0.0.1:8501 (FOOTNOTE_PORT) until Ctrl-C."""
    console = Console(stderr=True)
    with messages(console):
        from app.serve import serve  # noqa: PLC0415 - the other commands need no Streamlit

        serve(load_settings(), console)


@cli.command()
def search(
    question: QuestionArgument = None,
    k: Annotated[int, typer.Option("-k", help="How many passages, from 1 to 1,000.")] = 5,
    collection: CollectionOption = None,
    questions: QuestionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the passages that fit a question best."""
    with messages(Console(stderr=True)), _footnote() as footnote:
        if questions is not None:
            _each(question, questions, lambda text: hits_json(footnote.search(text, k, collection=collection)))
            return
        hits = footnote.search(question or "", k, collection=collection)
        if as_json:
            _print_json(hits_json(hits))
        else:
            print_hits(hits, Console())


@cli.command()
def ask(
    question: QuestionArgument = None,
    k: Annotated[int | None, typer.Option("-k", help="How many passages to answer from, from 1 to 50.")] = None,
    collection: CollectionOption = None,
    questions: QuestionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from the documents, with footnotes."""
    with messages(Console(stderr=True)), _footnote() as footnote:

        def answered(text: str) -> dict[str, Any]:
            answer = next(e for e in footnote.ask(text, collection=collection, k=k) if isinstance(e, Answer))
            return answer_json(answer)

        if questions is not None:
            _each(question, questions, answered)
        elif as_json:
            _print_json(answered(question or ""))
        else:
            print_answer(footnote.ask(question or "", collection=collection, k=k), Console())


@cli.command()
def status(as_json: JsonOption = False) -> None:
    """Say what the index holds: collections, documents, chunks, model, sizes, failures."""
    with messages(Console(stderr=True)), _footnote() as footnote:
        facts = (footnote.status(), footnote.settings.data_dir, footnote.bytes_on_disk())
        if as_json:
            _print_json(status_json(*facts))
        else:
            print_status(*facts, Console())


@cli.command()
def report(
    source: Annotated[
        str | None, typer.Argument(help="A document, or a folder of some; all of the collection if not given.")
    ] = None,
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how each document was read: pages by text, by OCR or empty, tables, warnings, failures, seconds.

    A failed file is tried again when its bytes change, or when it is named: footnote ingest FILE.
    """
    with messages(Console(stderr=True)), _footnote() as footnote:
        rows = footnote.report(source, collection=collection)
        if as_json:
            _print_json(report_json(rows))
        else:
            print_readings(rows, Console())


@cli.command()
def remove(
    source: Annotated[str, typer.Argument(help="A document as `footnote status` names it, or a folder of some.")],
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a document, or all documents of a folder, from the index. The files themselves stay."""
    with messages(Console(stderr=True)), _footnote() as footnote:
        removed = footnote.remove(source, collection=collection)
        if as_json:
            _print_json({"removed": removed})
        else:
            Console().print(f"Removed {removed:,} document{'' if removed == 1 else 's'}.", highlight=False)


@cli.command()
def collections(as_json: JsonOption = False) -> None:
    """List the collections."""
    with messages(Console(stderr=True)), _footnote() as footnote:
        names = footnote.collections()
        if as_json:
            _print_json({"collections": names})
        else:
            for name in names:
                typer.echo(name)


def main() -> None:
    """Entry point of `footnote`."""
    cli()


def _footnote() -> Any:
    """What all commands work with; imported late, so that `--help` does not wait for it."""
    from app.bootstrap import Footnote  # noqa: PLC0415 - see above

    return Footnote(load_settings())


def _each(question: str | None, path: Path, answered: Callable[[str], dict[str, Any]]) -> None:
    """Answers each question of a file on a line of its own; one that cannot be used says so on its line."""
    if question is not None:
        raise QuestionError("Give either a question or --questions FILE, not both.")
    asked = read_questions(path)
    failed = 0
    for done, one in enumerate(asked, start=1):
        try:
            result = answered(one.text)
        except QuestionError as error:
            failed += 1
            result = {"error": str(error)}
        _print_json({"_id": one.id, **result})
        _progress(done, len(asked))
    if failed:
        raise typer.Exit(SOME_FAILED)


def _progress(done: int, total: int) -> None:
    end = "\n" if done == total else "\r"
    if sys.stderr.isatty() or done == total or done % 50 == 0:
        print(f"{done}/{total} questions", end=end if sys.stderr.isatty() else "\n", file=sys.stderr)  # noqa: T201 - progress


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)  # noqa: T201 - what was asked for


if __name__ == "__main__":
    main()
