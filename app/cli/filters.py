"""The options that select the documents to search, and the command that tags documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ingest.cli import CollectionOption, JsonOption, library_opener, messages, one_line, print_json
from ingest.filters import Filter
from ingest.settings import load_settings

InOption = Annotated[
    list[str] | None,
    typer.Option(
        "--in",
        metavar="PATH",
        help="Only this document, folder or web address and everything below it; repeat for more.",
    ),
]
TypeOption = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="TYPE", help="Only documents of this type, such as pdf; repeat for more."),
]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="DAY", help="Only documents last indexed on this day (2026-01-31) or later."),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="DAY", help="Only documents last indexed on this day or earlier.")
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag", metavar="NAME", help="Only documents with this tag; repeat for documents with any of several."
    ),
]
PeriodOption = Annotated[
    list[str] | None,
    typer.Option(
        "--period",
        metavar="PERIOD",
        help="Only documents that report on this year, half, quarter, month or day (2023, Q3 2023, 2022-12-31); repeat "
        "for more.",
    ),
]


def chosen(
    *,
    sources: Sequence[str] | None,
    types: Sequence[str] | None,
    since: str | None,
    until: str | None,
    tags: Sequence[str] | None,
    periods: Sequence[str] | None,
) -> Filter | None:
    """Returns the filter set by the options; None if there are none.

    Raises:
        QuestionError: a day, a tag or a period is invalid.
    """
    within = Filter.of(
        sources=sources or (), types=types or (), since=since, until=until, tags=tags or (), periods=periods or ()
    )
    return within or None


def tag_command(  # noqa: PLR0917 - Typer requires one parameter per option
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A document or a folder, as named by `footnote report`.")],
    add: Annotated[list[str] | None, typer.Option("--add", help="A tag to add; repeat for more.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="A tag to remove; repeat for more.")] = None,
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add or remove tags of a document, or of all documents in a folder, and show the result.

    Nothing is read or embedded again. Ask tagged documents with: footnote ask QUESTION --tag NAME
    """
    with messages(Console(stderr=True, emoji=False), as_json=as_json):
        with library_opener(context)(load_settings()) as library:
            rows = library.tag(source, add=add or (), remove=remove or (), collection=collection)
        if as_json:
            found = [{"document": row.source, "tags": list(row.tags)} for row in rows]
            print_json({"documents": found})
            return
        for row in rows:
            said = "[red]failed, so it has no tags[/red]" if row.status == "failed" else "[dim]no tags[/dim]"
            line = f"{escape(one_line(row.source))}  {escape(', '.join(row.tags)) or said}"
            Console(emoji=False).print(line, highlight=False, soft_wrap=True)
