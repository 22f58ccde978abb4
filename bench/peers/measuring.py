"""Measures each contestant by running its steps in processes of their own, one after another."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.peers.errors import BenchmarkFailed
from bench.peers.processes import Finished, measured
from bench.peers.results import Figures, FootnoteFigures
from ingest.host import bytes_in

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
# Questions answered before anything is timed, and questions that new processes answer.
UNTIMED, COLD = 6, 3
STOP_SECONDS = 60.0
ADDED = "\n\nThis sentence was added to measure the ingest of one changed file.\n"
QUIET = {"ANONYMIZED_TELEMETRY": "False", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


@dataclass(frozen=True, slots=True)
class Work:
    """What every contestant does.

    Attributes:
        documents: the folder of Markdown files.
        questions: a JSON file of questions; the first UNTIMED of them are not timed.
        model: the folder of the embedding model.
        root: an empty folder for stores and caches.
    """

    documents: Path
    questions: Path
    model: str
    root: Path

    def cold_questions(self) -> list[str]:
        """Returns the questions that new processes answer."""
        asked: list[str] = json.loads(self.questions.read_text(encoding="utf-8"))
        return asked[:COLD]


def offline(environment: Mapping[str, str], cache: Path) -> dict[str, str]:
    """Returns an environment without the project's and Python's variables, telemetry or network, and with its cache."""
    kept = {name: value for name, value in environment.items() if not name.startswith(("FOOTNOTE_", "PYTHON"))}
    return kept | QUIET | {"XDG_CACHE_HOME": str(cache)}


def measure_peer(name: str, script: Path, interpreter: Path, work: Work) -> Figures:
    """Runs all steps of a peer's program.

    Raises:
        BenchmarkFailed: a step failed.
    """
    folder = work.root / script.stem
    folder.mkdir()
    environment = offline(os.environ, work.root / f"{script.stem}-cache")

    def step(*arguments: str) -> Finished:
        print(f"{name}: {arguments[0]}", file=sys.stderr, flush=True)
        return measured([str(interpreter), str(script), *arguments], environment, work.root)

    index = step("index", str(work.documents), str(folder), work.model)
    disk = bytes_in(folder)
    tokens = step("count", str(work.documents), str(folder), work.model).result
    cold = [step("query", str(folder), work.model, question).seconds for question in work.cold_questions()]
    warm = step("warm", str(folder), work.model, str(work.questions), str(UNTIMED)).result
    return Figures(
        name=name,
        seconds=index.seconds,
        processor=index.processor,
        largest=index.largest,
        together=index.together,
        disk=disk,
        cold=tuple(cold),
        warm=tuple(warm["search"]),
        **index.result,
        **tokens,
    )


def measure_footnote(work: Work) -> FootnoteFigures:
    """Runs Footnote's commands with an empty data folder and an empty cache, and changes one of the documents.

    Raises:
        BenchmarkFailed: a step failed.
    """
    data = work.root / "footnote"
    cache = work.root / "footnote-cache"
    environment = offline(os.environ, cache) | {"FOOTNOTE_DATA_DIR": str(data), "PYTHONPATH": str(REPOSITORY)}

    def step(module: str, *arguments: str) -> Finished:
        print(f"Footnote: {module} {arguments[0]}", file=sys.stderr, flush=True)
        done = measured([sys.executable, "-m", module, *arguments], environment, work.root)
        wait_for_server(data)
        return done

    first, second = (step("bench.peers.ingest_command", str(work.documents)) for _ in range(2))
    disk = bytes_in(data)
    tokens = step("bench.peers.footnote_searches", "count", work.model).result
    cold = [step("app", "search", "-k", "10", question).seconds for question in work.cold_questions()]
    ask = [step("app", "ask", question).seconds for question in work.cold_questions()]
    warm = step("bench.peers.footnote_searches", "warm", str(work.questions), str(UNTIMED)).result
    _change_one(work.documents)
    changed = step("bench.peers.ingest_command", str(work.documents))
    common = Figures(
        name="Footnote",
        seconds=first.seconds,
        processor=first.processor,
        split=None,
        store=None,
        largest=first.largest,
        together=first.together,
        disk=disk,
        cold=tuple(cold),
        warm=tuple(warm["search"]),
        **tokens,
    )
    return FootnoteFigures(
        common=common,
        text=first.seconds - (first.result["report"]["seconds"] - first.result["report"]["text_seconds"]),
        second=second.seconds,
        second_runtimes=tuple(second.result["runtimes"]),
        changed=changed.seconds,
        changed_embedded=changed.result["report"]["embedded"],
        changed_chunks=chunks_of_updated(changed.result["report"]["documents"]),
        ask=tuple(ask),
        bare=tuple(warm["bare"]),
    )


def _change_one(documents: Path) -> None:
    """Adds a sentence to the file of median size."""
    files = sorted(documents.rglob("*.md"), key=lambda path: (path.stat().st_size, path))
    with files[len(files) // 2].open("a", encoding="utf-8") as file:
        file.write(ADDED)


def chunks_of_updated(documents: Sequence[Mapping[str, object]]) -> int:
    """Returns the chunks of the one document that an ingest updated.

    Raises:
        BenchmarkFailed: it updated none, or several.
    """
    updated = [int(str(one["chunks"])) for one in documents if one["status"] == "updated"]
    if len(updated) != 1:
        raise BenchmarkFailed(f"One changed file should be updated, but {len(updated)} were.")
    return updated[0]


def wait_for_server(data: Path) -> None:
    """Waits until the server of Footnote's vectors has stopped: it stops soon after the command that used it.

    Raises:
        BenchmarkFailed: it still runs after STOP_SECONDS.
    """
    state = data / "run" / "chroma.json"
    with suppress(FileNotFoundError, psutil.NoSuchProcess):
        supervisor = psutil.Process(json.loads(state.read_text(encoding="utf-8"))["supervisor"])
        try:
            supervisor.wait(STOP_SECONDS)
        except psutil.TimeoutExpired as error:
            raise BenchmarkFailed(f"Chroma's server for {data} did not stop in {STOP_SECONDS:.0f} s.") from error
