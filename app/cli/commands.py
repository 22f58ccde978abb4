"""The `footnote` command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app.cancellation import STOPPED_EARLY, CancelToken
from app.cli.evaluation import evaluation_cli
from app.cli.filters import InOption, PeriodOption, SinceOption, TagOption, TypeOption, UntilOption, chosen, tag_command
from app.cli.maintenance import backup_command, doctor_command, reembed_command, restore_command
from app.cli.output import (
    answer_json,
    hits_json,
    print_answer,
    print_hits,
    print_progress,
    print_status,
    status_json,
    told_while_waiting,
)
from app.cli.question_files import read_questions
from app.models import Answer, Event, Token
from app.presentation import print_readings, report_json
from ingest.cli import (
    INTERRUPTED,
    SOME_FAILED,
    CollectionOption,
    JsonOption,
    failure_words,
    ingest_command,
    library_opener,
    messages,
    print_anything,
    print_json,
    stopping,
)
from ingest.errors import Cancelled, FootnoteError, QuestionError
from ingest.host import keep_to_owner
from ingest.models import SearchHit
from ingest.settings import load_settings

cli = typer.Typer(
    name="footnote",
    help="Chat with your own documents and check every word of the answer.",
    epilog="Settings are FOOTNOTE_* variables, or lines of .env in the data folder; docs/configuration.md lists them.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.command("ingest")(ingest_command)
cli.add_typer(evaluation_cli, name="eval")
cli.command("tag")(tag_command)
cli.command("doctor")(doctor_command)
cli.command("reembed")(reembed_command)
cli.command("backup")(backup_command)
cli.command("restore")(restore_command)

STOPPING = "Stopping: the partial answer is kept. Press Ctrl-C again to end at once."

QuestionArgument = Annotated[str | None, typer.Argument(help="The question.")]
QuestionsOption = Annotated[
    Path | None,
    typer.Option("--questions", help="A file of questions: JSON lines with _id and text, or one per line; - is stdin."),
]


@cli.command()
def run() -> None:
    """Serve the chat on http://127.0.0.1:8501 (FOOTNOTE_PORT) until Ctrl-C."""
    console = Console(stderr=True, emoji=False)
    with messages(console):
        from app.cli.serve import serve  # noqa: PLC0415 - the other commands need no Streamlit

        serve(load_settings(), console)


