"""PDF pages: reading order, tables, running heads, and the place of every word on its page."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Table

from ingest.errors import EmptyDocument
from ingest.loaders import load
from ingest.models import Box, Document
from ingest.word_boxes import boxes

ROWS = [["Region", "Sales", "Costs"], ["North", "1,200", "900"], ["South", "300", "100"], ["West", "45", "3"]]
AS_MARKDOWN = (
    "| Region | Sales | Costs |\n| --- | --- | --- |\n| North | 1,200 | 900 |\n| South | 300 | 100 |\n| West | 45 | 3 |"
)


def tables(document: Document) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks if block.kind == "table"]


def drawn(path: Path, draw) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas = Canvas(str(path), pagesize=A4)
    draw(canvas)
    canvas.save()
    return path


def written(canvas: Canvas, x: float, y: float, lines: list[str], size: float = 10) -> None:
    text = canvas.beginText(x, y)
    text.setFont("Helvetica", size)
    text.setLeading(size * 1.25)
    for line in lines:
        text.textLine(line)
    canvas.drawText(text)


# Tables


@pytest.mark.parametrize(
    "style",
    [
        [("GRID", (0, 0), (-1, -1), 0.5, colors.black)],
        [("BOX", (0, 0), (-1, -1), 1, colors.black), ("INNERGRID", (0, 0), (-1, -1), 0.25, colors.grey)],
        [("LINEABOVE", (0, 0), (-1, 0), 1, colors.black), ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
         ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black)],
        [("INNERGRID", (0, 0), (-1, -1), 0.5, colors.black), ("LINEABOVE", (0, 0), (-1, 0), 1, colors.black),
         ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black)],
        [("BACKGROUND", (0, 0), (-1, 0), colors.lightgrey)],
        [],
    ],
    ids=["grid", "box", "booktabs", "open sides", "shaded", "plain"],
)  # fmt: skip
def test_a_table_is_found_by_its_rules_or_its_alignment(tmp_path, style):
    path = tmp_path / "t.pdf"
    SimpleDocTemplate(str(path)).build([Table(ROWS, colWidths=[120, 80, 80], style=style)])
    assert tables(load(path)) == [AS_MARKDOWN]


def test_cells_of_several_lines_are_one_in_a_grid(tmp_path):
    path = tmp_path / "t.pdf"
    rows = [["Term", "Meaning"], ["Lease", "A contract that\ngives the use\nof a thing"], ["Loan", "Money lent"]]
    style = [("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    SimpleDocTemplate(str(path)).build([Table(rows, colWidths=[80, 160], style=style)])
    assert "| Lease | A contract that gives the use of a thing |" in tables(load(path))[0]


def test_a_statement_keeps_its_headings_groups_and_signs(tmp_path):
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        canvas.drawCentredString(415, 775, "Three months ended on the day")
        canvas.drawRightString(400, 760, "March 31, 2026")
        canvas.drawRightString(500, 760, "March 31, 2025")
        rows = [("Assets", "", ""), ("Cash", "2,800", "1,990"), ("Stock", "454", "605")]
        rows += [("Debts", "", ""), ("Loans", "491", "783"), ("Total", "3,745", "3,378")]
        for i, (name, now, before) in enumerate(rows):
            y = 745 - 14 * i
            canvas.drawString(72, y, name)
            for x, value in ((400, now), (500, before)):
                canvas.drawRightString(x, y, value)
                if name in {"Cash", "Total"}:
                    canvas.drawString(x - 60, y, "$")

    (table,) = tables(load(drawn(tmp_path / "t.pdf", draw)))
    lines = table.split("\n")
    ended = "Three months ended on the day"
    assert lines[0] == f"|  | {ended} March 31, 2026 | {ended} March 31, 2025 |"
    assert lines[2:5] == ["| Assets |  |  |", "| Cash | $2,800 | $1,990 |", "| Stock | 454 | 605 |"]
    assert lines[-1] == "| Total | $3,745 | $3,378 |"


def test_prose_lists_and_contents_are_no_tables(tmp_path):
    def draw(canvas: Canvas) -> None:
        written(canvas, 72, 760, [f"{i}.   Item number {i} of a list that has numbers" for i in range(1, 6)])
        written(canvas, 72, 640, [f"Chapter {i} " + "." * 60 + f" {i * 7}" for i in range(1, 6)])

    assert tables(load(drawn(tmp_path / "t.pdf", draw))) == []


# Reading order


@pytest.mark.parametrize("by_row", [False, True], ids=["column by column", "row by row"])
def test_two_columns_are_read_one_after_the_other(tmp_path, by_row):
    left = [f"Left line {i} tells one story and goes on" for i in range(12)]
    right = [f"Right line {i} tells another and goes on" for i in range(12)]

    def draw(canvas: Canvas) -> None:
        written(canvas, 72, 780, ["A headline that runs across both of the columns of this page, from edge to edge"])
        if by_row:
            for i, (one, other) in enumerate(zip(left, right, strict=True)):
                written(canvas, 72, 740 - 13 * i, [one])
                written(canvas, 320, 740 - 13 * i, [other])
        else:
            written(canvas, 72, 740, left)
            written(canvas, 320, 740, right)

    text = load(drawn(tmp_path / "t.pdf", draw)).text
    order = [text.index(words) for words in ("A headline", *left, *right)]
    assert order == sorted(order)


def test_pages_of_the_same_few_words_keep_them(write_pdf):
    document = load(write_pdf("a.pdf", ["The same words"] * 5))
    assert document.text.count("The same words") == 5


# Forms, comments, empty pages


def test_filled_in_fields_are_read(tmp_path):
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 760, "Application")
        canvas.acroForm.textfield(name="Family name", tooltip="Family name", x=72, y=700, value="Curie", width=200)
        canvas.acroForm.checkbox(name="Agreed", tooltip="Agreed", x=72, y=660, checked=True)
        canvas.acroForm.checkbox(name="Refused", tooltip="Refused", x=72, y=640, checked=False)

    text = load(drawn(tmp_path / "form.pdf", draw)).text
    assert "- Family name: Curie" in text
    assert "- Agreed: Yes" in text
    assert "Refused" not in text


@pytest.mark.slow
def test_each_page_says_how_it_was_read(write_pdf, write_scan, tmp_path):
    mixed = pdfium.PdfDocument.new()
    for part in (write_pdf("text.pdf", ["Words as text", ""]), write_scan("scan.pdf", ["Words in a picture"])):
        mixed.import_pages(pdfium.PdfDocument(part))
    path = tmp_path / "mixed.pdf"
    mixed.save(path)
    document = load(path)
    assert [page.read for page in document.pages] == ["text", "empty", "ocr"]
    assert [page.confidence is not None for page in document.pages] == [False, False, True]
    assert document.page_at(document.text.index("Words in a picture")).number == 3
    assert document.warnings == ("Page 2: blank.",)
    without = load(path, ocr=False)
    assert without.warnings[1] == "Page 3: readable only by OCR, which is turned off."
    with pytest.raises(EmptyDocument, match=r"scan\.pdf has 1 page and no text\. Page 1: readable only by OCR"):
        load(write_scan("scan.pdf", ["Words in a picture"]), ocr=False)


UNMAPPED = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def
1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <7c> <f001> endbfchar endcmap end end"""


