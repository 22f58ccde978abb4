"""Data folders of every format that was ever written are opened; those of a newer Footnote are left alone."""

from __future__ import annotations

import sqlite3
import tarfile
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import tantivy
from durability import copied, killed_at, quick, rest, steps_of, word_library

from app.bootstrap import open_footnote
from app.footnote import Footnote
from ingest.docstore.database import Database
from ingest.docstore.schema import SCHEMA, SCHEMA_VERSION
from ingest.docstore.store import DocStore
from ingest.embedding import Embedder
from ingest.errors import DocumentStoreError
from ingest.index import Sizes
from ingest.index.recovery import rebuild_text
from ingest.index.writer import writing
from ingest.lexical.store import AS_WRITTEN, LexicalStore
from ingest.lexical.writer import ANALYZER, FIRST_SCHEMA, LexicalEntry, LexicalWriter
from ingest.library import Library
from ingest.maintenance.archived_rows import copy_documents
from ingest.maintenance.archived_values import NotOurs
from ingest.maintenance.doctor import examine

FIXTURES = Path(__file__).parents[2] / "fixtures"
ARCHIVES = sorted(FIXTURES.glob("index-*.tar.gz"))


# Those whose text index has not the fields of today.
OUTDATED = [path for path in ARCHIVES if path.name < "index-4"]


def named(path: Path) -> str:
    return path.name.partition(".")[0]


@pytest.fixture
def embedded() -> list[str]:
    """Returns the chunk texts embedded by `opened`, as they are embedded."""
    return []


@pytest.fixture(params=ARCHIVES, ids=named)
def opened(request, settings, embedded):
    class Counting(Embedder):
        def encode_chunks(self, texts):
            embedded.extend(texts)
            return super().encode_chunks(texts)

    with tarfile.open(request.param) as archive:
        archive.extractall(settings.data_dir, filter="data")
    with open_footnote(settings, partial(Library, open_embedder=Counting)) as footnote:
        yield footnote


def test_there_is_a_data_folder_of_todays_format():
    assert f"index-{SCHEMA_VERSION}.tar.gz" in {path.name for path in ARCHIVES}


def test_an_index_of_every_format_answers_and_keeps_its_conversations(opened):
    hits = opened.search("How long may parents stay at home?", 1)
    assert "twenty-six weeks" in hits[0].chunk.text
    *_, answer = opened.ask("How long is parental leave?")
    assert answer.text == "Parental leave is twenty-six weeks at full pay. [1]"
    assert opened.search("tickets", 1, collection="Second")[0].chunk.source == "/srv/documents/travel.txt"
    (conversation,) = opened.conversations.all()
    first, second, third = opened.conversations.exchanges(conversation.id)
    assert "twenty-six weeks" in first.answer.text
    assert second.answer.citations
    assert third.answer is None
    assert (first.answer.usage, first.answer.prompt) == (None, "")
    opened.conversations.rate(first.id, helpful=True)
    assert opened.conversations.exchanges(conversation.id)[0].helpful is True
    citation = first.answer.citations[0]
    assert opened.surroundings(citation).quote == citation.quote


@pytest.mark.slow
def test_an_index_of_every_format_is_well_and_can_be_written_to(opened, write, embedded):
    opened.ingest([write("parking.txt", "Parking is free on Sundays.")])
    assert embedded == ["Parking is free on Sundays."]  # what was there keeps its vectors
    assert opened.remove("/srv/documents/keys.html") == 1
    opened.ingest([write("more.txt", "Bicycles stand in the yard.")], collection="Second")
    assert {one.kind for one in examine(opened.settings).problems} <= {"tokens"}  # older formats have none
    assert all(row.kept for name in opened.collections() for row in opened.index(name).embedders().values())
    status = {one.name: one for one in opened.status()}["default"]
    assert (status.documents, status.embedding_model) == (3, "all-MiniLM-L6-v2")


@pytest.mark.slow
def test_the_doctor_gives_an_index_of_every_format_vectors_of_its_tokens(opened):
    assert examine(opened.settings, fix=True).problems == ()
    for name in opened.collections():
        index = opened.index(name)
        chunks = index.docstore.chunk_ids(index.collection.id)
        assert index.token_scores("How long may parents stay at home?", chunks).keys() == set(chunks)


@pytest.mark.slow
@pytest.mark.parametrize("opened", OUTDATED, ids=named, indirect=True)
def test_an_older_text_index_is_searched_unchanged_and_rebuilt_by_the_next_writer(opened, write):
    lexical = opened.index("default").lexical
    assert lexical.outdated
    before = [hit.chunk.id for hit in opened.search("How long may parents stay at home?", 5)]
    assert lexical.outdated  # a reader changes nothing
    report = opened.ingest([write("empty.bin", b"")])  # nothing of it is written
    assert report.count("added") == 0
    assert not lexical.outdated
    assert [hit.chunk.id for hit in opened.search("How long may parents stay at home?", 5)] == before
    assert opened.index("Second").lexical.outdated  # a collection nobody wrote to
    assert opened.search("tickets", 1, collection="Second")


