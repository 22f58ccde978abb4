"""The periods of documents are found when they are ingested, shown, filtered by, upgraded and restored."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from durability import quick, rest, word_library
from typer.testing import CliRunner

from app.cli.commands import cli
from app.models import Answer
from ingest.docstore.store import DocStore
from ingest.errors import QuestionError
from ingest.filters import Filter
from ingest.library import DOCUMENTS
from ingest.maintenance.archived_rows import copy_documents
from ingest.maintenance.backup import write_backup
from ingest.maintenance.doctor import examine
from ingest.maintenance.restore import restore_backup
from ingest.text import DocumentPeriods

pytestmark = pytest.mark.usefixtures("shared_chroma")

REPORTED = {
    "2023 Q1 Acme.txt": ("2022-12-31", "2023-Q1"),
    "annual_2022.txt": ("2022",),
    "notes.txt": (),
}
FOUND = DocumentPeriods(frozenset({"2023-Q1", "2023"}), "2022-12-31", frozenset({"2022-12-31", "2023-01-20"}))


@pytest.fixture
def folder(write):
    first = write(
        "2023 Q1 Acme.txt", "The quarter ended December 31, 2022.\n\nShares as of January 20, 2023. Sales fell."
    )
    write("annual_2022.txt", "Sales of all products grew.")
    write("notes.txt", "Sales are discussed on Mondays.")
    return first.parent


@pytest.fixture
def filled(settings, folder):
    with quick(settings) as footnote:
        footnote.ingest([folder])
        yield footnote


@pytest.fixture
def command(filled):
    def invoke(*arguments: object):
        variables = {"FOOTNOTE_DATA_DIR": str(filled.settings.data_dir), "COLUMNS": "200"}
        return CliRunner().invoke(cli, list(map(str, arguments)), obj=word_library, env=variables)

    return invoke


def named(source: str) -> str:
    return source.rsplit("/", 1)[-1]


def reported(footnote) -> dict[str, tuple[str, ...]]:
    return {named(row.source): row.periods for row in footnote.documents("default")}


def searched(footnote, *periods: str) -> set[str]:
    hits = footnote.search("sales", 10, within=Filter.of(periods=periods))
    return {named(hit.chunk.source) for hit in hits}


def test_documents_report_on_the_periods_of_their_names_and_the_first_day_of_their_opening(filled, folder, write):
    assert reported(filled) == REPORTED
    write("notes.txt", "On 5 May 2024: sales are discussed.")
    filled.ingest([folder])
    assert reported(filled) == REPORTED | {"notes.txt": ("2024-05-05",)}
    filled.remove(str(folder))
    assert filled.choices("default").periods == ()


def test_only_documents_of_a_period_are_searched_and_answer(filled):
    assert searched(filled, "Q1 2023") == {"2023 Q1 Acme.txt"}
    assert searched(filled, "2022") == {"2023 Q1 Acme.txt", "annual_2022.txt"}
    assert searched(filled, "December 2022", "2024") == {"2023 Q1 Acme.txt"}
    asked = filled.ask("What grew?", within=Filter.of(periods=["2022"], types=["txt"]))
    answer = next(event for event in asked if isinstance(event, Answer))
    assert answer.within.periods == ("2022",)
    assert "notes.txt" not in {named(one.document) for one in (*answer.citations, *answer.nearest)}


@pytest.mark.parametrize("period", ["Q4 2022", "2023-01-20", "2024"])
def test_an_error_about_a_period_without_documents_lists_the_periods(filled, period):
    with pytest.raises(QuestionError, match=r"Available periods: 2022, 2022-12, 2023, 2023-Q1\. `footnote report`"):
        searched(filled, period)


def test_the_command_line_shows_periods_and_filters_by_them(command, folder):
    documents = json.loads(command("report", "--json").stdout)["documents"]
    assert {named(one["document"]): tuple(one["periods"]) for one in documents} == REPORTED
    assert "2022-12-31, 2023-Q1" in command("report").stdout
    assert "periods" not in command("report", folder / "notes.txt").stdout.splitlines()[0]
    for name in ("search", "ask"):
        found = json.loads(command(name, "sales", "--period", "Q1 2023", "--period", "2023-q1", "--json").stdout)
        assert found["filter"] == {"periods": ["2023-Q1"]}
        listed = found.get("hits") or found["citations"] or found["nearest"]
        assert {named(one["document"]) for one in listed} == {"2023 Q1 Acme.txt"}
    wrong = command("search", "sales", "--period", "last year")
    assert wrong.exit_code == 2
    assert "'last year' is not a period." in " ".join(wrong.stderr.split())


def test_a_store_of_format_5_gets_periods_from_its_stored_text(filled, settings, tmp_path):
    version = filled.search("Shares as of January", 1)[0].chunk.version_id
    copy = tmp_path / "copy.sqlite"
    filled.library.docstore.database.copy_to(copy)
    with closing(sqlite3.connect(copy)) as db:
        db.execute("DROP TABLE periods")
        db.execute("ALTER TABLE token_vectors DROP COLUMN others")
        db.execute("PRAGMA user_version = 5")
        db.commit()
    restored = tmp_path / "restored.sqlite"
    copy_documents(copy, restored, lambda _column, value: value)
    for path in (restored, copy):  # restored first: opening the copy upgrades it
        with closing(DocStore.open(path)) as store:
            rows = store.holdings.documents(store.catalog.collection("default").id)
            assert {named(row.source): row.periods for row in rows} == REPORTED
            assert store.periods.of(version) == FOUND


@pytest.mark.slow
def test_a_restored_backup_has_the_periods_and_the_filters_of_conversations(filled, settings, tmp_path):
    within = Filter.of(periods=["Q1 2023"])
    chat = filled.conversations.create("default", within)
    exchange = filled.conversations.add_question(chat.id, "What fell?")
    answer = next(event for event in filled.ask("What fell?", within=within) if isinstance(event, Answer))
    filled.conversations.keep(exchange, answer)
    write_backup(filled.library, tmp_path / "backup.zip")
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    restore_backup(tmp_path / "backup.zip", elsewhere, word_library)
    with quick(elsewhere) as footnote:
        assert reported(footnote) == REPORTED
        assert searched(footnote, "2022-12-31") == {"2023 Q1 Acme.txt"}
        (conversation,) = footnote.conversations.all()
        assert conversation.within == within
        assert footnote.conversations.exchanges(chat.id)[0].answer.within == within
    rest(elsewhere)
    assert examine(elsewhere, open_library=word_library).ok
    assert (elsewhere.data_dir / DOCUMENTS).exists()