@cli.command()
def search(  # noqa: PLR0917 - Typer requires one parameter per option
    context: typer.Context,
    question: QuestionArgument = None,
    k: Annotated[int, typer.Option("-k", help="Number of passages, from 1 to 1,000.")] = 5,
    collection: CollectionOption = None,
    in_: InOption = None,
    type_: TypeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    tag: TagOption = None,
    period: PeriodOption = None,
    questions: QuestionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the passages that best match a question, in all documents or in those selected by the options."""
    with messages(Console(stderr=True, emoji=False), as_json=as_json), _footnote(context) as footnote:
        within = chosen(sources=in_, types=type_, since=since, until=until, tags=tag, periods=period)
        _note(footnote, collection)

        def found(text: str) -> tuple[list[SearchHit], str]:
            result = footnote.retrieve(text, k, collection=collection, within=within)
            return result.hits, " ".join(result.notices)

        def as_facts(text: str) -> dict[str, Any]:
            hits, notice = found(text)
            return hits_json(hits, within, notice)

        if questions is not None:
            footnote.check_filter(within, collection=collection)
            _each(question, questions, as_facts)
        elif as_json:
            print_json(as_facts(question or ""))
        else:
            hits, notice = found(question or "")
            print_hits(hits, Console(emoji=False))
            _notice(notice)


@cli.command()
def ask(  # noqa: PLR0917 - Typer requires one parameter per option
    context: typer.Context,
    question: QuestionArgument = None,
    k: Annotated[int | None, typer.Option("-k", help="Number of passages to answer from, 1 to 50.")] = None,
    collection: CollectionOption = None,
    in_: InOption = None,
    type_: TypeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    tag: TagOption = None,
    period: PeriodOption = None,
    questions: QuestionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question, with footnotes, from all documents or from those selected by the options.

    Ctrl-C stops an answer and keeps the partial text, marked incomplete; before the first word, there is no answer.
    The exit status is then 130.
    """
    notes = Console(stderr=True, emoji=False)
    came = threading.Event()
    with (
        messages(notes, as_json=as_json),
        _footnote(context) as footnote,
        stopping(notes, STOPPING, keeps=came.is_set) as cancel,
    ):
        within = chosen(sources=in_, types=type_, since=since, until=until, tags=tag, periods=period)
        _note(footnote, collection)

        def events(text: str) -> Iterator[Event]:
            said = footnote.ask(text, collection=collection, k=k, within=within, cancel=CancelToken(cancel))
            return told_while_waiting(_stoppable(said, cancel, came), notes)

        def answered(text: str) -> dict[str, Any]:
            return answer_json(next(one for one in events(text) if isinstance(one, Answer)))

        if questions is not None:
            footnote.check_filter(within, collection=collection)
            _each(question, questions, answered)
        elif as_json:
            print_json(answered(question or ""))
        else:
            print_answer(events(question or ""), Console(emoji=False))
    if cancel.is_set():
        raise typer.Exit(INTERRUPTED)


@cli.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show the contents of the index: collections, documents, chunks, models, sizes, failures."""
    with messages(Console(stderr=True, emoji=False), as_json=as_json), _footnote(context) as footnote:
        for name in footnote.collections():
            _note(footnote, name)
        facts = (footnote.status(), footnote.settings.data_dir, footnote.bytes_on_disk())
        if as_json:
            print_json(status_json(*facts))
        else:
            print_status(*facts, Console(emoji=False))


@cli.command()
def report(
    context: typer.Context,
    source: Annotated[
        str | None, typer.Argument(help="A document or a folder; the whole collection if not given.")
    ] = None,
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how each document was read, its periods and its tags.

    Reading is described by pages with text, by OCR or empty, tables, warnings, failures and seconds.
    A failed file is tried again if its content changes or if it is named: footnote ingest FILE.
    """
    with messages(Console(stderr=True, emoji=False), as_json=as_json), _footnote(context) as footnote:
        rows = footnote.report(source, collection=collection)
        if as_json:
            print_json(report_json(rows))
        else:
            print_readings(rows, Console(emoji=False))


@cli.command()
def remove(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A document or a folder, as named by `footnote report`.")],
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a document, or all documents of a folder, from the index. The files themselves are kept."""
    with messages(Console(stderr=True, emoji=False), as_json=as_json), _footnote(context) as footnote:
        removed = footnote.remove(source, collection=collection)
        if as_json:
            print_json({"removed": removed})
        else:
            Console(emoji=False).print(f"Removed {removed:,} document{'' if removed == 1 else 's'}.", highlight=False)


@cli.command()
def collections(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the collections."""
    with messages(Console(stderr=True, emoji=False), as_json=as_json), _footnote(context) as footnote:
        names = footnote.collections()
        if as_json:
            print_json({"collections": names})
        else:
            for name in names:
                typer.echo(name)


def main() -> None:
    """Runs the command line; called by `app.__main__`."""
    keep_to_owner()
    print_anything()
    cli()


def _footnote(context: typer.Context) -> Any:
    """Opens the application. Imported late, so that `--help` does not wait for it."""
    from app.bootstrap import open_footnote  # noqa: PLC0415 - see above

    return open_footnote(load_settings(), library_opener(context))


def _note(footnote: Any, collection: str | None) -> None:
    """Prints a note if the settings name another embedding model than the collection's."""
    _notice(footnote.model_note(collection))


def _notice(text: str) -> None:
    if text:
        Console(stderr=True, emoji=False).print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _stoppable(events: Any, cancel: threading.Event, came: threading.Event) -> Iterator[Event]:
    """Yields the events of an answer until Ctrl-C.

    Before the first text, which sets `came`, Ctrl-C ends the command at once: loading a model or waiting for a server's
    first word can take long.
    """
    if cancel.is_set():
        raise Cancelled("Stopped. The remaining questions were not asked.")
    came.clear()
    answered = False
    try:
        with closing(events):
            for event in events:
                if isinstance(event, Token | Answer):
                    came.set()
                answered = isinstance(event, Answer)
                yield event
    except KeyboardInterrupt:
        if came.is_set():
            raise
        raise Cancelled(STOPPED_EARLY) from None
    if not answered:
        raise Cancelled(STOPPED_EARLY)


def _each(question: str | None, path: Path, answered: Callable[[str], dict[str, Any]]) -> None:
    """Answers each question of a file on its own line; a question that cannot be used gets an error on its line."""
    if question is not None:
        raise QuestionError("Give either a question or --questions FILE, not both.")
    asked = read_questions(path)
    failed = 0
    for done, one in enumerate(asked, start=1):
        try:
            result = answered(one.text)
        except Exception as error:
            if isinstance(error, FootnoteError) and not isinstance(error, QuestionError):
                raise  # the index or a model cannot be used, so all questions would fail
            failed += 1
            result = {"error": failure_words(error)}
        print_json({"_id": one.id, **result})
        print_progress(done, len(asked))
    if failed:
        raise typer.Exit(SOME_FAILED)
