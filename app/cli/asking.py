"""`footnote search` and `footnote ask`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app.cancellation import STOPPED_EARLY, CancelToken
from app.cli.chat_or_own import chat_or_own
from app.cli.filters import InOption, PeriodOption, SinceOption, TagOption, TypeOption, UntilOption, chosen
from app.cli.output import (
    answer_json,
    hits_json,
    print_answer,
    print_hits,
    print_notice,
    print_progress,
    told_while_waiting,
)
from app.cli.question_files import read_questions
from app.models import Answer, Event, Token
from ingest.cli import (
    INTERRUPTED,
    SOME_FAILED,
    CollectionOption,
    JsonOption,
    failure_words,
    messages,
    print_json,
    stopping,
)
from ingest.errors import Cancelled, FootnoteError, QuestionError
from ingest.models import SearchHit

STOPPING = "Stopping: the partial answer is kept. Press Ctrl-C again to end at once."

QuestionArgument = Annotated[str | None, typer.Argument(help="The question.")]
QuestionsOption = Annotated[
    Path | None,
    typer.Option("--questions", help="A file of questions: JSON lines with _id and text, or one per line; - is stdin."),
]


def search_command(  # noqa: PLR0917 - Typer requires one parameter per option
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
    with messages(Console(stderr=True, emoji=False), as_json=as_json), chat_or_own(context) as footnote:
        within = chosen(sources=in_, types=type_, since=since, until=until, tags=tag, periods=period)
        print_notice(footnote.model_note(collection))

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
            print_notice(notice)


def ask_command(  # noqa: PLR0917 - Typer requires one parameter per option
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
        chat_or_own(context) as footnote,
        stopping(notes, STOPPING, keeps=came.is_set) as cancel,
    ):
        within = chosen(sources=in_, types=type_, since=since, until=until, tags=tag, periods=period)
        print_notice(footnote.model_note(collection))

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
