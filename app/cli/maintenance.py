"""The commands that maintain an index: doctor, reembed, backup, restore."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.cli import SOME_FAILED, CollectionOption, JsonOption, library_opener, messages, print_json, stopping
from ingest.errors import EmbedderError, RerankerError, SourceError
from ingest.reports import Diagnosis, Problem
from ingest.settings import Settings, load_settings

MIB = 1024 * 1024


def doctor_command(
    context: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Repair whatever can be rebuilt from the stored text.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check for damage in files, document store, text index and vectors, and for unfinished writes; try the models.

    Exit status: 0 no problems (left); 1 problems found.
    """
    notes = Console(stderr=True, emoji=False)
    with messages(notes, as_json=as_json):
        from ingest.maintenance import examine, server_facts, try_reading  # noqa: PLC0415 - `--help` need not wait for it

        with notes.status("Checking the data folder") as line:
            settings = load_settings()
            found = examine(
                settings,
                fix=fix,
                on_wait=lambda who: line.update(f"Waiting for {escape(who)}"),
                open_library=library_opener(context),
            )
            line.update("Trying the process that reads files")
            reading = try_reading(settings)
            facts = (*reading.facts, *server_facts(settings))
            found = replace(found, problems=(*found.problems, *reading.problems), facts=facts)
            if settings.reranker or settings.reranker_url:
                line.update("Trying the reranker")
                found = replace(found, problems=(*found.problems, *_reranker_problems(settings)))
            if settings.llm:
                line.update("Trying the language model")
                found = replace(found, problems=(*found.problems, *_llm_problems(settings)))
            if settings.entailment_model:
                line.update("Trying the entailment model")
                found = replace(found, problems=(*found.problems, *_entailment_problems(settings)))
    if as_json:
        print_json(diagnosis_json(found))
    else:
        _print_diagnosis(found, Console(emoji=False))
    if not found.ok:
        raise typer.Exit(SOME_FAILED)


