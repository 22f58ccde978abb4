"""PDF reports: headings, captions, periods over several columns, footnote marks, and text that is no table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

from ingest.loaders import load
from ingest.models import Document

LICENSE = Path(__file__).parents[5] / "LICENSE"
BODY = (
    "The company sells its products through its own stores and through other sellers in many countries.",
    "Sales rose in the second quarter because more people bought the new model than in the year before.",
)
COLUMNS = (330, 410, 490, 570)
PERIODS = (("March 31,", "2026"), ("April 1,", "2025")) * 2


def drawn(path: Path, draw: Callable[[Canvas], None]) -> Document:
    canvas = Canvas(str(path), pagesize=A4)
    draw(canvas)
    canvas.save()
    return load(path)


def put(canvas: Canvas, x: float, y: float, text: str, font: str = "Helvetica", *, size: float = 10) -> None:
    canvas.setFont(font, size)
    canvas.drawString(x, y, text)


def body(canvas: Canvas, y: float, times: int = 1) -> None:
    for i, line in enumerate(BODY * times):
        put(canvas, 40, y - 12 * i, line)


def row(canvas: Canvas, y: float, label: str, *values: str, columns: tuple[int, ...] = COLUMNS) -> None:
    put(canvas, 40, y, label)
    for x, value in zip(columns, values, strict=False):
        canvas.drawRightString(x, y, value)


def texts(document: Document, kind: str) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks if block.kind == kind]


def titles(document: Document) -> list[tuple[int, str]]:
    return [(block.level, block.title) for block in document.blocks if block.kind == "heading"]


# Headings


def test_headings_in_the_size_of_the_body_are_found_by_weight_and_number(tmp_path):
    def draw(canvas: Canvas) -> None:
        for part, y in (("Part I. Overview", 790), ("Part II. Details", 560)):
            put(canvas, 40, y, part, "Helvetica-Bold")
            put(canvas, 40, y - 30, f"Item {1 if y > 600 else 2}.", "Helvetica-Bold")
            put(canvas, 90, y - 30, "Sales", "Helvetica-Bold")
            put(canvas, 40, y - 60, "Our stores", "Helvetica-Bold")
            body(canvas, y - 72)
            put(canvas, 40, y - 120, "Other sellers", "Helvetica-Oblique")
            body(canvas, y - 144)

    assert titles(drawn(tmp_path / "a.pdf", draw)) == [
        (1, "Part I. Overview"),
        (2, "Item 1. Sales"),
        (3, "Our stores"),
        (4, "Other sellers"),
        (1, "Part II. Details"),
        (2, "Item 2. Sales"),
        (3, "Our stores"),
        (4, "Other sellers"),
    ]


@pytest.mark.parametrize(
    "text",
    ["Signed by ________", "March 31, 2026", "1 Main Street, Springfield 20549", "a@example.org",
     "Commission file number: 001-36743", "(In millions)", "This sentence is bold because it matters."],
)  # fmt: skip
def test_form_fields_addresses_dates_and_sentences_are_no_headings(tmp_path, text):
    def draw(canvas: Canvas) -> None:
        put(canvas, 40, 780, text, "Helvetica-Bold")
        body(canvas, 750, 3)

    assert titles(drawn(tmp_path / "a.pdf", draw)) == []


def test_a_line_at_the_top_of_several_pages_is_no_heading(tmp_path):
    subjects = ["Note 1 - Revenue", "Note 2 - Leases", "Note 3 - Debt", "Note 4 - Taxes", "Note 5 - Equity"]

    def draw(canvas: Canvas) -> None:
        for subject in subjects:
            put(canvas, 250, 790, "Example Corporation", "Helvetica-Bold")
            put(canvas, 40, 760, subject, "Helvetica-Bold")
            body(canvas, 730, 4)
            canvas.showPage()

    document = drawn(tmp_path / "a.pdf", draw)
    assert [title for _, title in titles(document)] == subjects


# Tables


def statement(canvas: Canvas) -> None:
    canvas.setFont("Helvetica-Bold", 10)
    canvas.drawCentredString(300, 790, "STATEMENTS OF OPERATIONS")
    canvas.setFont("Helvetica", 10)
    canvas.drawCentredString(300, 778, "(In millions, except per share amounts)")
    canvas.setFont("Helvetica-Bold", 8)
    for middle, name in ((350, "Three Months Ended"), (510, "Six Months Ended")):
        canvas.drawCentredString(middle, 752, name)
    for x, (day, year) in zip(COLUMNS, PERIODS, strict=True):
        canvas.drawCentredString(x - 20, 740, day)
        canvas.drawCentredString(x - 20, 731, year)
        for y in (749, 728):
            canvas.line(x - 55, y, x, y)
    row(canvas, 716, "Net sales:")
    row(canvas, 704, "  Products", "73,929", "77,457", "170,317", "181,886")
    for x in COLUMNS:
        canvas.drawString(x - 55, 704, "$")
    row(canvas, 692, "  Loss from changes of the value of instruments:")
    row(canvas, 680, "    Services", "(20)", "-", "(41)", "(39)")
    row(canvas, 668, "Change", "4 %", "(2)%", "11 %", "3 %")
    put(canvas, 40, 640, "(1)  Services include what is sold through the store.", size=8)


def test_a_statement_keeps_its_caption_its_unit_and_its_periods(tmp_path):
    document = drawn(tmp_path / "a.pdf", statement)
    kinds = [block.kind for block in document.blocks]
    assert kinds == ["heading", "paragraph", "table", "list"]
    assert texts(document, "paragraph") == ["(In millions, except per share amounts)"]
    table = texts(document, "table")[0].split("\n")
    three, six = "Three Months Ended", "Six Months Ended"
    days = "March 31, 2026", "April 1, 2025"
    assert table[0] == f"|  | {three} {days[0]} | {three} {days[1]} | {six} {days[0]} | {six} {days[1]} |"
    assert table[2:] == [
        "| Net sales: |  |  |  |  |",
        "| Products | $73,929 | $77,457 | $170,317 | $181,886 |",
        "| Loss from changes of the value of instruments: |  |  |  |  |",
        "| Services | (20) | - | (41) | (39) |",
        "| Change | 4% | (2)% | 11% | 3% |",
    ]


def test_one_period_over_all_columns_names_each(tmp_path):
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica-Bold", 8)
        canvas.drawCentredString(430, 752, "September 24, 2022")
        for x, name in zip(COLUMNS, ("Cost", "Gains", "Losses", "Value"), strict=True):
            canvas.drawRightString(x, 740, name)
            canvas.line(x - 55, 749, x, 749)
        for i, label in enumerate(("Cash", "Funds", "Bonds")):
            row(canvas, 724 - 12 * i, label, *(f"{n},{i}00" for n in range(1, 5)))

    header = texts(drawn(tmp_path / "a.pdf", draw), "table")[0].split("\n")[0]
    assert (
        header
        == "|  | " + " | ".join(f"September 24, 2022 {one}" for one in ("Cost", "Gains", "Losses", "Value")) + " |"
    )


def test_raised_footnote_marks_stay_with_their_rows(tmp_path):
    def draw(canvas: Canvas) -> None:
        for i, label in enumerate(("Phones", "Tablets", "Watches")):
            row(canvas, 760 - 12 * i, label, f"{i + 1},775", f"{i + 2},628", columns=(400, 500))
        for i, x in enumerate((75, 76, 81)):
            put(canvas, x, 764 - 12 * i, f"({i + 1})", size=6)

    (table,) = texts(drawn(tmp_path / "a.pdf", draw), "table")
    assert table.split("\n")[0] == "| Phones (1) | 1,775 | 2,628 |"
    assert "| Watches (3) | 3,775 | 4,628 |" in table


def test_a_label_of_two_lines_is_one_cell(tmp_path):
    def draw(canvas: Canvas) -> None:
        for y, label, values in (
            (776, "Bonds of firms", ("30", "40")),
            (762, "Bonds issued by the", ()),
            (753, "Treasury", ("10", "20")),
            (739, "Bonds of banks", ("50", "60")),
            (725, "Other bonds", ("70", "80")),
        ):
            row(canvas, y, label, *values, columns=(400, 500))

    (table,) = texts(drawn(tmp_path / "a.pdf", draw), "table")
    assert "| Bonds issued by the Treasury | 10 | 20 |\n" in table


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_justified_text_is_no_table(tmp_path, columns):
    path = tmp_path / "a.pdf"
    document = BaseDocTemplate(str(path), pagesize=A4, leftMargin=40, rightMargin=40)
    width = (document.width - 12 * (columns - 1)) / columns
    frames = [Frame(40 + i * (width + 12), 60, width, 700, leftPadding=0, rightPadding=0) for i in range(columns)]
    document.addPageTemplates([PageTemplate(frames=frames)])
    style = ParagraphStyle("text", fontName="Times-Roman", fontSize=9, leading=11, alignment=TA_JUSTIFY, spaceAfter=6)
    paragraphs = LICENSE.read_text(encoding="utf-8").split("\n\n")
    document.build([Paragraph(" ".join(one.split()), style) for one in paragraphs if one.strip()])
    assert texts(load(path), "table") == []
