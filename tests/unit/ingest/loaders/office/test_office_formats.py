"""Office files: text documents, sheets and slides."""

from __future__ import annotations

import io

import pytest
from format_files import headings, labels, of_kind, workbook, zipped
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest.errors import DamagedDocument
from ingest.loaders import load


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


def test_rich_text(write):
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252{\info{\title Plan}}Caf\'e9 \b bold\b0 .\par\par "
        rb"\trowd A\cell B\cell\row\trowd 1\cell 2\cell\row}"
    )
    document = load(write("a.rtf", rtf))
    assert document.title == "Plan"
    assert "Café bold." in document.text
    assert of_kind(document, "table") == ["| A | B |\n| --- | --- |\n| 1 | 2 |"]
