"""The `footnote` command."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from app.cli.asking import ask_command, search_command
from app.cli.evaluation import evaluation_cli
from app.cli.filters import tag_command
from app.cli.maintenance import backup_command, doctor_command, reembed_command, restore_command
from app.cli.output import print_notice, print_status, status_json
from app.presentation import print_readings, report_json
from ingest.cli import (
    CollectionOption,
    JsonOption,
    ingest_command,
    library_opener,
    messages,
    print_anything,
    print_json,
)
from ingest.host import keep_to_owner
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


@cli.command()
def run() -> None:
    """Serve the chat on http://127.0.0.1:8501 (FOOTNOTE_PORT) until Ctrl-C."""
    console = Console(stderr=True, emoji=False)
    with messages(console):
        from app.cli.serve import serve  # noqa: PLC0415 - the other commands need no Streamlit

        serve(load_settings(), console)


cli.command("search")(search_command)
cli.command("ask")(ask_command)


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
    print_notice(footnote.model_note(collection))
