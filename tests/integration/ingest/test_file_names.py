"""Tests names in both Unicode forms: either finds the document, whose name does not change."""

from __future__ import annotations

import json
import unicodedata

import pytest
from durability import quick
from typer.testing import CliRunner

from app.cli.commands import cli
from ingest.errors import QuestionError, SourceError
from ingest.filters import Filter

pytestmark = pytest.mark.usefixtures("shared_chroma")

NAME = "Verträge/Geschäftsführung.md"


@pytest.fixture
def kept(settings):
    with quick(settings) as one:
        yield one


@pytest.mark.parametrize(("written", "typed"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_a_document_is_found_removed_and_tagged_by_either_form(kept, write, written, typed):
    path = write(unicodedata.normalize(written, NAME), "Die Leitung wird bestellt.")
    write("other.md", "Die Leitung ist aus Kupfer.")
    kept.ingest([path.parents[1]])
    asked = unicodedata.normalize(typed, str(path))
    folder = unicodedata.normalize(typed, str(path.parent))
    for source in (asked, folder, folder.replace("/", "\\")):
        hits = kept.search("Leitung", 5, within=Filter.of(sources=[source]))
        assert [hit.chunk.source for hit in hits] == [str(path)]
        kept.check_filter(Filter.of(sources=[source], types=["md"]))
    assert [row.source for row in kept.report(asked)] == [str(path)]
    assert [row.tags for row in kept.tag(folder, add=["Ärger"])] == [("ärger",)]
    assert kept.ingest([asked]).count("unchanged") == 1
    assert kept.remove(asked) == 1
    with pytest.raises(SourceError, match="holds no document"):
        kept.remove(folder)


def test_an_error_about_a_filter_that_matches_nothing_repeats_the_input(kept, write):
    kept.ingest([write("a.md")])
    with pytest.raises(QuestionError, match="/keine Verträge"):
        kept.check_filter(Filter.of(sources=["/keine Verträge"]))


def test_an_empty_name_removes_nothing(kept, write, monkeypatch):
    path = write("a.md")
    kept.ingest([path])
    monkeypatch.chdir(path.parent)
    with pytest.raises(SourceError, match="holds no document"):
        kept.remove("")


def test_the_command_line_takes_either_form(settings, write, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    path = write(unicodedata.normalize("NFD", NAME), "Die Leitung wird bestellt.")
    typed = unicodedata.normalize("NFC", str(path))
    for arguments in (
        ["ingest", typed, "--json"],
        ["search", "Leitung", "--in", typed, "--json"],
        ["report", typed, "--json"],
        ["tag", typed, "--add", "neu", "--json"],
        ["remove", typed, "--json"],
    ):
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"removed": 1}
