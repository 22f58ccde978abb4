"""Tests that a bad file is recorded as one failure and that all others are ingested."""

from __future__ import annotations

import io
import json
import string
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from xml.sax.saxutils import escape

import bombs
import docx
import pptx
import pytest
import repeating_files
import xlsxwriter
from durability import PoolInProcess, quick
from faults import failing
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas
from typer.testing import CliRunner

from app.cli.commands import cli
from ingest.errors import DocumentStoreError, EmbedderError, StoreError
from ingest.index import writer
from ingest.loaders.registry import ROWS
from ingest.pipeline.run import Chunker
from ingest.segments import SegmentedDocument
from ingest.text.storable_text import escaped, is_storable, storable

pytestmark = pytest.mark.usefixtures("shared_chroma")

LONE = "\ud800"
MARK = "MARKOFTHETEXT"
TEXT_SUFFIXES = sorted({row.suffixes[0] for row in ROWS if row.is_text} | {".jsonl", ".tsv", ".rtf"})
# Any code point there is, surrogates, NUL and other control characters among them.
anything = st.text(st.characters(), max_size=60)


@pytest.fixture
def unprocessed(settings):
    """A Footnote on real stores, with stand-ins for the model and the reading processes."""
    with quick(settings) as one:
        yield one


def statuses(report) -> dict[str, str]:
    return {Path(one.path).name: one.status for one in report.documents}


def strings(value) -> list[str]:
    """Every string in a value of lists, tuples and dictionaries."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    return [one for part in value for one in strings(part)] if isinstance(value, list | tuple) else []


def is_storable_or_named(path: Path) -> None:
    """Asserts that a file's text can be stored, or that its error names the file."""
    (loaded,) = PoolInProcess().load_all([path])
    if isinstance(loaded.result, SegmentedDocument):
        assert all(map(is_storable, strings(asdict(replace(loaded.result.whole(), places=b"")))))
    else:
        assert path.name in str(loaded.result)


@pytest.mark.slow
def test_a_lone_surrogate_in_a_json_name_affects_no_other_file(footnote, write):
    for name in string.ascii_lowercase[:5]:
        write(f"{name}.txt", f"The words of {name} can be found.")
    folder = write("poison.json", json.dumps({f"key{LONE}": {f"inner{LONE}": f"Poisoned{LONE} words."}})).parent
    report = footnote.ingest([folder])
    assert set(statuses(report).values()) == {"added"}
    hit = footnote.search("poisoned words", 1)[0].chunk
    assert Path(hit.source).name == "poison.json"
    assert all(map(is_storable, [hit.text, hit.title, *hit.heading]))
    assert footnote.ingest([folder]).count("unchanged") == 6


def test_a_file_that_breaks_the_chunker_is_that_files_failure(unprocessed, write):
    folder = write("a.txt", "Apples are red.").parent
    write("bad.txt", "This one breaks it.")
    breaks = lambda _, document: "breaks" in document.tally.opening  # noqa: E731
    with failing(Chunker, "split", TypeError(f"not a {LONE} string"), when=breaks):
        report = unprocessed.ingest([folder])
    assert statuses(report) == {"a.txt": "added", "bad.txt": "failed"}
    assert "internal error (TypeError: not a" in report.documents[1].error
    assert statuses(unprocessed.ingest([folder])) == {"a.txt": "unchanged", "bad.txt": "added"}


@pytest.mark.slow
@pytest.mark.parametrize("error", [TypeError("no str"), MemoryError(), DocumentStoreError("too big")])
def test_a_document_that_cannot_be_written_does_not_fail_its_batch(unprocessed, write, error):
    for name in "abc":
        write(f"{name}.txt", f"Words of {name}.")
    folder = write("bad.txt", "Breaks the writing.").parent
    if isinstance(error, StoreError):
        error.__cause__ = OverflowError("larger than SQLite's integers")
    breaks = lambda _, chunks: any("Breaks" in one.chunk.text for one in chunks)  # noqa: E731
    with failing(writer, "write_text", error, when=breaks, after=True):
        report = unprocessed.ingest([folder])
    assert statuses(report) == {"a.txt": "added", "b.txt": "added", "bad.txt": "failed", "c.txt": "added"}
    assert {row.source: row.status for row in unprocessed.report()}[str(folder / "bad.txt")] == "failed"
    assert [Path(hit.chunk.source).name for hit in unprocessed.search("words of b", 1)] == ["b.txt"]


@pytest.mark.parametrize("error", [DocumentStoreError("The disk is full."), EmbedderError("No model.")])
def test_an_error_of_the_index_or_the_model_ends_the_run(unprocessed, write, error):
    folder = write("a.txt").parent
    write("b.txt", "Other words.")
    with failing(writer, "write_text", error), pytest.raises(type(error), match=str(error)):
        unprocessed.ingest([folder])


