"""Tables of Word, slides, web pages and OpenDocument texts: merged cells, header rows, tables in cells."""

from __future__ import annotations

import io

from format_files import of_kind
from office_files import opendocument_file, paragraph, word_cell, word_file, word_table
from pptx import Presentation
from pptx.util import Inches

from ingest.loaders import load

HEADER = "| Site | Gas 2023 | Gas 2024 | Power 2023 | Power 2024 |"
FULL = f"{HEADER}\n| --- | --- | --- | --- | --- |\n| Oslo | 1 | 2 | 3 | 4 |"
TWO, FOUR = '<w:gridSpan w:val="2"/>', '<w:gridSpan w:val="4"/>'


def cells(*texts: str) -> str:
    return "".join(map(word_cell, texts))


def test_header_rows_of_word_are_joined(write):
    top = word_cell("Site", '<w:vMerge w:val="restart"/>') + word_cell("Gas", TWO) + word_cell("Power", TWO)
    years = word_cell("", "<w:vMerge/>") + cells("2023", "2024", "2023", "2024")
    table = word_table([top, years, cells("Oslo", "1", "2", "3", "4")])
    assert load(write("a.docx", word_file(table))).text == FULL


def test_rows_that_word_repeats_on_each_page_are_the_header(write):
    rows = "".join(
        f"<w:tr>{header}{cells(*texts)}</w:tr>"
        for header, texts in (
            ("<w:trPr><w:tblHeader/></w:trPr>", ("Item", "Weight")),
            ("<w:trPr><w:tblHeader/></w:trPr>", ("", "in kg")),
            ("", ("pear", "light")),
        )
    )
    text = load(write("a.docx", word_file(f"<w:tbl>{rows}</w:tbl>"))).text
    assert text == "| Item | Weight in kg |\n| --- | --- |\n| pear | light |"


def test_a_row_of_word_that_begins_later_is_in_its_columns(write):
    later = f'<w:trPr><w:gridBefore w:val="1"/></w:trPr>{cells("7")}'
    text = load(write("a.docx", word_file(word_table([cells("Item", "Count"), later])))).text
    assert text.endswith("|  | 7 |")


def test_a_form_of_tables_in_a_column_is_unwrapped(write):
    inner = [
        word_table([cells("Measure", "Value"), cells("Weight", "64 kg")]),
        word_table([cells("Drug", "Dose"), cells("Ramipril", "5 mg")]),
    ]
    rows = [word_cell(paragraph(name) + one + paragraph()) for name, one in zip(("Body", "Drugs"), inner, strict=True)]
    document = load(write("a.docx", word_file(word_table(rows))))
    assert of_kind(document, "paragraph") == ["Body", "Drugs"]
    assert of_kind(document, "table") == [
        "| Measure | Value |\n| --- | --- |\n| Weight | 64 kg |",
        "| Drug | Dose |\n| --- | --- |\n| Ramipril | 5 mg |",
    ]


def test_a_table_in_a_cell_of_data_follows_under_the_name_of_its_row(write):
    inner = word_table([cells("Dose", "Since"), cells("5 mg", "2019")])
    rows = [cells("Drug", "Details"), word_cell("Ramipril") + word_cell(paragraph("see") + inner)]
    document = load(write("a.docx", word_file(word_table(rows))))
    assert [block.kind for block in document.blocks] == ["table", "paragraph", "table"]
    assert of_kind(document, "table")[0] == "| Drug | Details |\n| --- | --- |\n| Ramipril | see |"
    assert of_kind(document, "paragraph") == ["Ramipril"]


def test_merged_cells_of_slides_fill_what_they_cover(write):
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    table = slide.shapes.add_table(3, 3, Inches(1), Inches(1), Inches(6), Inches(2)).table
    for i, text in enumerate(("Plan", "Seats", "Price", "Basic", "5", "19 euros", "", "20", "49 euros")):
        table.cell(i // 3, i % 3).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    buffer = io.BytesIO()
    deck.save(buffer)
    assert load(write("a.pptx", buffer.getvalue())).text.endswith("| Basic | 20 | 49 euros |")


def test_header_rows_of_web_pages_are_joined(write):
    head = (
        "<thead><tr><th rowspan=2>Site</th><th colspan=2>Gas</th><th colspan=2>Power</th></tr>"
        "<tr><th>2023</th><th>2024</th><th>2023</th><th>2024</th></tr></thead>"
    )
    row = "<tr><th>Oslo</th><td>1</td><td>2</td><td>3</td><td>4</td></tr>"
    assert load(write("a.html", f"<table>{head}{row}</table>")).text == FULL
    bare = head.replace("thead", "tbody")
    assert load(write("b.html", f"<table>{bare}{row}</table>")).text == FULL


def test_names_of_rows_do_not_join_the_header_of_a_web_page(write):
    page = (
        "<table><tr><th>Year</th><th>Month</th></tr><tr><th rowspan=2>2025</th></tr><tr><td>May</td></tr>"
        "<tr><td>June</td></tr></table>"
    )
    assert load(write("a.html", page)).text.startswith("| Year | Month |")


def test_tables_in_cells_of_web_pages(write):
    inner = "<table><tr><th>Dose</th><th>Since</th></tr><tr><td>5 mg</td><td>2019</td></tr></table>"
    data = f"<table><tr><th>Drug</th><th>Details</th></tr><tr><td>Ramipril</td><td>see {inner}</td></tr></table>"
    document = load(write("a.html", data))
    assert [block.kind for block in document.blocks] == ["table", "paragraph", "table"]
    assert of_kind(document, "table")[0].endswith("| Ramipril | see |")
    layout = f"<table><tr><td>Left</td><td>{inner}</td></tr></table>"
    document = load(write("b.html", layout))
    assert [block.kind for block in document.blocks] == ["paragraph", "table"]


def odf_cell(text: str = "", attributes: str = "", more: str = "") -> str:
    return f"<table:table-cell {attributes}><text:p>{text}</text:p>{more}</table:table-cell>"


def odf_table(*rows: str) -> str:
    return f"<table:table>{''.join(f'<table:table-row>{row}</table:table-row>' for row in rows)}</table:table>"


def test_tables_of_opendocument_texts(write):
    covered = "<table:covered-table-cell/>"
    two = 'table:number-columns-spanned="2"'
    top = odf_cell("Site", 'table:number-rows-spanned="2"') + (odf_cell("{}", two) + covered) * 2
    years = covered + "".join(map(odf_cell, ("2023", "2024", "2023", "2024")))
    table = odf_table(top.format("Gas", "Power"), years, "".join(map(odf_cell, ("Oslo", "1", "2", "3", "4"))))
    assert load(write("a.odt", opendocument_file("text", table))).text == FULL


def test_tables_in_cells_of_opendocument_texts(write):
    inner = odf_table(odf_cell("Dose") + odf_cell("Since"), odf_cell("5 mg") + odf_cell("2019"))
    form = odf_table(odf_cell("Drugs", "", inner))
    document = load(write("a.odt", opendocument_file("text", form)))
    assert of_kind(document, "paragraph") == ["Drugs"]
    data = odf_table(odf_cell("Drug") + odf_cell("Details"), odf_cell("Ramipril") + odf_cell("see", "", inner))
    document = load(write("b.odt", opendocument_file("text", data)))
    assert [block.kind for block in document.blocks] == ["table", "paragraph", "table"]
    assert of_kind(document, "table")[0].endswith("| Ramipril | see |")
