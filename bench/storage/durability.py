"""Kill tests: measures lost and duplicated documents, and the time until everything is found again.

A process adds, changes and removes documents; at random moments it, Chroma's server, or both are killed with -9. After
each kill the index is reopened and compared with the expected content. Uses its own data.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import statistics
import tempfile
import time
from collections import Counter
from contextlib import suppress
from ctypes import c_int
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

import numpy as np

from app.bootstrap import open_footnote
from ingest.maintenance.doctor import examine
from ingest.settings import Settings

KILLS = int(os.environ.get("KILLS", "40"))
DOCUMENTS = 60
WORDS_A_DOCUMENT = 300
REMOVED_SHARE = 0.3
TOLERANCE = 1e-6
VICTIMS = ("ingest", "server", "both")
processes = multiprocessing.get_context("forkserver")


@dataclass
class Tally:
    """Results of the kills. `recover` is in seconds, from opening the index to the first right answer."""

    kills: Counter[str] = field(default_factory=Counter)
    operations: int = 0
    lost: int = 0
    twice: int = 0
    half: int = 0
    recover: list[float] = field(default_factory=list)


def run(_shared: Path | None = None) -> None:
    """Prints a table."""
    processes.set_forkserver_preload(["bench.storage.durability", "sentence_transformers", "chromadb", "tantivy"])
    dice, tally = random.Random(4), Tally()
    with tempfile.TemporaryDirectory() as root:
        folder, settings = Path(root) / "docs", Settings(_env_file=None, data_dir=Path(root) / "data")
        folder.mkdir()
        for i in range(DOCUMENTS):
            (folder / f"{i:03d}.md").write_text(_text(dice, i))
        with open_footnote(settings) as footnote:
            footnote.ingest([folder])
        for _ in range(KILLS):
            tally.operations += _killed(settings, folder, dice, tally)
            _look(settings, tally)
        equal = _equals_a_clean_run(settings, folder, Path(root) / "clean")
        problems = len(examine(settings).problems)
    print(
        "| kills of the ingest | of the server | of both | operations | documents lost | found twice or half |", end=""
    )
    print(" to recover, median | most | equal to a clean run | doctor finds |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    print("| " + " | ".join(str(tally.kills[one]) for one in VICTIMS), end="")
    print(f" | {tally.operations:,} | {tally.lost} | {tally.twice + tally.half} |", end="")
    print(f" {statistics.median(tally.recover):.1f} s | {max(tally.recover):.1f} s | {equal} | {problems} |")


def _text(dice: random.Random, number: int) -> str:
    words = " ".join(f"w{dice.randrange(5000)}" for _ in range(WORDS_A_DOCUMENT))
    return f"# Document {number}\n\nmarker{number} {words}\n"


def _killed(settings: Settings, folder: Path, dice: random.Random, tally: Tally) -> int:
    """Lets a process work until a kill. Returns the number of operations that it had finished."""
    done = RawValue(c_int, 0)
    child = processes.Process(target=_work, args=(settings, folder, dice.randrange(10**9), done))
    child.start()
    while done.value == 0 and child.is_alive():
        time.sleep(0.01)
    time.sleep(dice.uniform(0.0, 3.0))
    victim = dice.choice(VICTIMS)
    tally.kills[victim] += 1
    if victim != "ingest":
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(json.loads((settings.data_dir / "run" / "chroma.json").read_text())["server"], signal.SIGKILL)
    if victim == "server":
        time.sleep(dice.uniform(0.0, 2.0))  # it continues with a restarted server
    child.kill()
    child.join()
    return int(done.value)


def _work(settings: Settings, folder: Path, seed: int, done: c_int) -> None:
    dice = random.Random(seed)
    with open_footnote(settings) as footnote:
        while True:
            number = dice.randrange(DOCUMENTS)
            path = folder / f"{number:03d}.md"
            if number >= DOCUMENTS // 2 and dice.random() < REMOVED_SHARE:
                path.unlink(missing_ok=True)
            else:
                partial = folder / f".{number}"
                partial.write_text(_text(dice, number))
                partial.replace(path)
            footnote.ingest([folder], prune=True)
            done.value += 1


def _look(settings: Settings, tally: Tally) -> None:
    """Opens the index normally, and counts deviations from the expected content."""
    began = time.perf_counter()
    with open_footnote(settings) as footnote:
        footnote.search("marker0", 1)
        tally.recover.append(time.perf_counter() - began)
        index = footnote.index("default")
        held = {Path(row.source).name for row in footnote.documents("default")}
        # The first half is never removed: each document must be there, in some version.
        tally.lost += sum(f"{i:03d}.md" not in held for i in range(DOCUMENTS // 2))
        for i in range(DOCUMENTS):
            found = [hit for hit in index.keyword_search(f"marker{i}", 5) if f"marker{i} " in hit.chunk.text]
            tally.twice += len(found) > 1
            tally.half += not found and f"{i:03d}.md" in held
        wanted = set(index.docstore.chunk_ids(index.collection.id))
        current = index.embedders()["current"]
        tally.half += len(wanted - index.leg(current).store.ids())


def _equals_a_clean_run(settings: Settings, folder: Path, clean: Path) -> bool:
    found = []
    for one in (settings, settings.model_copy(update={"data_dir": clean})):
        with open_footnote(one) as footnote:
            footnote.ingest([folder], prune=True)
            index = footnote.index("default")
            chunks = index.docstore.indexed_chunks(index.docstore.chunk_ids(index.collection.id))
            vectors = index.leg(index.embedders()["current"]).store.vectors([c.chunk.id for c in chunks])
            found.append({(c.chunk.source, c.chunk.start, c.chunk.text): vectors[c.chunk.id] for c in chunks})
    first, second = found
    return first.keys() == second.keys() and all(np.abs(first[one] - second[one]).max() <= TOLERANCE for one in first)
