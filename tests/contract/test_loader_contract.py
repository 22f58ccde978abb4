"""Tests the guarantees of every loader: whole files of each kind, truncated ones, and noise under their names."""

from __future__ import annotations

import io
import json
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import pptx
import pytest
import xlsxwriter
from PIL import Image
from reportlab.pdfgen.canvas import Canvas
from tests_support import assert_blocks_cover

from ingest.errors import EmptyDocument, LoadError
from ingest.loaders import load
from ingest.loaders.registry import FORMATS
from ingest.models import Document

WORDS = "Apples are red and pears are green."


def pdf() -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, invariant=1)
    canvas.drawString(72, 700, WORDS)
    canvas.save()
    return file.getvalue()


def saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]  # of python-docx and python-pptx
    return file.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Fruit", 1)
    document.add_paragraph(WORDS)
    return saved(document)


def slides() -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Fruit", WORDS
    return saved(deck)


def workbook() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Stock")
        for i, row in enumerate((("Fruit", "Colour"), ("apple", "red"), ("pear", "green"))):
            sheet.write_row(i, 0, row)
    return file.getvalue()


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return file.getvalue()


def opendocument(kind: str, body: str) -> bytes:
    names = " ".join(
        f'xmlns:{one}="urn:oasis:names:tc:opendocument:xmlns:{more}:1.0"'
        for one, more in (("office", "office"), ("text", "text"), ("draw", "drawing"), ("presentation", "presentation"))
    )
    content = f"<office:document-content {names}><office:body>{body}</office:body></office:document-content>"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr("content.xml", content)
    return file.getvalue()


def mail() -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Fruit", "a@example.org", "b@example.org"
    message.set_content(WORDS)
    return message.as_bytes()


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(file, "PNG")
    return file.getvalue()


NOTEBOOK = {"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "markdown", "metadata": {}, "source": [WORDS]}]}
BOOK = {
    "META-INF__container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    "book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
    '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="a"/></spine></package>',
    "a.xhtml": f"<html><body><h1>Fruit</h1><p>{WORDS}</p></body></html>",
}
# A small file of each kind that can be made here; of the others, noise alone is tried.
MADE: dict[str, bytes] = {
    "text": WORDS.encode(),
    "markdown": f"# Fruit\n\n{WORDS}\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n".encode(),
    "rst": f"Fruit\n=====\n\n{WORDS}\n".encode(),
    "asciidoc": f"= Fruit\n\n{WORDS}\n".encode(),
    "org": f"* Fruit\n{WORDS}\n".encode(),
    "code": b"def fruit():\n    return 'apple'\n",
    "subtitles": f"WEBVTT\n\n00:01.000 --> 00:04.000\n{WORDS}\n".encode(),
    "csv": b"fruit,colour\napple,red\npear,green\n",
    "json": b'[{"fruit": "apple", "colour": "red"}, {"fruit": "pear", "colour": "green"}]',
    "notebook": json.dumps(NOTEBOOK).encode(),
    "xml": f"<fruit><p>{WORDS}</p></fruit>".encode(),
    "html": f"<html><body><h1>Fruit</h1><p>{WORDS}</p></body></html>".encode(),
    "mhtml": b"MIME-Version: 1.0\nContent-Type: text/html\n\n<p>" + WORDS.encode() + b"</p>",
    "mail": mail(),
    "mailbox": b"From a@example.org Thu Jan  1 00:00:00 2026\n" + mail(),
    "pdf": pdf(),
    "docx": word(),
    "rtf": rb"{\rtf1\ansi " + WORDS.encode() + rb"\par}",
    "pptx": slides(),
    "sheet": workbook(),
    "odt": opendocument("text", f"<office:text><text:p>{WORDS}</text:p></office:text>"),
    "odp": opendocument(
        "presentation",
        '<office:presentation><draw:page draw:name="a"><draw:frame><draw:text-box>'
        f"<text:p>{WORDS}</text:p></draw:text-box></draw:frame></draw:page></office:presentation>",
    ),
    "epub": zipped(mimetype="application/epub+zip", **BOOK),
    "image": picture(),
    "zip": zipped(**{"fruit.txt": WORDS}),
}
NOISE = bytes(range(256)) * 8


def path_of(tmp_path: Path, kind: str, content: bytes) -> Path:
    path = tmp_path / f"unlikely-name{FORMATS[kind].suffixes[0]}"
    path.write_bytes(content)
    return path


def assert_sound(document: Document) -> None:
    """Blocks cover the text in order, pages lie in it, and every string can be stored."""
    assert_blocks_cover(document)
    assert all((1 <= block.level <= 6) == (block.kind == "heading") for block in document.blocks)
    assert [page.number for page in document.pages] == list(range(1, len(document.pages) + 1))
    assert all(0 <= page.start <= page.end <= len(document.text) for page in document.pages)
    assert "\r" not in document.text
    assert "unlikely-name" not in document.title
    for text in (document.text, document.title, *document.warnings, *(page.label for page in document.pages)):
        text.encode()


def assert_names(error: LoadError, path: Path) -> None:
    """An error says which file it is about, in whole sentences."""
    assert path.name in str(error)
    assert str(error).endswith(".")


@pytest.mark.parametrize("kind", sorted(set(MADE) - {"image"}))
def test_a_file_of_each_kind_gives_its_words(tmp_path, kind):
    document = load(path_of(tmp_path, kind, MADE[kind]))
    assert_sound(document)
    assert "apple" in document.text.casefold()


@pytest.mark.parametrize("kind", sorted(MADE))
def test_equal_files_give_equal_documents(tmp_path, kind):
    results = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = path_of(tmp_path / folder, kind, MADE[kind])
        try:
            results.append(load(path))
        except EmptyDocument as error:  # the white picture
            results.append(str(error).replace(str(path), ""))
    assert results[0] == results[1]


@pytest.mark.parametrize("kind", sorted(FORMATS))
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_cut_off_is_read_in_part_or_named(tmp_path, kind, share):
    whole = MADE.get(kind, NOISE)
    path = path_of(tmp_path, kind, whole[: int(len(whole) * share)])
    try:
        assert_sound(load(path))
    except LoadError as error:
        assert_names(error, path)


@pytest.mark.parametrize("kind", sorted(FORMATS))
@pytest.mark.parametrize("content", [b"", b" \n\n", NOISE, b"\x00" * 100], ids=["empty", "blank", "noise", "zeros"])
def test_a_file_that_does_not_match_its_suffix_is_read_by_content_or_named(tmp_path, kind, content):
    path = path_of(tmp_path, kind, content)
    try:
        document = load(path)
    except LoadError as error:
        assert_names(error, path)
        return
    assert content.strip()
    assert_sound(document)
