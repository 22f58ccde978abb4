"""Files that hold other files: mail, books, saved web pages, archives."""

from __future__ import annotations

import gzip
import io
import tarfile
from email.message import EmailMessage

import pytest
from format_files import headings, labels, of_kind, zipped

from ingest.errors import DamagedDocument, EmptyDocument, EncryptedDocument
from ingest.loaders import load


def test_an_outlook_message_whose_text_is_compressed_rtf():
    from compressed_rtf import compress

    from ingest.loaders.containers.mail import _add_rich_text
    from ingest.loaders.document_builder import Builder

    builder = Builder()
    _add_rich_text(builder, compress(rb"{\rtf1\ansi Please pay \b now\b0 .\par\par Ann}", compressed=True))
    assert builder.build().text == "Please pay now.\n\nAnn"


def test_a_book_has_its_chapters_in_the_order_of_its_spine(write):
    container = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    item = '<item id="{0}" href="{0}.xhtml" media-type="application/xhtml+xml"/>'
    book = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Tales</dc:title></metadata><manifest>'
        + "".join(map(item.format, ("a", "b", "gone")))
        + '</manifest><spine><itemref idref="b"/><itemref idref="a"/><itemref idref="gone"/></spine></package>'
    )
    page = "<html><body><h1>{0}</h1><p>It is {0}.</p></body></html>"
    parts = {"mimetype": "application/epub+zip", "META-INF/container.xml": container, "OEBPS/book.opf": book}
    chapters = {"OEBPS/a.xhtml": page.format("Night"), "OEBPS/b.xhtml": page.format("Day")}
    document = load(write("a.epub", zipped({**parts, **chapters})))
    assert document.title == "Tales"
    assert labels(document) == ["chapter “Day”", "chapter “Night”"]
    assert headings(document) == [(1, "Day"), (1, "Night")]
    assert "gone.xhtml was not read" in document.warnings[0]
    with pytest.raises(EncryptedDocument, match="protected by its publisher"):
        load(write("b.epub", zipped({**parts, **chapters, "META-INF/rights.xml": "<rights/>"})))


def letter(subject: str = "Invoice 7") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@example.org>", "bob@example.org", subject
    message["Date"] = "Tue, 03 Mar 2026 10:00:00 +0000"
    message.set_content("Please pay 40 euros.\n")
    message.add_alternative("<p>Please pay <b>40 euros</b>.</p>", subtype="html")
    return message


def test_long_headers_of_a_mail_are_kept_as_they_stand(write):
    raw = f"To: {'b@example.org, ' * 400}\nSubject: =?utf-8?q?R=C3=A9sum=C3=A9?={' a' * 3000}\n\nHello".encode()
    document = load(write("a.eml", raw))
    assert document.title.startswith("R\u00e9sum\u00e9 a a")
    assert of_kind(document, "metadata")[0].count("b@example.org") == 400


def test_a_mail_is_read_with_its_attachments(write, write_pdf):
    message = letter()
    pdf = write_pdf("x.pdf", ["First page", "The total is 40 euros"]).read_bytes()
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename="../../invoice.pdf")
    message.add_attachment(b"\x00\x01", maintype="application", subtype="octet-stream", filename="odd.bin")
    message.add_attachment(letter("Inner"))
    document = load(write("a.eml", bytes(message)))
    assert document.title == "Invoice 7"
    assert of_kind(document, "metadata")[0] == (
        "From: Ann <ann@example.org>\nTo: bob@example.org\nDate: Tue, 03 Mar 2026 10:00:00 +0000\nSubject: Invoice 7"
    )
    assert (
        of_kind(document, "paragraph").count("Please pay 40 euros.") == 2
    )  # the mail's and the inner mail's, once each
    assert labels(document)[:2] == ["invoice.pdf, page 1", "invoice.pdf, page 2"]
    page = document.page_at(document.text.index("The total is"))
    assert page.label == "invoice.pdf, page 2"
    assert any("odd.bin" in warning for warning in document.warnings)


def test_a_mailbox_is_read_message_by_message(write):
    box = b"".join(
        b"From ann@example.org Tue Mar  3 10:00:00 2026\n" + bytes(letter(s)) + b"\n" for s in ("One", "Two")
    )
    document = load(write("a.mbox", box))
    assert labels(document) == ["message 1", "message 2"]
    assert headings(document) == [(1, "One"), (1, "Two")]


def test_a_saved_web_page(write):
    message = EmailMessage()
    message["Subject"] = "Saved"
    message.set_content("<html><head><title>Home</title></head><body><h1>Hi</h1></body></html>", subtype="html")
    message.make_related()
    document = load(write("a.mhtml", bytes(message)))
    assert (document.title, document.text) == ("Home", "# Hi")


def test_archives_are_read_file_by_file_at_any_depth(write, write_pdf):
    pdf = write_pdf("x.pdf", ["Nothing here", "Dogs bark"]).read_bytes()
    inner = zipped({"deep/notes.md": "# Cats\n\nCats purr.", "song.mp3": b"\x00"})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in {"inner.zip": inner, "docs/dogs.pdf": pdf, ".hidden.txt": b"No."}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    document = load(write("a.tgz", buffer.getvalue()))
    assert labels(document) == ["inner.zip, deep/notes.md", "docs/dogs.pdf, page 1", "docs/dogs.pdf, page 2"]
    assert document.page_at(document.text.index("Dogs bark")).label == "docs/dogs.pdf, page 2"
    assert (3, "Cats") in headings(document)
    assert "1 of its files were skipped" in document.warnings[-1]


def test_boxes_lead_into_an_archive(write, write_pdf):
    from ingest.word_boxes import boxes

    pdf = write_pdf("x.pdf", ["Nothing here", "Dogs bark"]).read_bytes()
    alone, packed = load(write("y.pdf", pdf)), load(write("a.zip", zipped({"a.txt": "Some words", "x.pdf": pdf})))
    at = packed.text.index("bark")
    (box,) = boxes(packed.places, at, at + 4)
    (same,) = boxes(alone.places, alone.text.index("bark"), alone.text.index("bark") + 4)
    assert (box.page, same.page) == (3, 2)
    assert (box.left, box.top, box.right, box.bottom) == (same.left, same.top, same.right, same.bottom)


def test_a_single_file_in_gzip(write):
    assert "Some words" in load(write("notes.txt.gz", gzip.compress(b"Some words"))).text


def test_an_archive_of_nothing_that_can_be_read_says_why(write):
    with pytest.raises(EmptyDocument, match=r"a\.zip contains no readable file\. 1 of its files were skipped"):
        load(write("a.zip", zipped({"song.mp3": b"\x00\x01"})))
    with pytest.raises(DamagedDocument, match=r"b\.pdf in .*a\.zip cannot be opened"):
        load(write("a.zip", zipped({"b.pdf": b"%PDF-1.4 nothing"})))