def test_numbers_are_found_in_an_older_text_index_by_its_own_terms(tmp_path):
    written = [LexicalEntry("1", "1", "The limit is 3 5 percent.", "", "a.txt")]  # as 3.5 was indexed before
    today, older = LexicalStore(tmp_path / "index"), LexicalStore(tmp_path / "older")
    with today.writing() as writer:
        writer.add(written)
        writer.commit()
    write_as_before(older.folder, written)
    assert not today.outdated
    assert older.outdated
    assert today.search("3.5", 5) == []
    assert [chunk_id for chunk_id, _ in older.search("3.5", 5)] == ["1"]


def write_as_before(folder: Path, entries: Sequence[LexicalEntry]) -> None:
    """A text index without windows, in which nothing says what it was made with."""
    folder.mkdir()
    index = tantivy.Index(FIRST_SCHEMA, path=str(folder))
    index.register_tokenizer(ANALYZER, AS_WRITTEN)
    writer = LexicalWriter(index.writer(), folder, windows=False)
    writer.add(entries)
    writer.commit()
    (folder / "analysis").unlink()


def ingest_folder(footnote: Footnote, folder: Path) -> None:
    footnote.ingest([folder])


@pytest.mark.slow
def test_a_renewal_that_is_killed_at_any_step_is_done_by_the_next_writer(settings, tmp_path, write):
    with quick(settings) as footnote:
        footnote.ingest([write("a.txt", "apple maxRetryCount is 3.5 here.")])
        index = footnote.index("default")
        chunks = index.docstore.indexed_chunks(index.docstore.chunk_ids(index.collection.id))
    rest(settings)
    index.lexical.wipe()
    entries = [LexicalEntry(one.chunk.id, one.chunk.version_id, one.chunk.text, "", "a.txt") for one in chunks]
    write_as_before(index.lexical.folder, entries)
    work = partial(ingest_folder, folder=tmp_path / "docs")
    steps = steps_of(copied(settings, tmp_path / "counted"), work)
    assert steps == [
        f"Lexical{one}"
        for one in ("Store.mark", "Writer.clear", "Writer.delete", "Writer.add", "Writer.commit", "Store.switch")
    ]
    for step in range(1, len(steps) + 1):
        killed = copied(settings, tmp_path / f"killed{step}")
        killed_at(killed, work, step)
        with quick(killed) as footnote:
            lexical = footnote.index("default").lexical
            assert lexical.outdated is (step < len(steps))
            assert footnote.search("apple retry", 1)[0].chunk.text.startswith("apple")
            footnote.ingest([tmp_path / "docs"])
            assert not lexical.outdated
            assert [chunk for chunk, _ in lexical.search("retry", 5)] == lexical.ids()
            assert len(lexical.search("3.5", 5)) == 1
        assert examine(killed, open_library=word_library).problems == ()


@pytest.mark.parametrize("name", ["footnote.sqlite", "chats.sqlite"])
def test_a_data_folder_of_a_newer_version_is_refused_and_left_unchanged(settings, tmp_path, name, write):
    with quick(settings) as footnote:
        footnote.ingest([write("a.txt", "apple one.")])
    rest(settings)
    newer = copied(settings, tmp_path / "newer")
    with closing(sqlite3.connect(newer.data_dir / name)) as db:
        db.execute("PRAGMA user_version = 99")
    before = (newer.data_dir / name).read_bytes()
    with pytest.raises(DocumentStoreError, match=r"newer Footnote \(format 99"), quick(newer):
        pass
    assert (newer.data_dir / name).read_bytes() == before


