"""Filters: what a user may write, and that SQL finds exactly the documents that fit."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.docstore.filtering import statement
from ingest.docstore.records import SegmentRow, VersionRow
from ingest.docstore.schema import TYPE_OF_FILE
from ingest.docstore.store import DocStore
from ingest.docstore.versions import PendingVersion
from ingest.errors import QuestionError
from ingest.filters import Filter, document_type, period_name, tag_name, under
from ingest.text import document_periods

FOLDERS = ("/a", "/a/b", "/a%", "/a_", "/a/b%c", "/ab", "/A", "/é", "https://x.org", "https://x.org/docs")
NAMES = ("one.pdf", "two.PDF", "three.md", "four", "_.txt", "%.tar.gz", "b", "0")
TAGS = ("contract", "draft", "ärger")
PERIODS = ("2022", "2022-12", "2022-12-31", "2022-Q4", "2022-H2", "2023", "2023-Q1")
DAYS = [date(2026, 1, day) for day in (1, 2, 3)]
TIMES = [datetime(2026, 1, day, hour, 59, 59) for day in (1, 2, 3) for hour in (0, 23)]  # noqa: DTZ001 - local time


@dataclass(frozen=True)
class Stored:
    source: str
    at: datetime
    tags: frozenset[str]
    title: str = ""
    opening: str = ""


STORED = st.builds(
    Stored,
    st.builds("{}/{}".format, st.sampled_from(FOLDERS), st.sampled_from(NAMES)),
    st.sampled_from(TIMES),
    st.frozensets(st.sampled_from(TAGS)),
    st.sampled_from(["", "Report of 2022", "Q4 2022", "Q1 2023 and H2 2022", "December 2022"]),
    st.sampled_from(["", "As of December 31, 2022, and filed on 2023-02-01", "Between 2019 and 2023"]),
)
FILTERS = st.builds(
    Filter,
    sources=st.lists(
        st.sampled_from([*FOLDERS, "/", "/a/b/one.pdf", "https://x.org/docs/four", "/no'where"]), max_size=3
    ).map(tuple),
    types=st.lists(st.sampled_from(["pdf", "md", "", "html", "gz", "PDF"]), max_size=2).map(tuple),
    since=st.none() | st.sampled_from(DAYS),
    until=st.none() | st.sampled_from(DAYS),
    tags=st.lists(st.sampled_from([*TAGS, "no such"]), max_size=2).map(tuple),
    periods=st.lists(st.sampled_from(PERIODS), max_size=2).map(tuple),
)


def reported(one: Stored) -> set[str]:
    found = document_periods(one.source, one.title, one.opening)
    return {*found.named, *([found.day] if found.day else [])}


def lies_in(period: str, asked: str) -> bool:
    quarters = {"2022-H2": {"2022-Q3", "2022-Q4"}}
    return period == asked or period.startswith(f"{asked}-") or period in quarters.get(asked, ())


def fits(one: Stored, within: Filter) -> bool:
    return (
        (
            not within.sources
            or any(one.source == s or one.source.startswith(s.rstrip("/") + "/") for s in within.sources)
        )
        and (not within.types or document_type(one.source) in within.types)
        and (within.since is None or one.at.date() >= within.since)
        and (within.until is None or one.at.date() <= within.until)
        and (not within.tags or bool(one.tags & set(within.tags)))
        and (not within.periods or any(lies_in(period, asked) for period in reported(one) for asked in within.periods))
    )


def fill(store: DocStore, stored: list[Stored]) -> int:
    collection = store.catalog.create_collection("c", "u").id
    for number, one in enumerate(stored):
        version = VersionRow(f"v{number}", f"d{number}", one.source, "s", "p", one.title, None, (), 1, "{}")
        opening = SegmentRow(0, 0, len(one.opening), one.opening, "[]", b"")
        store.versions.add_pending(collection, [PendingVersion(version, [opening])])
        store.versions.activate([version.id], sorted(one.tags))
        with store.database.transaction() as db:
            db.execute("UPDATE documents SET updated = ? WHERE id = ?", (one.at.timestamp(), version.document_id))
    return collection


@settings(deadline=None, max_examples=50)
@given(stored=st.lists(STORED, max_size=8, unique_by=lambda one: one.source), filters=st.lists(FILTERS, min_size=1))
def test_sql_finds_exactly_the_documents_that_fit(tmp_path_factory, stored, filters):
    with closing(DocStore.open(tmp_path_factory.mktemp("f") / "d.sqlite")) as store:
        collection = fill(store, stored)
        for within in filters:
            wanted = {f"v{number}" for number, one in enumerate(stored) if fits(one, within)}
            assert set(store.selection.versions(collection, within)) == wanted


@pytest.mark.parametrize(
    "within",
    [
        Filter(sources=("/a",)),
        Filter(types=("pdf",)),
        Filter(since=DAYS[0]),
        Filter(tags=("x",)),
        Filter(periods=("2023-Q3",)),
        Filter(("/a",), ("pdf",), DAYS[0], DAYS[1], ("x",), ("2023",)),
    ],
    ids=str,
)
def test_an_index_serves_every_filter(tmp_path, within):
    with closing(DocStore.open(tmp_path / "d.sqlite")) as store:
        sql, values = statement(1, within)
        plan = [row[3] for row in store.database.query_named(f"EXPLAIN QUERY PLAN SELECT v.id {sql}", values)]
    assert not [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
    assert not [step for step in plan if step.startswith("SEARCH d USING") and step.endswith("(collection=?)")]


def test_stale_chunks_and_those_of_other_collections_are_filtered_out(tmp_path):
    with closing(DocStore.open(tmp_path / "d.sqlite")) as store:
        collection = fill(store, [Stored("/a/one.pdf", TIMES[0], frozenset({"draft"}))])
        other = store.catalog.create_collection("other", "o").id
        assert store.selection.versions(other, Filter(tags=("draft",))) == []
        store.remove(collection, ["/a/one.pdf"])
        assert store.selection.versions(collection, Filter(tags=("draft",))) == []


def test_user_input_is_normalised(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    within = Filter.of(
        sources=["docs/", "docs", "https://x.org/a"],
        types=[".PDF", "pdf"],
        since=" 2026-01-31 ",
        until=date(2026, 2, 1),
        tags=[" Big  Contract"],
        periods=["Q3 2023", "2023-q3", "May 2024"],
    )
    assert within.sources == (os.path.join(os.getcwd(), "docs"), "https://x.org/a")
    assert (within.types, within.since, within.until, within.tags) == (
        ("pdf",),
        date(2026, 1, 31),
        date(2026, 2, 1),
        ("big contract",),
    )
    assert within.periods == ("2023-Q3", "2024-05")
    assert str(Filter.of(periods=["2022", "Q3 2023"])) == "of the period 2022 or 2023-Q3"
    assert str(Filter.of(types=["pdf", "md"], since="2026-01-31")) == "of type pdf or md; indexed since 2026-01-31"


@given(FILTERS)
def test_a_filter_comes_back_from_json_as_it_was(within):
    made = Filter.of(sources=within.sources, types=within.types, tags=within.tags, periods=within.periods)
    assert Filter.from_json(made.as_json()) == made
    assert bool(made) == bool(made.as_json())


def test_an_empty_filter_is_none():
    assert not Filter()
    assert not Filter.of()
    assert Filter.of(types=["pdf"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"since": "yesterday"}, "since: 'yesterday' is not a date"),
        ({"until": "2026-02-30"}, "until: '2026-02-30' is not a date. Write it as in 2026-01-31."),
        ({"since": "0001-01-01"}, "since: 0001-01-01 is not between"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "Put the earlier day first"),
        ({"tags": [" "]}, "' ' cannot be a tag"),
        ({"tags": ["x" * 65]}, "cannot be a tag. Use 1 to 64 characters"),
        ({"tags": ["a\0b"]}, "cannot be a tag"),
        (
            {"periods": ["before 2023"]},
            "'before 2023' is not a period. Write a year, half, quarter, month or day, such",
        ),
        ({"periods": [""]}, "'' is not a period"),
    ],
)
def test_an_impossible_filter_is_explained(wrong, said):
    with pytest.raises(QuestionError) as caught:
        Filter.of(**wrong)
    assert said in str(caught.value)


@given(st.text(min_size=1, max_size=70))
def test_a_tag_is_kept_in_one_form(text):
    try:
        name = tag_name(text)
    except QuestionError:
        return
    assert tag_name(name) == tag_name(f"  {text}\t") == name


@given(st.sampled_from(PERIODS))
def test_a_period_is_kept_in_one_form(period):
    assert period_name(period) == period_name(f" {period}\t") == period


def test_only_the_first_day_of_an_opening_can_be_filtered_by(tmp_path):
    with closing(DocStore.open(tmp_path / "d.sqlite")) as store:
        opening = "Ended December 31, 2022; filed on February 1, 2023"
        collection = fill(store, [Stored("/a/one.pdf", TIMES[0], frozenset(), "Q1 2023", opening)])
        found = {
            period: bool(store.selection.versions(collection, Filter.of(periods=[period])))
            for period in (
                "2022-12-31",
                "Dec 2022",
                "2022",
                "Q4 2022",
                "2023-02",
                "2023-Q1",
                "H1 2023",
                "H2 2023",
                "2024",
            )
        }
        assert [period for period, matches in found.items() if matches] == [
            "2022-12-31", "Dec 2022", "2022", "2023-Q1", "H1 2023",
        ]  # fmt: skip
        assert store.selection.choices(collection).periods == ("2022", "2022-12", "2023", "2023-Q1")
        assert store.periods.of("v0") == document_periods("/a/one.pdf", "Q1 2023", opening)
        (row,) = store.holdings.documents(collection)
        assert row.periods == ("2022-12-31", "2023-Q1")


def test_a_rewritten_version_has_its_new_periods_and_a_deleted_one_none(tmp_path):
    with closing(DocStore.open(tmp_path / "d.sqlite")) as store:
        collection = fill(store, [Stored("/a/one.pdf", TIMES[0], frozenset(), "Q1 2023")])
        version = VersionRow("v0", "d0", "/a/one.pdf", "s", "p", "Q2 2023", None, (), 1, "{}")
        store.versions.add_pending(collection, [PendingVersion(version)])
        assert store.periods.of("v0").named == {"2023-Q2", "2023"}
        store.versions.delete(["v0"])
        assert store.database.query("SELECT * FROM periods") == []


def test_days_are_inclusive_and_local():
    since, until = Filter.of(since="2026-03-01", until="2026-03-01").seconds()
    first = datetime(2026, 3, 1)  # noqa: DTZ001 - local time is meant
    assert (since, until) == (first.timestamp(), (first + timedelta(days=1)).timestamp())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/a/b.PDF", "pdf"),
        ("/a.d/b", ""),
        ("/a/b.tar.gz", "gz"),
        ("https://x.org", "html"),
        ("https://x.org/a/", "html"),
        ("https://x.org/a.PDF?page=1.2#3.4", "pdf"),
    ],
)
def test_a_documents_type_is_the_ending_of_its_name(source, expected):
    assert document_type(source) == expected


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["a", "B", ".", "é", "tar.gz", "%", " "]), min_size=1).map("".join))
def test_the_migration_gives_files_the_types_that_new_ones_get(tmp_path_factory, name):
    source = f"/x.y/{name}"
    with closing(DocStore.open(tmp_path_factory.mktemp("t") / "d.sqlite")) as store:
        sql = f"SELECT CASE WHEN instr({TYPE_OF_FILE}, '/') THEN '' ELSE {TYPE_OF_FILE} END FROM (SELECT ? source)"
        ((found,),) = store.database.query(sql, source)
    if not name.startswith("."):  # hidden files are not read
        assert found == document_type(source)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_a_range_of_names(folder):
    first, last = under(folder)
    assert first <= f"{folder}/x" < last
    assert not first <= f"{folder}x/x" < last
    assert under(folder + "/") == (first, last)