def reembed_command(  # noqa: PLR0917 - Typer requires one parameter per option
    context: typer.Context,
    model: Annotated[str, typer.Option("--model", help="A sentence-transformers name or folder.")] = "",
    rollback: Annotated[bool, typer.Option("--rollback", help="Switch back to the previous model.")] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Delete the vectors of the previous model and of an unfinished change.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Switch without comparing the models' results.")] = False,
    collection: CollectionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Switch a collection to another embedding model, using the stored text, while it stays in use.

    A stopped run continues where it was. The old vectors are kept for --rollback until --drop.
    """
    notes = Console(stderr=True, emoji=False)
    with messages(notes, as_json=as_json):
        from ingest.index import drop_others, reembed, roll_back  # noqa: PLC0415 - `--help` need not wait for it

        if sum((bool(model), rollback, drop)) != 1:
            raise SourceError("Say what to do: --model NAME, --rollback or --drop.")
        settings = load_settings()
        if model:  # named by the user, so it may be downloaded
            settings = settings.model_copy(update={"embedding_model": model})
        with library_opener(context)(settings) as library:
            index = library.index(library.existing(collection))
            if drop:
                names = drop_others(index)
                _tell({"dropped": names}, f"Deleted the vectors of {', '.join(names) or 'no model'}.", as_json=as_json)
                return
            with stopping(notes) as cancel, _Bar(notes) as bar:
                if rollback:
                    done = roll_back(index, on_progress=bar, cancel=cancel)
                else:
                    done = reembed(index, model, force=force, on_progress=bar, cancel=cancel)
    text = f"{done.chunks:,} chunks are now searched with {done.model}; {done.embedded:,} texts were embedded."
    if done.before is not None and done.after is not None:
        text += f" Share of passages found by their own sentences: {done.after:.2f} (before: {done.before:.2f})."
    if not rollback:
        text += " The old vectors are kept: --rollback switches back, --drop deletes them."
    _tell(asdict(done), text, as_json=as_json)


def backup_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The archive to write, for example footnote.zip.")],
    as_json: JsonOption = False,
) -> None:
    """Write documents, vectors, uploads and conversations to one archive, while they are in use."""
    with messages(Console(stderr=True, emoji=False), as_json=as_json):
        from ingest.maintenance import write_backup  # noqa: PLC0415 - `--help` need not wait for it

        with library_opener(context)(load_settings()) as library:
            facts = write_backup(library, file.absolute())
    _tell(asdict(facts), f"Wrote {file}: {_held(asdict(facts))}.", as_json=as_json)


def restore_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="An archive that `footnote backup` wrote.")],
    as_json: JsonOption = False,
) -> None:
    """Fill an empty data folder (FOOTNOTE_DATA_DIR) from an archive. Nothing is embedded again."""
    with messages(Console(stderr=True, emoji=False), as_json=as_json):
        from ingest.maintenance import restore_backup  # noqa: PLC0415 - `--help` need not wait for it

        settings = load_settings()
        facts = restore_backup(file.absolute(), settings, library_opener(context))
    _tell(asdict(facts), f"Restored into {settings.data_dir}: {_held(asdict(facts))}.", as_json=as_json)


def diagnosis_json(found: Diagnosis) -> dict[str, Any]:
    """Returns a diagnosis as the JSON of `footnote doctor --json`."""
    return {
        "ok": found.ok,
        "problems": [asdict(one) for one in found.problems],
        "mended": [asdict(one) for one in found.mended],
        "facts": list(found.facts),
    }


def _reranker_problems(settings: Settings) -> list[Problem]:
    from app.bootstrap import build_reranker  # noqa: PLC0415 - `--help` need not wait for it

    try:
        if reranker := build_reranker(settings):
            reranker.check()
    except RerankerError as error:
        return [Problem("reranker", str(error), "until this is fixed, results are not reranked; see the message")]
    return []


def _llm_problems(settings: Settings) -> list[Problem]:
    from app.llm import tried  # noqa: PLC0415 - `--help` need not wait for it

    error = tried(settings)
    return [Problem("llm", str(error), "until this is fixed, answers are quotes; see the message")] if error else []


def _entailment_problems(settings: Settings) -> list[Problem]:
    from app.bootstrap import build_entailment  # noqa: PLC0415 - `--help` need not wait for it

    try:
        if model := build_entailment(settings):
            model.load()
    except EmbedderError as error:
        return [Problem("entailment", str(error), "until this is fixed, no language model is called; see the message")]
    return []


class _Bar:
    """A progress bar for a change of model. Use it in a `with` block."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn())
        self._live = Progress(
            *columns, TextColumn("chunks · left"), TimeRemainingColumn(), console=console, transient=True
        )
        self._task = self._live.add_task("Embedding", total=None)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, done: int, total: int, waiting: str) -> None:
        what = f"Waiting for {escape(waiting)}" if waiting else "Embedding"
        self._live.update(self._task, description=what, completed=done, total=total or None)


def _print_diagnosis(found: Diagnosis, console: Console) -> None:
    for style, word, problems in (("green", "mended", found.mended), ("red", "broken", found.problems)):
        for one in problems:
            line = f"[{style}]{word}[/{style}]  {escape(one.what)} [dim]{escape(one.fix)}[/dim]"
            console.print(line, highlight=False, soft_wrap=True)
    for fact in found.facts:
        console.print(escape(fact), highlight=False, soft_wrap=True)
    if found.ok:
        console.print("Nothing is broken any more." if found.mended else "Nothing is broken.")


def _held(facts: dict[str, Any]) -> str:
    counts = ", ".join(f"{facts[name]:,} {name}" for name in ("documents", "chunks", "conversations", "uploads"))
    return f"{counts}, {facts['size'] / MIB:,.1f} MiB"


def _tell(facts: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        Console(emoji=False).print(text, markup=False, highlight=False, soft_wrap=True)
