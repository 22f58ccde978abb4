"""The batch command `python -m ingest PATH...`, equivalent to `footnote ingest`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ingest.cli.terminal import (
    ProgressView,
    one_line,
    print_anything,
    print_json,
    print_report,
    report_json,
    stopping,
    visible,
)
from ingest.errors import Cancelled, EmbedderMismatch, FootnoteError, QuestionError, SettingsError, SourceError
from ingest.host import keep_to_owner
from ingest.reports import FileOutcome, IngestProgress, IngestReport
from ingest.settings import ignored_settings, load_settings
from ingest.text import name_on_disk
from ingest.urls import is_url

if TYPE_CHECKING:  # not imported for `--help`
    from ingest.library import Library
    from ingest.settings import Settings
    from ingest.sources import Fetcher

# Exit statuses
SOME_FAILED = 1
WRONG_USAGE = 2
CANNOT_WORK = 3
INTERRUPTED = 130

CollectionOption = Annotated[
    str | None,
    typer.Option("--collection", "-c", help="Collection; default: FOOTNOTE_COLLECTION, or 'default'."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON on standard output.")]


def library_opener(context: typer.Context) -> Callable[[Settings], Library]:
    """Returns the function that opens a command's library: the context's object, or `Library` if it has none.

    Callers that invoke a command in their own process, such as tests, can supply other models or loaders:
    `CliRunner().invoke(cli, arguments, obj=opener)`.
    """
    from ingest.library import Library  # noqa: PLC0415 - not imported for `--help`

    return context.obj or Library


def ingest_command(  # noqa: PLR0917 - Typer's form of options
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders (read recursively) and addresses of web pages."),
    ] = None,
    collection: CollectionOption = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove documents whose files no longer exist in PATH.")
    ] = False,
    sitemap: Annotated[str | None, typer.Option("--sitemap", help="Read all pages listed in a site's sitemap.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch web pages from loopback and private addresses too.")
    ] = False,
    no_ocr: Annotated[bool, typer.Option("--no-ocr", help="Skip text in pictures and scanned pages; faster.")] = False,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            help="Tag for the documents, to filter by; repeat for more. Replaces their existing tags, "
            "also of unchanged files. Without it, tags are unchanged.",
        ),
    ] = None,
    no_follow: Annotated[
        bool,
        typer.Option("--no-follow", help="Skip symbolic links inside folders; they may lead outside."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read documents into the index. Unchanged files are skipped; a stopped run is resumed.

    Exit status: 0 success; 1 some files failed, the others were ingested; 2 wrong usage; 3 the index or the model
    cannot be used; 130 stopped.
    """
    notes = Console(stderr=True, emoji=False)
    done: list[FileOutcome] = []
    with messages(notes, as_json=as_json, so_far=lambda error: report_json(_so_far(done, error))):
        from ingest.sources import Fetcher  # noqa: PLC0415 - not imported for `--help`

        settings = load_settings()
        allowed = allow_private or settings.allow_private_addresses
        with stopping(notes) as cancel:
            fetcher = Fetcher(allow_private=allowed, cancel=cancel)
            sources = _sources(paths or [], sitemap, fetcher, lambda text: _note(notes, text))
            with library_opener(context)(settings) as library, ProgressView(notes) as progress:
                _note(notes, library.model_note(collection))
                report = library.ingest(
                    sources,
                    collection=collection,
                    prune=prune,
                    ocr=False if no_ocr else None,
                    allow_private=allowed,
                    tags=tag or None,
                    follow_links=not no_follow,
                    on_progress=lambda moment: _show(moment, progress, done),
                    cancel=cancel,
                )
        if as_json:
            print_json(report_json(report))
        else:
            print_report(report, Console(emoji=False))
    if report.cancelled:
        raise typer.Exit(INTERRUPTED)
    if report.count("failed"):
        raise typer.Exit(SOME_FAILED)


def _show(moment: IngestProgress, progress: ProgressView, done: list[FileOutcome]) -> None:
    if moment.outcome:
        done.append(moment.outcome)
    progress(moment)


def _so_far(done: Sequence[FileOutcome], error: BaseException) -> IngestReport:
    """Summarises the files finished before an error ended the run."""
    written = sum(outcome.chunks for outcome in done if outcome.status in {"added", "updated"})
    return IngestReport(tuple(done), written, cancelled=isinstance(error, Cancelled | KeyboardInterrupt))


def _note(console: Console, text: str) -> None:
    if text:
        console.print(visible(text), style="yellow", markup=False, highlight=False, soft_wrap=True)


def _sources(
    paths: Sequence[str], sitemap: str | None, fetcher: Fetcher, on_failure: Callable[[str], None]
) -> list[Path | str]:
    """Returns the given files, folders and addresses, and the pages of a site's sitemap.

    Raises:
        SourceError: nothing was given, or nothing that exists.
    """
    sources: list[Path | str] = [one if is_url(one) else Path(one) for one in paths]
    if not sources and not sitemap:
        raise SourceError("Nothing to ingest. Name a file, a folder, a web page, or a site with --sitemap.")
    if sources and not any(isinstance(one, str) or os.path.lexists(name_on_disk(str(one))) for one in sources):
        raise SourceError(f"{one_line(str(sources[0]))} does not exist. Check the path.")
    if sitemap:
        from ingest.sources import pages_of  # noqa: PLC0415 - not imported for `--help`

        sources.extend(pages_of(sitemap, fetcher, on_failure))
    return sources


@contextmanager
def messages(
    console: Console, *, as_json: bool = False, so_far: Callable[[BaseException], dict[str, Any]] = lambda _: {}
) -> Iterator[None]:
    """Converts errors raised on purpose to a message and an exit status; a traceback indicates a bug.

    Args:
        console: receives messages.
        as_json: also prints an error as a JSON object on standard output, under "error".
        so_far: returns further entries of that object, given an error.
    """
    for sentence in ignored_settings():
        console.print(sentence, style="yellow", markup=False)

    def say(error: BaseException, text: str) -> None:
        if isinstance(error, FootnoteError):
            console.print(visible(text), style="red", markup=False, highlight=False, soft_wrap=True)
        if as_json:
            print_json({**so_far(error), "error": text})

    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt as error:
        say(error, "Stopped before it was finished.")
        raise typer.Exit(INTERRUPTED) from error
    except FootnoteError as error:
        say(error, str(error))
        raise typer.Exit(_exit_status(error)) from error
    except Exception as error:
        say(error, failure_words(error))
        raise


def failure_words(error: BaseException) -> str:
    """Returns the JSON form of a failure: the message of an error raised on purpose, else "Internal error: ..."."""
    return str(error) if isinstance(error, FootnoteError) else f"Internal error: {type(error).__name__}: {error}"


def _exit_status(error: FootnoteError) -> int:
    if isinstance(error, SettingsError | SourceError | QuestionError | EmbedderMismatch):
        return WRONG_USAGE
    return INTERRUPTED if isinstance(error, Cancelled) else CANNOT_WORK


def main() -> None:
    """Entry point of `python -m ingest`."""
    keep_to_owner()
    print_anything()
    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    command.command()(ingest_command)
    command(prog_name="python -m ingest")


if __name__ == "__main__":
    main()
