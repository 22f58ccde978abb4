"""`footnote eval DATASET` and `footnote eval generate`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from ingest.cli import SOME_FAILED, CollectionOption, JsonOption, library_opener, messages, print_json, stopping
from ingest.errors import SourceError
from ingest.settings import load_settings

if TYPE_CHECKING:  # imported late, so that `--help` need not wait
    from app.evaluation import Experiment, Report

EVALUATE = "run"
REPORTS = (".md", ".html")
MOST_K = 50


class _EvaluatesByDefault(TyperGroup):
    """Makes `footnote eval DATASET` short for `footnote eval run DATASET`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Inserts the command `run` if the first argument is not a command."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [EVALUATE, *args]
        return super().parse_args(ctx, args)


evaluation_cli = typer.Typer(
    cls=_EvaluatesByDefault,
    no_args_is_help=True,
    help="Measure search and answers, on your own documents or on a public evaluation set.",
    epilog="footnote eval DATASET is short for footnote eval run DATASET.",
)


@evaluation_cli.command(EVALUATE)
def evaluate_command(  # noqa: PLR0917 - Typer requires one parameter per option
    context: typer.Context,
    dataset: Annotated[
        Path,
        typer.Argument(
            help="A folder in BEIR's form, a folder of questions with character references, or your own questions: "
            "JSON lines with question, source and, if known, quote or page."
        ),
    ],
    collection: CollectionOption = None,
    k: Annotated[int, typer.Option("-k", help="Number of passages per question, from 1 to 50.")] = 5,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Ask only this many of the questions, chosen at random.")
    ] = None,
    answers: Annotated[
        bool | None,
        typer.Option(
            "--answers/--no-answers",
            help="Answer each question too, and measure refusals. The default if the set has unanswerable questions "
            "and no language model is configured.",
        ),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", help="Compare with an evaluation saved with --save.")
    ] = None,
    compare_settings: Annotated[
        list[str] | None,
        typer.Option(
            "--compare-settings",
            metavar="NAME=VALUE",
            help="Measure with this setting, and compare with the current settings; may be repeated.",
        ),
    ] = None,
    gate: Annotated[
        Path | None, typer.Option("--gate", help="Exit with 1 if a metric fell below a file written with --save.")
    ] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Write the results to a JSON file.")] = None,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", min=0, max=1, help="Tolerated drop of metrics below the gate; saved with --save."),
    ] = 0.01,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write a report to a file ending in .md or .html.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", help="Keep the index of the set's documents in this folder and reuse it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask all questions of an evaluation set, and measure the results.

    Exit status: 0 success; 1 a metric fell below the gate's baseline; 2 wrong usage; 3 the index cannot be used.
    """
    notes = Console(stderr=True, emoji=False)
    with messages(notes, as_json=as_json):
        from app.evaluation import (  # noqa: PLC0415 - see above
            evaluation_json,
            gate_sentences,
            print_evaluation,
            save_evaluation,
        )

        changes = _changes(compare_settings or [], compare)
        _check_files(save, report)
        with _experiment(
            context, dataset, limit, notes, k=k, collection=collection, keep=keep, answers=answers
        ) as experiment:
            told = _told(experiment, changes, compare, gate)
        if save is not None:
            save_evaluation(told.evaluation, save, tolerance)
        if report is not None:
            _write_report(told, report)
        if as_json:
            print_json(evaluation_json(told.evaluation, tolerance) | _comparison_json(told))
        else:
            print_evaluation(told, Console(emoji=False))
        for sentence in gate_sentences(told.falls) if told.falls else ():
            notes.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    if told.falls:
        raise typer.Exit(SOME_FAILED)


@evaluation_cli.command("generate")
def generate_command(  # noqa: PLR0917 - Typer requires one parameter per option
    context: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write, for example questions.jsonl.")],
    n: Annotated[int, typer.Option("-n", min=1, help="Number of questions.")] = 50,
    collection: CollectionOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random choice of questions.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Generate questions from your own documents, each with the words that answer it.

    The language model of FOOTNOTE_LLM writes them; without one, they are made from headings, definitions and
    distinctive sentences. Each line says how it was made ("made_by"). Review them before measuring with them.
    """
    notes = Console(stderr=True, emoji=False)
    with messages(notes, as_json=as_json):
        from app.bootstrap import open_footnote  # noqa: PLC0415 - `--help` need not wait for it
        from app.evaluation import EvaluationView, check_writable, write_text  # noqa: PLC0415 - see above

        if output.exists() and not force:
            raise SourceError(f"{output} already exists. Name another file, or add --force to replace it.")
        check_writable(output)
        with (
            open_footnote(load_settings(), library_opener(context)) as footnote,
            stopping(notes) as cancel,
            EvaluationView(notes, "Writing") as view,
        ):
            made = footnote.generate_questions(
                n, collection=collection, seed=seed, on_progress=view.questions, cancel=cancel
            )
        write_text(output, "".join(f"{json.dumps(one.as_json(), ensure_ascii=False)}\n" for one in made.questions))
        facts = {
            "output": str(output),
            "questions": len(made.questions),
            "made_by": made.counts(),
            "skipped": made.skipped,
        }
        review = f"in the chat: http://{footnote.settings.host}:{footnote.settings.port}/?review=1"
        if as_json:
            print_json(facts)
        else:
            Console(emoji=False).print(_said(facts, n, review), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _experiment(
    context: typer.Context,
    dataset: Path,
    limit: int | None,
    notes: Console,
    *,
    k: int,
    collection: str | None,
    keep: Path | None,
    answers: bool | None,
) -> Iterator[Experiment]:
    """Opens the experiment with a progress display; Ctrl-C stops it."""
    from app.bootstrap import open_footnote  # noqa: PLC0415 - `--help` need not wait for it
    from app.evaluation import EvaluationView, Experiment, read_dataset  # noqa: PLC0415 - see above
    from app.retrieval import check_k  # noqa: PLC0415 - see above

    check_k(k, MOST_K)
    data = read_dataset(dataset).limited(limit)
    temporary = TemporaryDirectory(prefix="footnote-eval-", ignore_cleanup_errors=True)
    with temporary as folder, stopping(notes) as cancel, EvaluationView(notes) as view:
        yield Experiment(
            data,
            load_settings(),
            keep or Path(folder),
            k=k,
            opened=partial(open_footnote, open_library=library_opener(context)),
            collection=collection,
            answers=answers,
            cancel=cancel,
            on_ingest=view.ingest,
            on_progress=view.questions,
        )


def _told(experiment: Experiment, changes: dict[str, str], compare: Path | None, gate: Path | None) -> Report:
    """Runs the experiment, with one or both settings, and compares the results with the files."""
    from app.evaluation import (  # noqa: PLC0415 - see above
        Report,
        check_gate,
        compared,
        fallen,
        read_saved,
    )

    data = experiment.dataset
    baseline = read_saved(gate, data.digest) if gate else None
    before = read_saved(compare, data.digest).evaluation if compare else None
    if baseline:
        check_gate(baseline, experiment.k, (question.id for question in data.questions))
    experiment.check(changes)
    name = str(compare or "")
    evaluation = experiment.run()
    if changes:
        before, evaluation, name = evaluation, experiment.run(changes), "the current settings"
    return Report(
        evaluation,
        compared_with=name,
        differences=compared(before, evaluation) if before else {},
        falls=fallen(evaluation, baseline) if baseline else None,
    )


def _changes(given: Sequence[str], compare: Path | None) -> dict[str, str]:
    """Reads settings from NAME=VALUE.

    Raises:
        SourceError: one is not of that form, or --compare was given too.
    """
    if given and compare is not None:
        raise SourceError("Give either --compare FILE or --compare-settings NAME=VALUE, not both.")
    changes = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise SourceError(f"--compare-settings {one} is not NAME=VALUE, for example chunk_tokens=128.")
        changes[name.strip()] = value.strip()
    return changes


def _check_files(save: Path | None, report: Path | None) -> None:
    from app.evaluation import check_writable  # noqa: PLC0415 - `--help` need not wait for it

    for path in (save, report):
        if path is not None:
            check_writable(path)
    if report is not None and report.suffix.lower() not in REPORTS:
        raise SourceError(f"--report {report} ends in neither .md nor .html. Name a file that does.")


def _write_report(told: Report, path: Path) -> None:
    from app.evaluation import (  # noqa: PLC0415 - `--help` need not wait for it
        html_report,
        markdown_report,
        write_text,
    )

    write_text(path, markdown_report(told) if path.suffix.lower() == ".md" else html_report(told))


def _comparison_json(told: Report) -> dict[str, Any]:
    from app.evaluation import difference_json  # noqa: PLC0415 - `--help` need not wait for it

    found: dict[str, Any] = {}
    if gains := told.evaluation.history_gains:
        found["history"] = difference_json(gains)
    if told.differences:
        found["compared"] = {"with": told.compared_with, "metrics": difference_json(told.differences)}
    if told.falls is not None:
        found["gate"] = {"passed": not told.falls, "fallen": [asdict(one) for one in told.falls]}
    return found


def _said(facts: dict[str, Any], wanted: int, review: str) -> str:
    kinds = ", ".join(f"{count:,} by {name}" for name, count in facts["made_by"].items())
    text = f"Wrote {facts['questions']:,} questions to {facts['output']} ({kinds})."
    if facts["questions"] < wanted:
        text += f" The documents yielded no more; {wanted:,} were requested."
    if facts["skipped"]:
        text += f" {facts['skipped']:,} were skipped, because the model's quote was not in the passage or it gave none."
    return f"{text} Review them ({review}), then run: footnote eval {facts['output']}"
