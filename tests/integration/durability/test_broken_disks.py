"""Tests damaged files and read-only disks: clear messages, no further damage, and repair by the doctor."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from disks import TEXTS, mounted
from durability import assert_equal, contents, copied, quick, rest, word_library

from ingest.errors import FootnoteError, StoreError
from ingest.index import Sizes
from ingest.index.recovery import rebuild_vectors
from ingest.index.writer import writing
from ingest.maintenance.doctor import examine
from ingest.reports import Diagnosis
from ingest.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A data folder at rest, and what it holds. The original files are gone."""
    root = tmp_path_factory.mktemp("disks")
    folder = root / "docs"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    settings = Settings(_env_file=None, data_dir=root / "data")
    with quick(settings, sizes=Sizes(sync=3, most_whole=0)) as footnote:
        footnote.ingest([folder])
        conversation = footnote.conversations.create("default")
        footnote.conversations.add_question(conversation.id, "Where is ash?")
        wanted = contents(footnote)
    rest(settings)
    for name in ("footnote.sqlite", "chats.sqlite"):
        with closing(sqlite3.connect(settings.data_dir / name)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.rmtree(folder)
    return settings, wanted


def one(data: Path, pattern: str) -> Path:
    return next(path for path in sorted(data.glob(pattern)) if path.is_file())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(data)


DAMAGE = {
    "no Chroma folder": (lambda data: shutil.rmtree(data / "chroma"), "vectors"),
    "Chroma's database cut off": (lambda data: cut(data / "chroma" / "chroma.sqlite3"), "vector-store"),
    "Chroma's database empty": (lambda data: (data / "chroma" / "chroma.sqlite3").write_bytes(b""), "vectors"),
    "Chroma's database overwritten": (
        lambda data: (data / "chroma" / "chroma.sqlite3").write_bytes(b"no database" * 5000),
        "vector-store",
    ),
    "no vector files": (
        lambda data: [shutil.rmtree(path.parent) for path in data.glob("chroma/*/header.bin")],
        "vectors",
    ),
    "no text index": (lambda data: shutil.rmtree(data / "lexical"), "text-index"),
    "a text index without its list": (lambda data: one(data, "lexical/*/meta.json").unlink(), "text-index"),
    "a broken list of the text index": (lambda data: cut(one(data, "lexical/*/meta.json")), "text-index"),
    "a flipped byte in the postings": (lambda data: flip(one(data, "lexical/*/*.idx")), "text-index"),
    "a flipped byte in the terms": (lambda data: flip(one(data, "lexical/*/*.term")), "text-index"),
    "a flipped byte in the store": (lambda data: flip(one(data, "lexical/*/*.store")), "text-index"),
    "a segment file gone": (lambda data: one(data, "lexical/*/*.pos").unlink(), "text-index"),
    "an unknown text index": (lambda data: (data / "lexical" / "nobody").mkdir(), "orphans"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", DAMAGE)
def test_the_doctor_finds_and_mends(whole, tmp_path, what):
    settings, wanted = whole
    damage, kind = DAMAGE[what]
    data = copied(settings, tmp_path / "data")
    damage(data.data_dir)
    found = examine(data, open_library=word_library)
    assert not found.ok
    assert kind in {problem.kind for problem in found.problems}
    assert all(problem.what and problem.fix for problem in found.problems)
    after = examine(data, fix=True, open_library=word_library)
    assert after.problems == ()
    assert kind in {problem.kind for problem in after.mended}
    with quick(data) as footnote:
        assert_equal(contents(footnote), wanted)
        for leg in (footnote.index("default").keyword_search, footnote.index("default").vector_search):
            assert leg("birch", 1)[0].chunk.text.startswith("birch is here.")
    rest(data)


@pytest.mark.slow
@pytest.mark.parametrize("what", DAMAGE)
def test_a_search_over_a_damaged_index_repairs_it_or_says_how_to(whole, tmp_path, what):
    settings, wanted = whole
    data = copied(settings, tmp_path / "data")
    DAMAGE[what][0](data.data_dir)
    with quick(data) as footnote:
        try:
            hits = footnote.search("birch", 3)
        except FootnoteError as error:
            assert "footnote doctor" in str(error)  # noqa: PT017 - either is right
        else:
            assert hits[0].chunk.text.startswith("birch is here.")
            for leg in (footnote.index("default").keyword_search, footnote.index("default").vector_search):
                assert leg("birch", 1)[0].chunk.text.startswith("birch is here.")
        kept = footnote.index("default").docstore.count_chunks(1)
        assert kept == sum(len(chunks) for chunks in wanted.values())
    rest(data)


def test_an_open_process_notices_that_the_text_index_is_gone(whole, tmp_path):
    data = copied(whole[0], tmp_path / "data")
    with quick(data) as footnote:
        search = footnote.index("default").keyword_search
        assert search("birch", 1)[0].chunk.text.startswith("birch is here.")
        shutil.rmtree(data.data_dir / "lexical")
        assert search("birch", 1)[0].chunk.text.startswith("birch is here.")
    rest(data)


@pytest.mark.slow
def test_the_doctor_does_no_harm_to_a_folder_in_use(whole, tmp_path):
    """Collections come, and their vectors are made anew, while it looks for what belongs to nobody."""
    data = copied(whole[0], tmp_path / "data")
    done, problems = threading.Event(), []

    def work() -> None:
        turn = 0
        with quick(data) as footnote:
            while not done.is_set():
                turn += 1
                path = tmp_path / f"{turn}.txt"
                path.write_text(f"turn{turn} is here.")
                footnote.ingest([path], collection=f"Collection {turn}")
                index = footnote.index("default")
                with writing(index, "rebuild"):
                    rebuild_vectors(index, index.embedders()["current"])
                if not footnote.search(f"turn{turn}", 1, collection=f"Collection {turn}"):
                    problems.append(turn)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(6):
            assert examine(data, fix=True, open_library=word_library) == Diagnosis()
    finally:
        done.set()
        worker.join(60)
    assert problems == []
    rest(data)


def test_a_data_folder_without_its_document_store_is_reported(whole, tmp_path):
    data = copied(whole[0], tmp_path / "data")
    (data.data_dir / "footnote.sqlite").unlink()
    (problem,) = examine(data, fix=True, open_library=word_library).problems
    assert problem.kind == "documents"
    assert "footnote restore FILE" in problem.fix


def test_a_broken_document_database_is_reported_as_needing_a_backup(whole, tmp_path):
    data = copied(whole[0], tmp_path / "data")
    path = data.data_dir / "footnote.sqlite"
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = bytes(64)
    path.write_bytes(content)
    found = examine(data, fix=True, open_library=word_library)
    assert {problem.kind for problem in found.problems} == {"documents"}
    assert any("footnote restore FILE" in problem.fix for problem in found.problems)
    with pytest.raises(FootnoteError, match="is damaged"), quick(data) as footnote:
        footnote.search("birch", 1)


def test_a_broken_sqlite_index_is_rebuilt(whole, tmp_path):
    data = copied(whole[0], tmp_path / "data")
    path = data.data_dir / "footnote.sqlite"
    with closing(sqlite3.connect(path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'chunks_by_embed_key'").fetchone()
        size = db.execute("PRAGMA page_size").fetchone()[0]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:  # an empty leaf: every row is missing from the index
        file.seek((root - 1) * size)
        file.write(bytes([10, 0, 0, 0, 0, size >> 8, size & 255, 0]))
    assert {problem.kind for problem in examine(data, open_library=word_library).problems} == {"documents"}
    assert examine(data, fix=True, open_library=word_library).ok


@pytest.mark.slow
def test_a_read_only_disk_is_reported_and_nothing_changes(tmp_path, whole):
    with mounted(tmp_path / "locked", "300m") as locked:
        data = copied(whole[0], locked / "data")
        subprocess.run(["mount", "-o", "remount,ro", locked], check=True)
        with pytest.raises(StoreError, match="Check that the folder is writable"), quick(data) as footnote:
            footnote.ingest([tmp_path])
        assert "disk" in {problem.kind for problem in examine(data, fix=True, open_library=word_library).problems}
        subprocess.run(["mount", "-o", "remount,rw", locked], check=True)
        with quick(data) as footnote:
            assert_equal(contents(footnote), whole[1])
        assert examine(data, open_library=word_library).ok
        rest(data)


@pytest.mark.slow
def test_doctor_on_the_command_line(sampled, tmp_path):
    settings = sampled.settings
    places = {"FOOTNOTE_DATA_DIR": str(settings.data_dir), "FOOTNOTE_CHROMA_URL": settings.chroma_url}
    command = [sys.executable, "-m", "app", "doctor", "--json"]
    done = subprocess.run(command, env={**os.environ, **places}, cwd=ROOT, capture_output=True, check=False)
    found = json.loads(done.stdout)
    assert (found["ok"], found["problems"], found["mended"]) == (True, [], [])
    assert done.returncode == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(0o700)
    (elsewhere / ".restore-old").mkdir(0o700)
    environment = {**os.environ, "FOOTNOTE_DATA_DIR": str(elsewhere)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=False)
    found = json.loads(done.stdout)
    assert (done.returncode, found["ok"], found["problems"][0]["kind"]) == (1, False, "leftovers")
    assert set(found["problems"][0]) == {"kind", "what", "fix"}
    done = subprocess.run([*command, "--fix"], env=environment, cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (0, True)
