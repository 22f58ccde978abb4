"""Tests kills at every step: each document has its old or its new version, and the next run repairs the index."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from durability import (
    assert_equal,
    contents,
    copied,
    killed_at,
    processes,
    quick,
    rest,
    state,
    steps_of,
    word_library,
)

from ingest.index import Sizes
from ingest.index.recovery import rebuild_text, rebuild_vectors
from ingest.index.reembedding import drop_others, reembed, roll_back
from ingest.index.writer import writing
from ingest.maintenance.doctor import examine

OLD = {
    "kept.txt": "zebra stays the same.",
    "changed.txt": "yellow was the old colour.\n\n" + " ".join(f"word{i}" for i in range(150)),
    "gone.txt": "xylophone is removed.",
}
NEW = {
    "kept.txt": "zebra stays the same.",
    "changed.txt": "violet is the new colour.\n\n" + " ".join(f"word{i}" for i in range(150)),
    "new.txt": "umbrella came later.",
}
WORDS = {"zebra": "kept.txt", "yellow": "changed.txt", "violet": "changed.txt", "xylophone": "gone.txt"}


def write_all(folder: Path, files: dict[str, str]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


class Update:
    """Brings the index up to date with a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, footnote) -> None:
        footnote.ingest([self.folder], prune=True)


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A data folder that holds the old files, the folder they lie in, and what a clean ingest of the new ones gives."""
    from ingest.settings import Settings

    root = tmp_path_factory.mktemp("crashes")
    folder = write_all(root / "docs", NEW)
    clean = Settings(_env_file=None, data_dir=root / "clean")
    with quick(clean) as footnote:
        footnote.ingest([folder])
        wanted = contents(footnote)
    settings = Settings(_env_file=None, data_dir=root / "old")
    write_all(folder, OLD)
    with quick(settings) as footnote:
        footnote.ingest([folder])
    rest(settings)
    write_all(folder, NEW)
    return settings, folder, wanted


def found_by(leg, word: str) -> list[str]:
    return [hit.chunk.text for hit in leg(word, 10) if word in hit.chunk.text.split()]


def check_whole(footnote) -> None:
    """Before anything is mended: each document in one version, in both legs, found once; by meaning if embedded."""
    index = footnote.index("default")
    for leg in (index.keyword_search, index.vector_search):
        texts = {word: found_by(leg, word) for word in ("zebra", "yellow", "violet", "xylophone", "umbrella")}
        assert all(len(found) <= 1 for found in texts.values()), texts
        assert len(texts["zebra"]) == 1
        changed = len(texts["yellow"]) + len(texts["violet"])
        versions = {hit.chunk.version_id for hit in leg("word7", 50) if hit.chunk.source.endswith("changed.txt")}
        if leg == index.keyword_search or not index.count_unembedded():
            assert changed == len(versions) == 1
        else:
            assert max(changed, len(versions)) <= 1
    held = {Path(source).name for source in contents(footnote)}
    assert {"kept.txt", "changed.txt"} <= held


def check_mended(footnote, folder: Path, wanted) -> None:
    footnote.ingest([folder], prune=True)
    assert_equal(contents(footnote), wanted)
    assert examine(footnote.settings, open_library=word_library).problems == ()


def crash(before, tmp_path: Path, step: int, victim: str) -> None:
    settings, folder, wanted = before
    data = copied(settings, tmp_path / f"{victim}-{step}")
    killed_at(data, Update(folder), step, victim)
    with quick(data) as footnote:
        check_whole(footnote)
        check_mended(footnote, folder, wanted)
    shutil.rmtree(data.data_dir, ignore_errors=True)


@pytest.mark.slow
def test_killed_after_each_step_of_an_update(before, tmp_path):
    settings, folder, _ = before
    steps = steps_of(copied(settings, tmp_path / "dry"), Update(folder))
    assert {"Versions.add_pending", "LexicalWriter.commit", "VectorStore.upsert", "Versions.activate"} <= set(steps)
    assert {"VectorStore.delete", "Versions.delete", "DocStore.remove"} <= set(steps)
    for step in range(1, len(steps) + 1):
        crash(before, tmp_path, step, "ingest")


@pytest.mark.parametrize("victim", ["server", "both"])
def test_the_server_killed_in_the_middle(before, tmp_path, victim):
    settings, folder, _ = before
    steps = steps_of(copied(settings, tmp_path / "dry"), Update(folder))
    crash(before, tmp_path, steps.index("VectorStore.upsert") + 1, victim)


@pytest.mark.soak
@pytest.mark.parametrize("victim", ["server", "supervisor", "both"])
def test_killed_after_each_step_whoever_it_is(before, tmp_path, victim):
    settings, folder, _ = before
    steps = steps_of(copied(settings, tmp_path / "dry"), Update(folder))
    first = steps.index("LexicalWriter.commit") + 1  # the server is not needed, so perhaps not there, before
    for step in range(first, len(steps) + 1):
        crash(before, tmp_path, step, victim)


@pytest.mark.slow
def test_a_first_ingest_that_was_killed_goes_on(tmp_path, settings):
    folder = write_all(tmp_path / "docs", NEW)
    steps = steps_of(settings.model_copy(update={"data_dir": tmp_path / "dry"}), Update(folder))
    for step in range(1, len(steps) + 1, 3):
        data = settings.model_copy(update={"data_dir": tmp_path / f"at-{step}"})
        killed_at(data, Update(folder), step)
        with quick(data) as footnote:
            found = [hit.chunk.text for hit in footnote.search("zebra", 5)]
            assert found[:1] in ([], ["zebra stays the same."])
            footnote.ingest([folder])
            assert {Path(source).name for source in contents(footnote)} == set(NEW)
            assert examine(data, open_library=word_library).problems == ()


# Chroma writes its index to disk every 20 chunks instead of every 1,000, so that kills interrupt such writes.
OFTEN = Sizes(most_whole=0, sync=20)


def grow(settings, folder: Path, rounds: int) -> None:
    with quick(settings, sizes=OFTEN) as footnote:
        for i in range(rounds):
            unfinished = folder.with_name("unfinished.txt")  # a kill in between must not leave an empty document
            unfinished.write_text(f"document{i} " + " ".join(f"w{i}x{j}" for j in range(400)))
            unfinished.replace(folder / f"{i}.txt")
            footnote.ingest([folder])


@pytest.mark.parametrize("how", ["cut off", "grown", "of another time"])
def test_a_truncated_vector_index_is_restored(tmp_path, settings, how):
    folder = write_all(tmp_path / "docs", NEW)
    with quick(settings, sizes=OFTEN) as footnote:
        footnote.ingest([folder])
        (folder / "long.txt").write_text(" ".join(f"w{i}" for i in range(3000)))
        footnote.ingest([folder])
        wanted = contents(footnote)
        run_folder = settings.data_dir / "run"
    rest(settings)
    files = {path.name: path for path in (settings.data_dir / "chroma").glob("*/*.bin")}
    if how == "cut off":
        files["data_level0.bin"].write_bytes(files["data_level0.bin"].read_bytes()[:-5000])
    elif how == "grown":  # seen after kills: a sparse file of many gigabytes, on which the server crashes
        with files["link_lists.bin"].open("r+b") as file:
            file.truncate(40 * 2**30)
    else:
        files["header.bin"].write_bytes(bytes(100))
    (run_folder / "chroma.running").touch()
    with quick(settings, sizes=OFTEN) as footnote:
        assert [hit.chunk.text for hit in footnote.index("default").vector_search("zebra", 1)] == [NEW["kept.txt"]]
        assert_equal(contents(footnote), wanted)
        assert examine(settings, open_library=word_library).problems == ()


def change(footnote) -> None:
    reembed(footnote.index("default"), "other")


def change_and_back(footnote) -> None:
    index = footnote.index("default")
    reembed(index, "other")
    drop_others(index)
    reembed(index, "words")
    roll_back(index)


def rebuild(footnote) -> None:
    index = footnote.index("default")
    with writing(index, "rebuild"):
        rebuild_text(index)
        rebuild_vectors(index, index.embedders()["current"])


@pytest.mark.slow
@pytest.mark.parametrize("work", [change, change_and_back, rebuild])
def test_killed_at_a_change_of_model_or_a_rebuild_the_next_run_mends_all(before, tmp_path, work):
    """Search results stay the same whenever the process is killed, and no unused vectors remain."""
    settings, folder, wanted = before
    steps = steps_of(copied(settings, tmp_path / "dry"), work)
    for step in range(1, len(steps) + 1, 2 if work is change_and_back else 1):
        data = copied(settings, tmp_path / f"at-{step}")
        killed_at(data, work, step)
        with quick(data) as footnote:
            check_whole(footnote)
            footnote.ingest([folder], prune=True)
            found, turned = contents(footnote), footnote.index("default").embedders()["current"].model == "other"
            if turned:
                found = {source: [(*one[:3], -one[3]) for one in chunks] for source, chunks in found.items()}
            assert_equal(found, wanted)
            assert examine(data, open_library=word_library).problems == (), f"{work.__name__} after {steps[step - 1]}"
        shutil.rmtree(data.data_dir, ignore_errors=True)


@pytest.mark.soak
def test_killed_at_any_moment(tmp_path, settings):
    """Kills at random moments, of the ingest and of Chroma's server, over one growing and changing folder."""
    folder, seed = write_all(tmp_path / "docs", NEW), random.randrange(10**6)
    dice = random.Random(seed)
    for _ in range(30):
        for name in ("changed.txt", "new.txt"):
            (folder / name).write_text(f"{name} {dice.random()} " + " ".join(f"w{dice.random()}" for _ in range(300)))
        child = processes.Process(target=grow, args=(settings, folder, 40))
        child.start()
        time.sleep(dice.uniform(0.3, 2.5))
        if dice.random() < 0.7:
            with suppress(FileNotFoundError, ProcessLookupError):
                os.kill(state(settings)["server"], signal.SIGKILL)
            time.sleep(dice.uniform(0, 2))
        child.kill()
        child.join()
    with quick(settings) as footnote:
        footnote.ingest([folder])
        found = contents(footnote)
        assert {Path(source).name for source in found} == {path.name for path in folder.iterdir()}, f"seed {seed}"
        assert examine(settings, open_library=word_library).problems == (), f"seed {seed}"
    clean = settings.model_copy(update={"data_dir": tmp_path / "clean"})
    with quick(clean) as footnote:
        footnote.ingest([folder])
        assert_equal(found, contents(footnote))