@pytest.mark.parametrize("suffix", TEXT_SUFFIXES)
@limits(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=anything, more=anything)
def test_every_loader_gives_storable_strings_or_a_named_error(tmp_path, suffix, text, more):
    path = tmp_path / f"file{suffix}"
    in_json = json.dumps({text: [{more: text}, {more: more}], "cells": [{"cell_type": text, "source": [more, text]}]})
    forms = {
        ".json": in_json,
        ".jsonl": f"{json.dumps({text: more})}\n{json.dumps([text, {more: None}])}",
        ".ipynb": in_json,
        ".html": f"<title>{text}</title><h1>{more}</h1><p title='{text}'>{text}&#xD800;&#0;</p>",
        ".xml": f"<a b='{text}'>{more}</a>",
        ".eml": f"From: {text}\nTo: a@b.c\nSubject: {more}\nContent-Type: text/plain; charset={text}\n\n{text}",
        ".rtf": f"{{\\rtf1 {text} \\u55296? \\u-10240? \\'00 {more}}}",
    }
    content = forms.get(suffix, f"# {text}\n\n{more}\n\n- {text}\n- {more}\n\n| {text} | {more} |\n| --- | --- |\n")
    for encoding in ("utf-8", "utf-16"):
        path.write_bytes(content.encode(encoding, "surrogatepass"))
        is_storable_or_named(path)


def packages() -> dict[str, bytes]:
    """A small file of each format that is a package, with MARK where its words stand."""
    word, slides, book, page = docx.Document(), pptx.Presentation(), io.BytesIO(), io.BytesIO()
    word.add_heading(MARK, 1)
    word.add_paragraph(f"Some words {MARK}")
    slide = slides.slides.add_slide(slides.slide_layouts[0])
    slide.shapes.title.text = MARK
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        workbook.add_worksheet().write_string(0, 0, f"Some words {MARK}")
    canvas = Canvas(page, invariant=1, pageCompression=0)
    canvas.setTitle(MARK)
    canvas.drawString(72, 700, f"Some words {MARK}")
    canvas.save()
    files = {".xlsx": book.getvalue(), ".pdf": page.getvalue()}
    for suffix, made in {".docx": word, ".pptx": slides}.items():
        buffer = io.BytesIO()
        made.save(buffer)
        files[suffix] = buffer.getvalue()
    words, more = repeating_files.WORDS.encode(), f"{repeating_files.WORDS}{MARK}".encode()
    for suffix, data in {
        ".ods": repeating_files.repeating_ods(1, 1),
        ".epub": repeating_files.epub_of_one_chapter(1, 25),
    }.items():
        files[suffix] = repacked(data, lambda _, part: part.replace(words, more))
    files[".zip"] = bombs.zipped({f"{MARK}.txt": more, f"{MARK}/inner.json": b'{"a": "%s"}' % MARK.encode()})
    return files


def repacked(data: bytes, changed: Callable[[str, bytes], bytes]) -> bytes:
    """A zip package with its members' bytes changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return bombs.zipped({name: changed(name, package.read(name)) for name in package.namelist()})


@pytest.mark.slow
@pytest.mark.parametrize("suffix", sorted(packages()))
@limits(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=anything)
def test_every_loader_of_packages_gives_storable_strings_or_a_named_error(tmp_path, suffix, text):
    mark = MARK.encode()
    data, path = packages()[suffix], tmp_path / f"file{suffix}"
    for words in (text.encode("utf-8", "surrogatepass"), escape(text).encode("utf-8", "replace"), b"&#xD800;&#0;"):
        if suffix == ".zip":
            name = storable(text).replace("/", "_") or "x"
            path.write_bytes(bombs.zipped({f"{name}.txt": words + b" some words", f"{name}/a.md": b"# " + words}))
        elif suffix == ".pdf":
            path.write_bytes(data.replace(mark, text.encode("utf-16-be", "surrogatepass")))
        else:
            path.write_bytes(repacked(data, lambda _, part, words=words: part.replace(mark, words)))
        is_storable_or_named(path)


@pytest.mark.slow
@limits(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(anything, min_size=1, max_size=5))
def test_any_unicode_goes_through_the_whole_pipeline(unprocessed, write, texts):
    good = write("good.txt", "Good words are found.")
    sources = [good]
    for i, text in enumerate(texts):
        sources.append(write(f"{i}.json", json.dumps({text: {"name": text, text + LONE: [text, {text: LONE}]}})))
        sources.append(write(f"{i}.md", f"# {text}\n\n{text}".encode("utf-8", "surrogatepass")))
    report = unprocessed.ingest(sources, tags=["some"])
    assert {one.status for one in report.documents} <= {"added", "updated", "unchanged", "failed"}
    assert "internal error" not in " ".join(one.error for one in report.documents)
    assert statuses(report)["good.txt"] in {"added", "unchanged"}
    assert len(report.documents) == len(sources)


def test_json_is_printed_also_when_the_index_cannot_be_used(settings, write, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(write("a file in the way")))
    for arguments in (["ingest", str(write("a.txt"))], ["search", "x"], ["status"], ["remove", "x"]):
        result = CliRunner().invoke(cli, [*arguments, "--json"])
        assert result.exit_code == 3
        assert "a file in the way" in json.loads(result.stdout)["error"]


def test_json_is_printed_of_a_run_that_an_error_ends(settings, write, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    folder = write("a.txt").parent
    write("b.pdf", "no pdf")
    with failing(writer.IndexWriter, "put", EmbedderError("The model is gone.")):
        result = CliRunner().invoke(cli, ["ingest", str(folder), "--json"])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["error"], told["failed"]) == (3, "The model is gone.", 1)


def test_unstorable_characters_are_replaced_in_place_and_shown_escaped():
    assert storable(f"a{LONE}b\0c😀") == "a\ufffdb\ufffdc😀"
    assert escaped("caf\udce9\ud800\0") == "caf\\xe9\\ud800\\x00"
