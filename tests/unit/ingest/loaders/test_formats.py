"""Formats beyond the first five: what is in them is read, in order, with what its pages are called."""

from __future__ import annotations

import io
import json

import pytest
from format_files import headings, labels, of_kind, workbook, zipped

from ingest.errors import DamagedDocument, EmptyDocument, UnsupportedDocument
from ingest.loaders import is_readable, load, supported_suffixes
from ingest.loaders.registry import FORMATS

# The table of formats


def test_every_format_has_a_loader_and_every_suffix_one_format():
    import importlib

    suffixes = [suffix for row in FORMATS.values() for suffix in row.suffixes]
    assert len(suffixes) == len(set(suffixes)) == len(supported_suffixes())
    for row in FORMATS.values():
        assert callable(getattr(importlib.import_module(f"ingest.loaders.{row.module}"), row.loader))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("really.pdf", zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "x"})),
        ("no_suffix", workbook({"S": [["Some words"]]})),
        ("mail.txt", b"From: a@example.org\r\nTo: b@example.org\r\nSubject: Some words\r\n\r\nBody\r\n"),
        ("page.txt", b"<!DOCTYPE html><html><body>Some words</body></html>"),
    ],
)
def test_the_type_is_decided_by_content(write, name, content):
    from ingest.loaders.detection import kind_of
    from ingest.loaders.source import Source

    expected = {"really.pdf": "docx", "no_suffix": "sheet", "mail.txt": "mail", "page.txt": "text"}[name]
    path = write(name, content)
    assert is_readable(path)
    assert kind_of(Source.of(path)) == expected


def test_known_kinds_that_are_not_read_say_what_to_do(write):
    path = write("a.pages", zipped({"Index/Document.iwa": b"x"}))
    assert not is_readable(path)
    with pytest.raises(UnsupportedDocument, match=r"a\.pages is an Apple iWork document.*Export it as PDF"):
        load(path)


# Markup


def test_restructured_text(write):
    table = "===  ===\nA    B\n===  ===\n1    2\n===  ==="
    text = f"Manual\n======\n\nIntro.\n\nSet-up\n------\n\n* one\n* two\n\n::\n\n   code here\n\n{table}\n"
    document = load(write("a.rst", text))
    assert document.text == text
    assert document.title == "Manual"
    assert headings(document) == [(1, "Manual"), (2, "Set-up")]
    assert of_kind(document, "list") == ["* one\n* two"]
    assert "code here" in of_kind(document, "code")[0]
    assert of_kind(document, "table") == [table]


def test_asciidoc(write):
    document = load(write("a.adoc", "= Manual\n:toc:\n\n== Set-up\nRun it.\n\n----\ncode\n----\n\n|===\n|A |B\n|===\n"))
    assert headings(document) == [(1, "Manual"), (2, "Set-up")]
    assert of_kind(document, "code") == ["----\ncode\n----"]
    assert of_kind(document, "table") == ["|===\n|A |B\n|==="]
    assert of_kind(document, "paragraph") == ["Run it."]


def test_org(write):
    source = "#+BEGIN_SRC sh\nls\n#+END_SRC"
    document = load(write("a.org", f"#+TITLE: Notes\n* TODO Shop :home:\n- milk\n** When\n{source}\n| a | b |\n"))
    assert document.title == "Notes"
    assert headings(document) == [(1, "Shop"), (2, "When")]
    assert of_kind(document, "code") == [source]
    assert of_kind(document, "table") == ["| a | b |"]


def test_source_code_keeps_its_indents(write):
    document = load(write("a.py", "import os\n\n\n    def f():\n        return 1\n"))
    assert [block.kind for block in document.blocks] == ["code", "code"]
    assert of_kind(document, "code")[1].startswith("    def f()")


# Tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_separated_values_become_a_table(write, delimiter):
    rows = [["Name", "City"], ["Ann", "Bonn"], ["Bob", "Oslo"]]
    document = load(write("a.csv", "\n".join(delimiter.join(row) for row in rows)))
    assert document.text == "| Name | City |\n| --- | --- |\n| Ann | Bonn |\n| Bob | Oslo |"


