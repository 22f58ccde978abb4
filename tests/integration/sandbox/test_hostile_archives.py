"""Tests hostile archives: nothing in them is executed, and no other file is changed."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import asdict, fields, replace

import pytest
from durability import contents, quick, word_library
from faults import failing, room_left

from app.models import Answer, Citation, Quote, Sentence, Usage
from ingest.errors import BackupError, EmbedderError
from ingest.library import Library
from ingest.maintenance.archived_rows import DOCUMENT_TABLES
from ingest.maintenance.backup import write_backup
from ingest.maintenance.restore import MOST_MANIFEST, restore_backup


@pytest.fixture
def archive(settings, tmp_path):
    path = tmp_path / "backup.zip"
    with quick(settings) as footnote:
        upload = footnote.save_upload("note.txt", io.BytesIO(b"juniper berries are blue."))
        footnote.ingest([upload])
        conversation = footnote.conversations.create("default")
        exchange = footnote.conversations.add_question(conversation.id, "What is blue?")
        answer = next(one for one in footnote.ask("juniper berries are blue") if isinstance(one, Answer))
        footnote.conversations.keep(exchange, answer)
        write_backup(footnote.library, path)
    return path


@pytest.fixture
def elsewhere(settings, tmp_path):
    return settings.model_copy(update={"data_dir": tmp_path / "elsewhere" / "data"})


def changed(archive, *statements: str, name: str = "footnote.sqlite", **values: object) -> None:
    """Runs statements on a database of the archive, and writes the archive as its maker would."""
    with zipfile.ZipFile(archive) as whole:
        members = {one.filename: whole.read(one) for one in whole.infolist()}
    file = archive.with_suffix(".sqlite")
    file.write_bytes(members[name])
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            db.execute(statement, values if ":" in statement else {})
    members[name] = file.read_bytes()
    manifest = json.loads(members["manifest.json"])
    manifest["files"][name] = {"size": len(members[name]), "sha256": hashlib.sha256(members[name]).hexdigest()}
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(archive, "w") as out:
        for one, content in members.items():
            out.writestr(one, content)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "statements",
    [
        (f"CREATE TRIGGER t AFTER UPDATE ON documents BEGIN {ENDLESS}; END",),
        (f"CREATE TRIGGER t AFTER INSERT ON versions BEGIN {ENDLESS}; END",),
        ("CREATE TRIGGER t AFTER UPDATE ON collections BEGIN DELETE FROM versions; END",),
        (f"CREATE VIEW v AS {ENDLESS}",),
        ("CREATE INDEX i ON documents (zeroblob(400000000))", "DROP INDEX i", "CREATE TABLE more (x)"),
        ("CREATE VIRTUAL TABLE f USING fts5(x)",),
    ],
)
def test_an_archive_with_code_to_run_is_refused(archive, elsewhere, statements):
    changed(archive, *statements)
    restore_backup(archive, elsewhere, word_library)
    with closing(sqlite3.connect(elsewhere.data_dir / "footnote.sqlite")) as db:
        made = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')")}
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert made == {"stored_versions", "stored_chunks"}  # Footnote's own
    assert tables <= {*DOCUMENT_TABLES, "jobs", "sqlite_sequence"}
    with quick(elsewhere) as footnote:
        assert len(contents(footnote)) == 1
        assert footnote.remove(str(elsewhere.data_dir / "uploads/default/note.txt")) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE collections SET uid = '../../../evil'", "contains an invalid name"),
        ("UPDATE collections SET name = '../evil'", "contains an invalid name"),
        ("UPDATE embedders SET fingerprint = 'a/b'", "contains an invalid name"),
        ("UPDATE segments SET text = x'00ff'", "contains a value of another type"),
        ("UPDATE versions SET warnings = '{'", "contains invalid JSON"),
        ("UPDATE chunks SET heading = '{}'", "contains JSON of an unexpected form"),
        ("UPDATE chunks SET heading = '[1]'", r"chunks\.heading contains JSON of an unexpected form"),
        ("UPDATE chunks SET heading = '[\"\\ud800\"]'", r"chunks\.heading contains JSON of an unexpected form"),
        ("UPDATE chunks SET start = -5", "inconsistent values"),
        ("UPDATE chunks SET start = stop + 1", "inconsistent values"),
        ("UPDATE chunks SET stop = 9000000000000", "inconsistent values"),
        ("UPDATE chunks SET text = CAST(x'eda080' AS TEXT)", "is damaged: its rows cannot be read"),
        ("ALTER TABLE chunks DROP COLUMN stop", "contains an invalid row"),
        ("UPDATE vectors SET vector = x'010203'", "contains an invalid row"),
        ("UPDATE vectors SET vector = x'0102030405060708'", "inconsistent values"),
        ("UPDATE vectors SET vector = CAST(x'0000807f' || substr(vector, 5) AS BLOB)", "inconsistent values"),
        ("UPDATE embedders SET dimensions = 1000000000", "inconsistent values"),
        ("UPDATE segments SET places = x'ffffffff'", "contains an invalid row"),
        ("UPDATE segments SET page_spans = '[1]'", "contains JSON of an unexpected form"),
        ('UPDATE segments SET page_spans = \'[{"number": 1, "start": 5, "end": 999}]\'', "inconsistent values"),
        ("UPDATE versions SET reading = '{\"x\": 1}'", "contains JSON of an unexpected form"),
        ("UPDATE versions SET warnings = '[{}]'", "contains JSON of an unexpected form"),
        ("UPDATE documents SET updated = 9e999", "contains an invalid time"),
        ("UPDATE documents SET source = 'a' || char(0)", "contains an invalid name"),
        ("UPDATE chunks SET version = 'none'", "are inconsistent|refer to rows"),
        ("UPDATE documents SET collection = 99", "are inconsistent|refer to rows"),
        ("INSERT INTO periods SELECT id, 'named', '2023-02-31' FROM versions", "inconsistent values"),
        ("INSERT INTO periods SELECT id, 'named', 'Q3 2023' FROM versions", "inconsistent values"),
        ("ALTER TABLE documents ADD COLUMN more AS (zeroblob(900000000))", "unknown columns"),
        ("PRAGMA user_version = 0", "is unknown"),
        ("DROP TABLE collections", "are inconsistent|refer to rows"),
    ],
)
def test_values_that_footnote_would_not_have_written_are_refused(archive, elsewhere, statement, said):
    changed(archive, statement)
    with pytest.raises(BackupError, match=said):
        restore_backup(archive, elsewhere, word_library)
    assert not elsewhere.data_dir.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE exchanges SET answer = '{}'", "exchanges.answer contains JSON of an unexpected form"),
        ("UPDATE exchanges SET answer = json_remove(answer, '$.nearest')", "exchanges.answer contains JSON"),
        ("UPDATE exchanges SET answer = json_set(answer, '$.more', 1)", "exchanges.answer contains JSON"),
        ("UPDATE exchanges SET answer = json_set(answer, '$.citations[0].n', 'one')", "exchanges.answer contains JSON"),
        ("UPDATE exchanges SET answer = json_set(answer, '$.sentences[0].start', -1)", "answer contains JSON"),
        ("UPDATE exchanges SET answer = json_set(answer, '$.within', json('{\"tags\": 5}'))", "answer contains JSON"),
        ("UPDATE exchanges SET earlier = '[{\"x\": 1}]'", "exchanges.earlier contains JSON of an unexpected form"),
        ("UPDATE conversations SET filter = '{\"tags\": 5}'", "filter contains JSON of an unexpected form"),
        ('UPDATE conversations SET filter = \'{"since": "never"}\'', "conversations.filter contains JSON"),
        ('UPDATE conversations SET filter = \'{"periods": ["soon"]}\'', "conversations.filter contains JSON"),
        ("UPDATE conversations SET updated = 9e999", "conversations.updated contains an invalid time"),
    ],
)
def test_conversations_that_could_not_be_opened_are_refused(archive, elsewhere, statement, said):
    changed(archive, statement, name="chats.sqlite")
    with pytest.raises(BackupError, match=said):
        restore_backup(archive, elsewhere, word_library)
    assert not elsewhere.data_dir.exists()


def everything(kind: type) -> dict[str, object]:
    """A value for every field of a dataclass of answers, those with defaults included."""
    values = {"int": 1, "str": "words", "bool": True, "bool | None": None, "int | None": 2, "float | None": 0.5}
    values |= {"tuple[str, ...]": ["words"], "tuple[int, ...]": [1], "dict[str, float]": {"search": 0.1}}
    values |= {"tuple[tuple[int, int], ...]": [[0, 5]], "Filter": {"tags": ["draft"], "since": "2026-01-31"}}
    values |= {f"tuple[{one.__name__}, ...]": one for one in (Citation, Quote, Sentence)} | {"Usage | None": Usage}
    found = {one.name: values[str(one.type)] for one in fields(kind)}
    listed = {name: [everything(one)] for name, one in found.items() if one in (Citation, Quote, Sentence)}
    return found | listed | {name: everything(one) for name, one in found.items() if one is Usage}


def test_answers_with_every_field_that_there_is_are_restored(archive, elsewhere):
    answer = everything(Answer)
    statement = "UPDATE exchanges SET answer = :answer, earlier = :earlier"
    changed(archive, statement, name="chats.sqlite", answer=json.dumps(answer), earlier=json.dumps([None, answer["usage"]]))  # fmt: skip  # noqa: E501
    restore_backup(archive, elsewhere, word_library)
    with quick(elsewhere) as footnote:
        (conversation,) = footnote.conversations.all()
        (exchange,) = footnote.conversations.exchanges(conversation.id)
    assert json.loads(json.dumps(asdict(replace(exchange.answer, within=None)))) == answer | {"within": None}
    assert exchange.answer.within.as_json() == answer["within"]
    assert exchange.earlier == (None, exchange.answer.usage)


def test_a_view_instead_of_a_table_is_not_read(archive, elsewhere):
    changed(archive, "ALTER TABLE tags RENAME TO t", f"CREATE VIEW tags AS SELECT i AS document, i AS name FROM ({ENDLESS.replace('max(i)', 'i')})")  # fmt: skip  # noqa: E501
    restore_backup(archive, elsewhere, word_library)
    with quick(elsewhere) as footnote:
        assert footnote.choices("default").tags == ()


def test_conversations_are_held_to_the_same(archive, elsewhere):
    changed(archive, "UPDATE exchanges SET answer = '[]'", name="chats.sqlite")
    with pytest.raises(BackupError, match=r"exchanges\.answer contains JSON of an unexpected form"):
        restore_backup(archive, elsewhere, word_library)
    changed(archive, "UPDATE exchanges SET answer = NULL", f"CREATE TRIGGER t AFTER UPDATE ON exchanges BEGIN {ENDLESS}; END", name="chats.sqlite")  # fmt: skip  # noqa: E501
    restore_backup(archive, elsewhere, word_library)
    with quick(elsewhere) as footnote:
        (conversation,) = footnote.conversations.all()
        (exchange,) = footnote.conversations.exchanges(conversation.id)
        assert (exchange.question, exchange.answer) == ("What is blue?", None)
        footnote.conversations.rate(exchange.id, helpful=True)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["dots", "link", "plain"])
def test_a_document_outside_the_data_folder_is_never_deleted(archive, elsewhere, tmp_path, way):
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    (elsewhere.data_dir / "uploads").mkdir(parents=True)
    if way == "link":
        (elsewhere.data_dir / "uploads" / "link").symlink_to(tmp_path)
    names = {"dots": "uploads/../../../precious.txt", "link": "uploads/link/precious.txt"}
    source = str(elsewhere.data_dir / names[way]) if way in names else str(precious)
    changed(archive, "UPDATE documents SET source = :source", source=source)
    restore_backup(archive, elsewhere, word_library)
    with quick(elsewhere) as footnote:
        assert footnote.remove(source) == 1
    assert precious.read_text() == "mine"


def test_a_model_that_an_archive_names_is_not_fetched(archive, elsewhere):
    import sentence_transformers

    asked: list[bool] = []

    def missing(_source: str, *, local_files_only: bool = False, **_more: object) -> OSError:
        asked.append(local_files_only)
        return OSError("not here")

    changed(archive, "UPDATE embedders SET model = 'someone/evil-model'")
    restore_backup(archive, elsewhere, word_library)
    named = elsewhere.model_copy(update={"embedding_model": "someone/evil-model"})
    with failing(sentence_transformers, "SentenceTransformer", missing):
        with Library(elsewhere) as library:
            embedder = library.index("default").embedder
            said = r"Only models that you name are downloaded\. Set FOOTNOTE_EMBEDDING_MODEL=someone/evil"
            with pytest.raises(EmbedderError, match=said):
                embedder.load()
        assert asked == [True]
        with Library(named) as library, pytest.raises(EmbedderError, match="cannot be loaded"):
            library.index("default").embedder.load()
    assert asked == [True, True, False]


def test_a_manifest_that_is_too_long_is_refused(archive, elsewhere):
    with zipfile.ZipFile(archive) as whole:
        members = {one.filename: whole.read(one) for one in whole.infolist()}
    members["manifest.json"] = b" " * MOST_MANIFEST + members["manifest.json"]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for one, content in members.items():
            out.writestr(one, content)
    with pytest.raises(BackupError, match="its manifest cannot be read"):
        restore_backup(archive, elsewhere, word_library)


def test_an_archive_that_has_no_room_is_refused_before_it_is_unpacked(archive, elsewhere):
    with zipfile.ZipFile(archive) as whole:
        members = {one.filename: whole.read(one) for one in whole.infolist()}
    manifest = json.loads(members["manifest.json"])
    manifest["files"]["footnote.sqlite"]["size"] = 10**18
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(archive, "w") as out:
        for one, content in members.items():
            out.writestr(one, content)
    with pytest.raises(BackupError, match="too little space: the restore needs"):
        restore_backup(archive, elsewhere, word_library)


def test_there_must_be_room_for_the_databases_while_they_are_copied(archive, elsewhere):
    with zipfile.ZipFile(archive) as whole:
        sizes = {one.filename: one.file_size for one in whole.infolist() if one.filename != "manifest.json"}
    copied = max(sizes["footnote.sqlite"], sizes["chats.sqlite"])
    free = sum(sizes.values()) + 2 * copied
    with room_left(free - 1), pytest.raises(BackupError, match="has too little space"):
        restore_backup(archive, elsewhere, word_library)
    with room_left(free):
        assert restore_backup(archive, elsewhere, word_library).documents == 1