def test_letters_without_a_character_are_marked_and_reported(tmp_path):
    drawn(tmp_path / "a.pdf", lambda canvas: written(canvas, 72, 760, ["The |re certi|cate was issued."]))
    writer = PdfWriter(clone_from=tmp_path / "a.pdf")
    mapping = DecodedStreamObject()
    mapping.set_data(UNMAPPED)
    fonts = writer.pages[0]["/Resources"]["/Font"]
    for font in fonts.values():
        font.get_object()[NameObject("/ToUnicode")] = writer._add_object(mapping)
    writer.write(tmp_path / "b.pdf")
    document = load(tmp_path / "b.pdf", ocr=False)
    assert document.text == "The \ufffdre certi\ufffdcate was issued."
    assert document.warnings[0].startswith("Page 1: letters that its fonts do not map to characters are missing")


# Places


def dark(page: Image.Image) -> np.ndarray:
    return np.asarray(page.convert("L")) < 128


def corners(page: Image.Image, box: Box, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns of the pixels of a box."""
    top, bottom = int(box.top * page.height) - margin, round(box.bottom * page.height) + margin
    left, right = int(box.left * page.width) - margin, round(box.right * page.width) + margin
    return slice(max(top, 0), bottom), slice(max(left, 0), right)


def uncovered(page: Image.Image, found: list[Box]) -> float:
    """Share of the page's ink that no box covers."""
    pixels = dark(page)
    all_ink = pixels.sum()
    for box in found:
        pixels[corners(page, box, 2)] = False
    return float(pixels.sum() / all_ink)


def rendered(path: Path, number: int = 0) -> Image.Image:
    return pdfium.PdfDocument(path)[number].render(scale=2).to_pil()


def assert_words_lie_under_their_boxes(document: Document, page: Image.Image, most_uncovered: float = 0.0) -> None:
    """Every box has ink, and no ink is without a box."""
    found = boxes(document.places, 0, len(document.text))
    assert found
    assert all(dark(page)[corners(page, box)].mean() > 0.01 for box in found)
    assert uncovered(page, found) <= most_uncovered


def assert_runs(document: Document, first: str, last: str, turned: int) -> None:
    """Asserts the direction from the first to the last word of a line on a page turned clockwise."""
    one, other = (boxes(document.places, at := document.text.index(w), at + len(w))[0] for w in (first, last))
    runs = {
        0: one.right < other.left,
        90: one.bottom < other.top,
        180: one.left > other.right,
        270: one.top > other.bottom,
    }
    assert runs[turned], (one, other)


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_words_of_a_pdf_lie_under_their_boxes(write_pdf, turned):
    path = write_pdf("a.pdf", ["Alpha beta gamma.\nDelta epsilon zeta."])
    pdf = pdfium.PdfDocument(path)
    pdf[0].set_rotation(turned)
    path = path.with_name("turned.pdf")
    pdf.save(path)
    document = load(path)
    assert_words_lie_under_their_boxes(document, rendered(path))
    assert_runs(document, "Alpha", "gamma", turned)


@pytest.mark.slow
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_recognised_words_lie_under_their_boxes_whichever_way_up(write_scan, turned):
    path = write_scan("scan.pdf", ["Minutes of the board meeting"], turned=turned)
    document = load(path)
    assert "Minutes of the board meeting" in document.text
    assert_words_lie_under_their_boxes(document, rendered(path), most_uncovered=0.05)
    assert_runs(document, "Minutes", "meeting", turned)


def test_words_of_a_picture_lie_under_their_boxes(write, draw):
    buffer = io.BytesIO()
    picture = draw(["Minutes of the board", "The fee is 120 euros"])
    picture.save(buffer, "PNG")
    assert_words_lie_under_their_boxes(load(write("a.png", buffer.getvalue())), picture, most_uncovered=0.05)


def test_cells_of_a_table_have_their_boxes(tmp_path):
    path = tmp_path / "t.pdf"
    SimpleDocTemplate(str(path)).build([Table(ROWS, colWidths=[120, 80, 80])])
    document = load(path)
    at = document.text.index("1,200")
    (box,) = boxes(document.places, at, at + 5)
    assert_words_lie_under_their_boxes(document, rendered(path))
    header = document.text.index("Sales")
    (above,) = boxes(document.places, header, header + 5)
    assert above.bottom <= box.top + 0.01
    assert above.left < box.right
    assert box.left < above.right