def test_a_migration_that_fails_changes_nothing(tmp_path):
    with tarfile.open(FIXTURES / "index-2.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    path = tmp_path / "footnote.sqlite"
    # The migration to format 3 changes the rows of documents after all tables.
    trigger = "CREATE TRIGGER broken AFTER UPDATE ON documents BEGIN INSERT INTO nowhere VALUES (1); END"
    with closing(sqlite3.connect(path)) as db:
        db.execute(trigger)
    with pytest.raises(DocumentStoreError, match="nowhere"):
        DocStore.open(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert db.execute("SELECT embedding_model FROM collections").fetchone() == ("all-MiniLM-L6-v2",)
        db.execute("DROP TRIGGER broken")
    with closing(DocStore.open(path)) as store:
        assert store.catalog.embedders(1)["current"].model == "all-MiniLM-L6-v2"


def columns(path: Path) -> dict[str, set[str]]:
    with closing(sqlite3.connect(path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: {row[1] for row in db.execute(f"PRAGMA table_info({table})")} for table in tables}


def test_a_document_store_of_the_first_format_is_migrated_to_the_current_schema(tmp_path):
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    with closing(sqlite3.connect(old)) as db:
        db.executescript((FIXTURES / "schema-1.sql").read_text() + "PRAGMA user_version = 1;")
        db.execute("INSERT INTO collections (uid, name, created) VALUES ('u', 'mine', 0)")
        db.execute("INSERT INTO failures VALUES (1, '/a.pdf', 'sha', 'p', 'broken', 0)")
        db.commit()
    with closing(DocStore.open(old)) as store:
        (row,) = store.holdings.documents(store.catalog.collection("mine").id)
        assert (row.status, row.error, row.reading.seconds) == ("failed", "broken", 0)
    DocStore.open(new).close()
    assert columns(old) == columns(new)


@pytest.mark.slow
def test_a_text_index_is_restored_after_an_interrupted_switch_and_no_file_remains(settings, write):
    with quick(settings) as footnote:
        footnote.ingest([write("a.txt", "apple one.")])
        folder = footnote.index("default").lexical.folder
    rest(settings)
    folder.rename(folder.with_name(f"{folder.name}.old"))
    folder.with_name(f"{folder.name}.new").mkdir()
    with quick(settings) as footnote:
        assert footnote.search("apple", 1)
        footnote.ingest([write("b.txt", "banana two.")])
    assert [one.name for one in folder.parent.iterdir()] == [folder.name]
    assert examine(settings, open_library=word_library).problems == ()


def test_a_rebuilt_text_index_holds_all_parts_of_a_document(settings, write):
    with quick(settings, sizes=Sizes(part=3)) as footnote:
        footnote.ingest([write(f"{name}.txt", " ".join(f"w{i}" for i in range(600))) for name in "ab"])
        index = footnote.index("default")
        wanted = index.lexical.ids()
        assert len(wanted) > 6
        with writing(index, "test"):
            rebuild_text(index)
        assert index.lexical.ids() == wanted


def test_model_facts_of_format_2_are_validated_too(tmp_path):
    old = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(old)) as db:
        db.execute("CREATE TABLE collections (id, uid, name, created, embedding_model, fingerprint, dimensions)")
        db.execute("INSERT INTO collections VALUES (1, '0123456789ab', 'default', 5.0, 'm', '../evil', 3)")
        db.execute("PRAGMA user_version = 2")
        db.commit()
    with pytest.raises(NotOurs, match=r"embedders\.fingerprint contains an invalid name"):
        copy_documents(old, tmp_path / "new.sqlite", lambda _column, value: value)


def test_a_store_of_format_2_becomes_one_of_today(tmp_path):
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    with closing(Database(old, SCHEMA, SCHEMA_VERSION)) as database, database.transaction() as db:
        db.execute("ALTER TABLE collections ADD COLUMN embedding_model TEXT NOT NULL DEFAULT 'm'")
        db.execute("ALTER TABLE collections ADD COLUMN fingerprint TEXT NOT NULL DEFAULT 'abc'")
        db.execute("ALTER TABLE collections ADD COLUMN dimensions INTEGER NOT NULL DEFAULT 3")
        for table in ("embedders", "vectors", "token_vectors", "tags", "segments", "periods"):
            db.execute(f"DROP TABLE {table}")
        db.execute("ALTER TABLE versions ADD COLUMN text TEXT NOT NULL DEFAULT ''")
        db.execute("ALTER TABLE versions ADD COLUMN page_spans TEXT NOT NULL DEFAULT '[]'")
        db.execute("ALTER TABLE versions ADD COLUMN places BLOB NOT NULL DEFAULT x''")
        db.execute("INSERT INTO collections (id, uid, name, created) VALUES (1, '0123456789ab', 'default', 5.0)")
        db.execute("INSERT INTO documents (id, collection, source, updated) VALUES ('d', 1, '/a/b.TXT', 5.0)")
        db.execute(
            "INSERT INTO versions (id, document, status, content_sha, pipeline, title, text, warnings, size, created)"
            " VALUES ('v', 'd', 'active', 's', 'p', '', 'Bücher', '[]', 7, 5.0)"
        )
        db.execute("PRAGMA user_version = 2")
    with closing(sqlite3.connect(old)) as db:
        db.execute("PRAGMA user_version = 2")
        db.execute("PRAGMA journal_mode = DELETE")
    copy_documents(old, new, lambda _column, value: value)
    with closing(sqlite3.connect(new)) as db:
        assert db.execute(
            "SELECT collection, role, model, fingerprint, dimensions, kept FROM embedders"
        ).fetchall() == [(1, "current", "m", "abc", 3, 0)]
        assert db.execute("SELECT type FROM documents").fetchone() == ("txt",)
        assert db.execute("SELECT text_bytes FROM versions").fetchone() == (7,)
        assert db.execute("SELECT version, start, stop, text FROM segments").fetchall() == [("v", 0, 6, "Bücher")]
