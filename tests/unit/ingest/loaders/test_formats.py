"""Formats beyond the first five: what is in them is read, in order, with what its pages are called."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from email.message import EmailMessage

import pytest
import xlsxwriter
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest.errors import DamagedDocument, EmptyDocument, EncryptedDocument, UnsupportedDocument
from ingest.loaders import is_readable, load, supported_suffixes
from ingest.loaders.registry import FORMATS
from ingest.models import Document


def labels(document: Document) -> list[str]:
    return [page.label for page in document.pages]


def headings(document: Document) -> list[tuple[int, str]]:
    return [(block.level, block.title) for block in document.blocks if block.kind == "heading"]


def of_kind(document: Document, kind: str) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks if block.kind == kind]


def zipped(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in members.items():
            package.writestr(name, content)
    return buffer.getvalue()


def workbook(sheets: dict[str, list[list]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
    book.close()
    return buffer.getvalue()


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


# Word, beyond what people write every day


def word(parts: dict[str, str], kind: str = "openxmlformats-officedocument.wordprocessingml.document.main") -> bytes:
    """A Word document of these parts, by name: "document", "comments" …"""
    office = "http://schemas.openxmlformats.org/officeDocument/2006"
    package = "http://schemas.openxmlformats.org/package/2006"
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    roots = {"comments": "comments", "endnotes": "endnotes", "header1": "hdr", "footer1": "ftr"}
    kinds = {name: kind if name == "document" else "x" for name in parts}
    types = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="application/vnd.{named}+xml"/>'
        for name, named in kinds.items()
    )
    relation = '<Relationship Id="r{0}" Type="' + office + '/relationships/{1}" Target="{2}.xml"/>'
    inner = "".join(relation.format(name, name.rstrip("1"), name) for name in parts if name != "document")
    members = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f"{relation.format('d', 'officeDocument', 'word/document')}</Relationships>",
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}/relationships">{inner}</Relationships>',
    }
    for name, body in parts.items():
        root = roots.get(name, "document")
        content = f"<w:body>{body}</w:body>" if name == "document" else body
        members[f"word/{name}.xml"] = f'<w:{root} xmlns:w="{main}" xmlns:m="{office}/math">{content}</w:{root}>'
    return zipped(members)


def words(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


@pytest.mark.parametrize(
    "kind",
    [
        "ms-word.document.macroEnabled.main",
        "ms-word.template.macroEnabledTemplate.main",
        "openxmlformats-officedocument.wordprocessingml.template.main",
    ],
)
def test_templates_and_documents_with_macros_are_read(write, kind):
    assert load(write("a.docm", word({"document": words("Some words")}, kind))).text == "Some words"


def test_comments_endnotes_and_margins_of_a_word_document_are_read(write):
    parts = {
        "document": words("Some words"),
        "comments": f'<w:comment w:id="1">{words("Really?")}</w:comment>',
        "endnotes": f'<w:endnote w:type="separator">{words("x")}</w:endnote><w:endnote>{words("At last.")}</w:endnote>',
        "header1": words("Secret"),
        "footer1": words("Secret"),
    }
    document = load(write("a.docx", word(parts)))
    assert of_kind(document, "paragraph") == ["Some words", "Endnote 1: At last.", "Comment 1: Really?", "Secret"]


def test_formulas_are_written_on_a_line(write):
    def run(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    square = f"<m:sSup><m:e>{run('a')}</m:e><m:sup>{run('2')}</m:sup></m:sSup>"
    half = f"<m:f><m:num>{run('x+1')}</m:num><m:den>{run('2')}</m:den></m:f>"
    root = f"<m:rad><m:deg/><m:e>{run('y')}</m:e></m:rad>"
    total = (
        f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{run("i=1")}</m:sub><m:sup>{run("n")}</m:sup>'
        f"<m:e>{run('i')}</m:e></m:nary>"
    )
    math = f"<m:oMath>{square}{run('=')}{half}{run('+')}{root}{run('+')}{total}</m:oMath>"
    document = load(
        write("a.docx", word({"document": f'<w:p><w:r><w:t xml:space="preserve">Let </w:t></w:r>{math}</w:p>'}))
    )
    assert document.text == "Let a^2=(x+1)/2+√(y)+∑_(i=1)^n i"


def test_an_outlook_message_whose_text_is_compressed_rtf():
    from compressed_rtf import compress

    from ingest.loaders.containers.mail import _add_rich_text
    from ingest.loaders.document_builder import Builder

    builder = Builder()
    _add_rich_text(builder, compress(rb"{\rtf1\ansi Please pay \b now\b0 .\par\par Ann}", compressed=True))
    assert builder.build().text == "Please pay now.\n\nAnn"


# Tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_separated_values_become_a_table(write, delimiter):
    rows = [["Name", "City"], ["Ann", "Bonn"], ["Bob", "Oslo"]]
    document = load(write("a.csv", "\n".join(delimiter.join(row) for row in rows)))
    assert document.text == "| Name | City |\n| --- | --- |\n| Ann | Bonn |\n| Bob | Oslo |"


def test_sheets_are_pages_with_their_tables(write):
    import datetime as dt

    book = workbook(
        {
            "Q3": [["Sales by region"], [], ["Region", "EUR"], ["North", 1200.0], ["South", 3.5]],
            "Dates": [["Day", "Open"], ["1", True], [dt.date(2026, 3, 1), False]],
            "Nothing": [],
        }
    )
    document = load(write("a.xlsx", book))
    assert labels(document) == ["sheet Q3", "sheet Dates", "sheet Nothing"]
    assert [page.read for page in document.pages] == ["text", "text", "empty"]
    assert headings(document) == [(1, "Q3"), (1, "Dates")]
    assert of_kind(document, "paragraph") == ["Sales by region"]
    assert of_kind(document, "table")[0] == "| Region | EUR |\n| --- | --- |\n| North | 1200 |\n| South | 3.5 |"
    assert "TRUE" in of_kind(document, "table")[1]


def test_a_workbook_cut_off_is_damaged(write):
    with pytest.raises(DamagedDocument, match=r"a\.xlsx"):
        load(write("a.xlsx", workbook({"S": [["x"]]})[:2000]))


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


# Slides


def test_slides_with_tables_charts_and_notes(write, tmp_path):
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Results"
    slide.placeholders[1].text = "Up\nDown"
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    second = deck.slides.add_slide(deck.slide_layouts[5])
    table = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for i, cell in enumerate(("Year", "Sum", "2026", "7")):
        table.cell(i // 2, i % 2).text = cell
    data = CategoryChartData()
    data.categories = ["North", "South"]
    data.add_series("Sales", (3, 4.5))
    second.shapes.add_chart(XL_CHART_TYPE.PIE, Inches(1), Inches(4), Inches(4), Inches(2), data)
    buffer = io.BytesIO()
    deck.save(buffer)
    document = load(write("a.pptx", buffer.getvalue()))
    assert labels(document) == ["slide 1", "slide 2"]
    assert document.title == "Results"
    assert headings(document) == [(1, "Results")]
    assert of_kind(document, "list") == ["- Up\n- Down"]
    assert of_kind(document, "paragraph")[0] == "Notes: Say it slowly."
    assert of_kind(document, "table") == [
        "| Year | Sum |\n| --- | --- |\n| 2026 | 7 |",
        "|  | Sales |\n| --- | --- |\n| North | 3 |\n| South | 4.5 |",
    ]


# OpenDocument

OFFICE = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office",
        "text": "text",
        "table": "table",
        "draw": "drawing",
        "style": "style",
    }.items()
)
PRESENTATION = 'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0"'


def opendocument(kind: str, body: str, styles: str = "") -> bytes:
    root = (
        f"<office:document-content {OFFICE} {PRESENTATION}><office:body>{body}</office:body></office:document-content>"
    )
    parts = {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": root}
    if styles:
        parts["styles.xml"] = f"<office:document-styles {OFFICE}>{styles}</office:document-styles>"
    return zipped(parts)


def test_opendocument_text(write):
    body = (
        '<office:text><text:h text:outline-level="2">Plan</text:h><text:p>We<text:s text:c="2"/>dig<text:note>'
        "<text:note-body><text:p>With care</text:p></text:note-body></text:note>.</text:p><text:list><text:list-item>"
        "<text:p>one</text:p><text:list><text:list-item><text:p>deep</text:p></text:list-item></text:list>"
        "</text:list-item></text:list><table:table><table:table-row><table:table-cell><text:p>A</text:p>"
        "</table:table-cell><table:table-cell><text:p>B</text:p></table:table-cell></table:table-row>"
        "<table:table-row><table:table-cell><text:p>1</text:p></table:table-cell><table:table-cell><text:p>2</text:p>"
        "</table:table-cell></table:table-row></table:table></office:text>"
    )
    document = load(write("a.odt", opendocument("text", body, "<style:footer><text:p>Foot</text:p></style:footer>")))
    assert headings(document) == [(2, "Plan")]
    assert of_kind(document, "paragraph") == ["We  dig.", "Note 1: With care", "Foot"]
    assert of_kind(document, "list") == ["- one\n  - deep"]
    assert of_kind(document, "table") == ["| A | B |\n| --- | --- |\n| 1 | 2 |"]


def test_opendocument_slides(write):
    body = (
        '<office:presentation><draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Start</text:p>'
        "</draw:text-box></draw:frame><draw:frame><draw:text-box><text:p>Words</text:p></draw:text-box></draw:frame>"
        "<presentation:notes><draw:frame><draw:text-box><text:p>Aside</text:p></draw:text-box></draw:frame>"
        "</presentation:notes></draw:page></office:presentation>"
    )
    document = load(write("a.odp", opendocument("presentation", body)))
    assert labels(document) == ["slide 1"]
    assert document.text == "# Start\n\nWords\n\nNotes: Aside"


# Rich text, books


def test_rich_text(write):
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252{\info{\title Plan}}Caf\'e9 \b bold\b0 .\par\par "
        rb"\trowd A\cell B\cell\row\trowd 1\cell 2\cell\row}"
    )
    document = load(write("a.rtf", rtf))
    assert document.title == "Plan"
    assert "Café bold." in document.text
    assert of_kind(document, "table") == ["| A | B |\n| --- | --- |\n| 1 | 2 |"]


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


# Mail


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


def test_a_mail_with_what_is_attached_to_it(write, write_pdf):
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


# Archives


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
