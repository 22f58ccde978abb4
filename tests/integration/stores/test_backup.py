"""Tests backups: an archive taken during use restores the same answers elsewhere, without embedding again."""

from __future__ import annotations

import fcntl
import io
import json
import random
import shutil
import sqlite3
import threading
import zipfile
from functools import partial
from pathlib import Path

import pytest
from durability import WordModel, assert_equal, contents, quick, rest, word_library
from faults import failing

from app.models import Answer
from ingest.docstore.database import Database
from ingest.errors import BackupError
from ingest.filters import Filter
from ingest.index.reembedding import reembed
from ingest.maintenance.backup import write_backup
from ingest.maintenance.doctor import examine
from ingest.maintenance.restore import restore_backup


def answer(footnote, question: str) -> Answer:
    return next(event for event in footnote.ask(question) if isinstance(event, Answer))


@pytest.fixture
def filled(settings, tmp_path):
    """Files, an upload, a second collection, a model kept to go back to, and a conversation."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("ash", "birch", "cedar"):
        (folder / f"{name}.txt").write_text(f"{name} grows here. " + " ".join(f"{name}{i}" for i in range(150)))
    with quick(settings) as footnote:
        footnote.ingest([folder])
        upload = footnote.save_upload("note.txt", io.BytesIO(b"juniper berries are blue."))
        footnote.ingest([upload], tags=["berries"])
        footnote.ingest([folder / "ash.txt"], collection="Second")
        reembed(footnote.index("default"), "other")
        conversation = footnote.conversations.create("default", Filter(sources=(str(upload),)))
        exchange = footnote.conversations.add_question(conversation.id, "juniper berries are blue")
        footnote.conversations.keep(exchange, answer(footnote, "juniper berries are blue"))
        footnote.conversations.rate(exchange, helpful=True)
        yield footnote


@pytest.fixture
def archive(filled, tmp_path):
    path = tmp_path / "backup.zip"
    write_backup(filled.library, path)
    return path


@pytest.fixture
def elsewhere(settings, tmp_path):
    return settings.model_copy(update={"data_dir": tmp_path / "elsewhere" / "data"})


class Wordless(WordModel):
    """A model that counts tokens, but cannot embed."""

    encode_documents = None


no_model = partial(word_library, open_embedder=Wordless)


def ids(footnote, collection: str = "default") -> list[str]:
    index = footnote.index(collection)
    return index.docstore.chunk_ids(index.collection.id)


@pytest.mark.slow
def test_restored_elsewhere_it_is_the_same_and_nothing_is_embedded(filled, archive, elsewhere, tmp_path):
    facts = restore_backup(archive, elsewhere, no_model)
    assert (facts.documents, facts.conversations, facts.uploads) == (5, 1, 1)
    assert facts.size == archive.stat().st_size
    with quick(elsewhere) as footnote:
        assert ids(footnote) == ids(filled)
        assert ids(footnote, "Second") == ids(filled, "Second")
        moved = {
            source.replace(str(elsewhere.data_dir), str(filled.settings.data_dir)): chunks
            for source, chunks in contents(footnote).items()
        }
        assert_equal(moved, contents(filled))
        question = "juniper berries are blue"
        assert answer(footnote, question).text == answer(filled, question).text
        hits, before = footnote.search("birch grows", 5), filled.search("birch grows", 5)
        assert [(hit.chunk.id, pytest.approx(hit.score)) for hit in hits] == [(h.chunk.id, h.score) for h in before]
        (conversation,) = footnote.conversations.all()
        (exchange,) = footnote.conversations.exchanges(conversation.id)
        assert exchange.helpful is True
        citation = exchange.answer.citations[0]
        assert footnote.surroundings(citation).quote == citation.quote
        upload = Path(citation.document)
        assert upload.is_relative_to(elsewhere.data_dir)
        assert upload.read_text() == "juniper berries are blue."
        assert conversation.within == Filter(sources=(str(upload),))
        assert {hit.chunk.source for hit in footnote.search("blue", 5, within=Filter(tags=("berries",)))} == {
            str(upload)
        }
        assert footnote.index("default").embedders()["previous"].model == "words"
        again = footnote.ingest([upload, tmp_path / "docs"])
        assert again.count("unchanged") == 4
        assert examine(elsewhere, open_library=word_library).problems == ()


@pytest.mark.slow
def test_it_is_whole_although_it_was_taken_while_documents_were_written(filled, elsewhere, tmp_path):
    folder, done = tmp_path / "busy", threading.Event()
    folder.mkdir()

    def write() -> None:
        while not done.is_set():
            (folder / "changing.txt").write_text(f"changing {random.random()} " + " ".join(f"c{i}" for i in range(400)))
            filled.ingest([folder])
            filled.remove(str(folder / "changing.txt"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for i in range(3):
            write_backup(filled.library, tmp_path / f"{i}.zip")
    finally:
        done.set()
        writer.join(60)
    for i in range(3):
        settings = elsewhere.model_copy(update={"data_dir": tmp_path / f"restored-{i}"})
        restore_backup(tmp_path / f"{i}.zip", settings, no_model)
        with quick(settings) as footnote:
            footnote.ingest([tmp_path / "docs"])  # embeds what was not embedded when the backup was taken
            assert len(contents(footnote)) in {4, 5}
        assert examine(settings, open_library=word_library).problems == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_archive_is_refused_before_anything_is_touched(archive, elsewhere, seed):
    dice, data = random.Random(seed), bytearray(archive.read_bytes())
    if seed % 3:
        with zipfile.ZipFile(archive) as whole:
            member = whole.infolist()[seed % 2]
        # More than a bit: one alone may point at other zeros among zeros, and change nothing.
        at = member.header_offset + 120 + dice.randrange(member.compress_size - 160)
        data[at : at + 40] = dice.randbytes(40)
    else:
        del data[dice.randrange(len(data)) :]
    archive.write_bytes(data)
    with pytest.raises(BackupError, match="Nothing was changed"):
        restore_backup(archive, elsewhere, word_library)
    assert not elsewhere.data_dir.exists()


@pytest.mark.slow
def test_restored_data_replaces_indexes_that_were_in_the_folder(filled, archive, tmp_path):
    """The documents were changed since, then their database was lost; the old indexes hold as many chunks."""
    settings, path = filled.settings, tmp_path / "docs" / "birch.txt"
    path.write_text(path.read_text().replace("birch", "beech"))
    filled.ingest([tmp_path / "docs"])
    filled.close()
    rest(settings)
    for name in ("footnote.sqlite", "chats.sqlite"):
        for file in settings.data_dir.glob(f"{name}*"):
            file.unlink()
    restore_backup(archive, settings, no_model)
    with quick(settings) as footnote:
        for leg in (footnote.index("default").keyword_search, footnote.index("default").vector_search):
            assert leg("birch", 1)[0].chunk.text.startswith("birch grows")
            assert all("beech" not in hit.chunk.text for hit in leg("beech", 50))
    assert examine(settings, open_library=word_library).problems == ()


@pytest.mark.slow
@pytest.mark.parametrize("step", ["copytree", "unlink", "replace"])
def test_a_restore_that_was_cut_off_can_be_done_again(archive, elsewhere, step):
    class Killed(BaseException): ...

    place = shutil if step == "copytree" else Path
    with failing(place, step, Killed()), failing(shutil, "rmtree", Killed()), pytest.raises(Killed):
        restore_backup(archive, elsewhere, no_model)
    restore_backup(archive, elsewhere, no_model)
    assert list(elsewhere.data_dir.glob(".restore-*")) == []
    with quick(elsewhere) as footnote:
        assert len(contents(footnote)) == 4
        assert len(footnote.conversations.all()) == 1


@pytest.mark.slow
def test_a_folder_in_use_by_a_chat_is_not_replaced(archive, elsewhere):
    lock = elsewhere.data_dir / "run" / "chat.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BackupError, match="Stop it with Ctrl-C"):
            restore_backup(archive, elsewhere, word_library)


@pytest.mark.slow
def test_only_its_owner_may_read_an_archive(archive):
    assert archive.stat().st_mode & 0o077 == 0


def test_a_disk_that_is_full_for_sqlite_is_reported(filled, tmp_path):
    full = failing(Database, "copy_to", sqlite3.OperationalError("database or disk is full"))
    said = r"Could not write .*big\.zip: database or disk is full.* free some space"
    with full, pytest.raises(BackupError, match=said):
        write_backup(filled.library, tmp_path / "big.zip")
    assert list(tmp_path.glob("*.zip")) == []


def rewritten(archive: Path, change) -> None:
    with zipfile.ZipFile(archive) as whole:
        members = {one.filename: whole.read(one) for one in whole.infolist()}
    manifest = json.loads(members["manifest.json"])
    change(manifest, members)
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(archive, "w") as out:
        for name, content in members.items():
            out.writestr(name, content)


def _escape(manifest, members) -> None:
    name = "uploads/../../evil.txt"
    members[name] = b"x"
    manifest["files"][name] = {"size": 1, "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}


def _newer(manifest, _members) -> None:
    manifest["schema"] = 99


def _without_documents(manifest, members) -> None:
    del manifest["files"]["footnote.sqlite"], members["footnote.sqlite"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_escape, "manifest lists unknown files"),
        (_newer, "written by a newer Footnote"),
        (_without_documents, "manifest lists unknown files"),
        (lambda manifest, _: manifest.pop("files"), "its manifest cannot be read"),
    ],
)
def test_an_archive_that_is_not_ours_is_refused(archive, elsewhere, change, said):
    rewritten(archive, change)
    with pytest.raises(BackupError, match=said):
        restore_backup(archive, elsewhere, word_library)
    assert not elsewhere.data_dir.exists()


@pytest.mark.slow
def test_a_folder_that_is_not_empty_is_not_replaced(filled, archive):
    before = contents(filled)
    with pytest.raises(BackupError, match="is not empty"):
        restore_backup(archive, filled.settings, word_library)
    assert_equal(contents(filled), before)


def test_an_archive_that_cannot_be_written_leaves_the_one_before(filled, archive, tmp_path):
    before = archive.read_bytes()
    full = failing(zipfile.ZipFile, "writestr", OSError(28, "No space left on device"))
    with full, pytest.raises(BackupError, match="No space left on device"):
        write_backup(filled.library, archive)
    assert archive.read_bytes() == before
    assert [path.name for path in archive.parent.iterdir() if "footnote-" in path.name] == []
    with pytest.raises(BackupError, match="Choose another place"):
        write_backup(filled.library, tmp_path / "nowhere" / "backup.zip")