# Structured data


def test_json_records_become_a_table_and_all_else_an_outline(write):
    table = load(write("a.json", json.dumps([{"name": "Ann", "age": 3}, {"name": "Bob", "age": 4}])))
    assert table.text == "| name | age |\n| --- | --- |\n| Ann | 3 |\n| Bob | 4 |"
    nested = load(
        write("b.json", json.dumps({"title": "Plan", "steps": [{"name": "dig", "tools": ["spade", "cart"]}]}))
    )
    assert headings(nested) == [(1, "steps"), (2, "dig")]
    assert "title: Plan" in nested.text
    assert "tools: spade, cart" in nested.text


def test_json_lines(write):
    lines = "\n".join(json.dumps({"_id": str(i), "text": "Some words " * 40}) for i in range(3))
    document = load(write("a.jsonl", lines))
    assert headings(document) == [(1, "0"), (1, "1"), (1, "2")]


def test_broken_json_names_the_line(write):
    with pytest.raises(DamagedDocument, match=r"a\.json is not valid JSON: .* at line 2, column"):
        load(write("a.json", '{"a": 1,\n b}'))


def test_a_notebook(write):
    cells = [
        {"cell_type": "markdown", "source": ["# Study\n", "Some words"]},
        {"cell_type": "code", "source": "print(42)", "outputs": [{"output_type": "stream", "text": ["42\n"]}]},
        {"cell_type": "code", "source": "1/0", "outputs": [{"output_type": "error", "ename": "E", "evalue": "zero"}]},
    ]
    document = load(write("a.ipynb", json.dumps({"cells": cells, "nbformat": 4})))
    assert document.title == "Study"
    assert of_kind(document, "code") == ["```\nprint(42)\n```", "```\n1/0\n```"]
    assert of_kind(document, "paragraph") == ["Some words", "42", "E: zero"]


def test_xml_and_feeds(write):
    item = "<item><title>One</title><description>&lt;p&gt;It rains.&lt;/p&gt;</description></item>"
    feed = f"<rss><channel><title>News</title>{item}</channel></rss>"
    document = load(write("a.xml", f'<?xml version="1.0"?>{feed}'))
    assert document.title == "News"
    assert (2, "One") in headings(document)
    assert "description: It rains." in document.text
    wrong = '<?xml version="1.0" encoding="utf-8"?><a><b>Größe</b></a>'.encode("utf-16")
    assert load(write("b.xml", wrong)).text == "b: Größe"


# Subtitles


def test_subtitles_lead_to_their_moment(write):
    cues = "WEBVTT\n\n00:01.000 --> 00:03.000\n<v Ann>Hello.</v>\n\n1:02:03.000 --> 1:02:05.000\nMuch <i>later</i>.\n"
    document = load(write("a.vtt", cues))
    assert labels(document) == ["at 0:00:01", "at 1:02:03"]
    assert of_kind(document, "paragraph") == ["Ann: Hello.", "Much later."]


# Pictures


def test_a_picture_is_recognised_and_its_confidence_kept(write, draw):
    buffer = io.BytesIO()
    draw(["Minutes of the board", "The fee is 120 euros"]).save(buffer, "PNG")
    document = load(write("a.png", buffer.getvalue()))
    assert "The fee is 120 euros" in document.text
    assert document.pages[0].read == "ocr"
    assert document.pages[0].confidence > 0.8
    with pytest.raises(EmptyDocument, match=r"readable only by OCR, which is turned off"):
        load(write("a.png", buffer.getvalue()), ocr=False)


def test_a_picture_without_text_and_a_broken_one(write, draw):
    buffer = io.BytesIO()
    draw([]).save(buffer, "JPEG")
    with pytest.raises(EmptyDocument, match="no text could be recognised"):
        load(write("a.jpg", buffer.getvalue()))
    with pytest.raises(DamagedDocument, match="cannot be opened as a picture"):
        load(write("b.jpg", buffer.getvalue()[:300]))
