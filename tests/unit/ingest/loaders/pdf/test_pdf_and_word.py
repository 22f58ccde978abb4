"""PDF and Word files: their text, tables and headings, and damaged ones."""

from __future__ import annotations

import io
import zipfile

import pytest
from format_files import texts
from tests_support import assert_blocks_cover

from ingest.errors import (
    DamagedDocument,
    EmptyDocument,
    EncryptedDocument,
)
from ingest.loaders import load


def test_a_pdf_is_read_page_by_page(write_pdf):
    document = load(write_pdf("a.pdf", ["Words of page one.", "", "Words of page three."], title="Quarterly report"))
    assert document.title == "Quarterly report"
    assert [page.number for page in document.pages] == [1, 2, 3]
    assert document.page_at(document.text.index("three")).number == 3
    assert document.page_at(document.text.index("one")).number == 1
    assert "Page 2" in document.warnings[0] or "Pages 2 have" in document.warnings[0]
    assert_blocks_cover(document)


def test_words_divided_at_a_lines_end_and_wrapped_lines_are_joined(write_pdf):
    text = "A sentence that is long enough to be wrapped by whoever made this docu-\nment, and goes on there."
    assert "made this document, and goes on" in load(write_pdf("a.pdf", [text])).text


def test_rows_of_a_table_stay_on_their_own_lines(write_pdf):
    rows = "Net sales $ 94,036 $ 85,777\nCost of sales 50,318 46,099\nGross margin 43,718 39,678"
    assert rows in load(write_pdf("a.pdf", [rows])).text


def test_running_heads_and_page_numbers_are_left_out(write_pdf):
    body = "\n".join(f"Line {{0}} number {word} of the body" for word in ("one", "two", "three", "four", "five", "six"))
    pages = [f"ACME Annual Report\n\n{body.format(n)}\n\n{n}" for n in "abcdef"]
    text = load(write_pdf("a.pdf", pages)).text
    assert "ACME Annual Report" not in text
    assert "Line c number six of the body" in text


def test_an_encrypted_pdf_says_that_it_needs_a_password(write_pdf):
    path = write_pdf("locked.pdf", ["secret"], password="open sesame")
    with pytest.raises(EncryptedDocument, match=r"locked\.pdf is protected by a password"):
        load(path)


def test_a_truncated_pdf_is_called_damaged(write, write_pdf):
    whole = write_pdf("whole.pdf", ["Words"]).read_bytes()
    path = write("cut.pdf", whole[:200])
    with pytest.raises(DamagedDocument, match=r"cut\.pdf"):
        load(path)


def test_a_pdf_without_text_says_which_pages_are_what(write_pdf):
    path = write_pdf("blank.pdf", ["", ""])
    with pytest.raises(EmptyDocument, match=r"blank\.pdf has 2 pages and no text\. Pages 1–2: blank\."):
        load(path)


def test_a_word_document_keeps_headings_lists_and_tables(write_docx):
    document = load(
        write_docx(
            "a.docx",
            [
                ("Title", "The handbook"),
                ("Heading 1", "Leave"),
                ("Normal", "Everybody has leave."),
                ("List Bullet", "paid"),
                ("List Bullet", "unpaid"),
                ("List Number", "ask"),
                ("List Number", "wait"),
                [["Occasion", "Days"], ["Wedding", "2"]],
                ("Heading 2", "Details"),
            ],
        )
    )
    assert document.title == "The handbook"
    assert texts(document) == [
        "# The handbook",
        "# Leave",
        "Everybody has leave.",
        "- paid\n- unpaid\n1. ask\n2. wait",
        "| Occasion | Days |\n| --- | --- |\n| Wedding | 2 |",
        "## Details",
    ]
    assert_blocks_cover(document)


def test_a_docx_that_is_no_zip_is_called_damaged(write):
    path = write("letter.docx", "just some words")
    with pytest.raises(DamagedDocument, match=r"letter\.docx is not a Word document"):
        load(path)


def test_a_zip_that_is_not_a_word_document_is_recognised(write):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("a.txt", "hello")
    path = write("a.docx", buffer.getvalue())
    with pytest.raises(DamagedDocument, match="zip archive, but not a Word document"):
        load(path)


def test_a_word_document_with_a_password_says_so(write):
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    path = write("locked.docx", ole)
    with pytest.raises(EncryptedDocument, match="password"):
        load(path)


def test_a_word_document_that_unpacks_to_an_absurd_size_is_not_opened(write):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", b"<Types/>")
        package.writestr("word/document.xml", b" " * 60_000_000)
    path = write("bomb.docx", buffer.getvalue())
    with pytest.raises(DamagedDocument, match="would unpack to 57 MiB or more and was not opened"):
        load(path)
