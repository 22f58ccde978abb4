"""Workbooks are read as a spreadsheet program shows them, and what is left out is reported."""

from __future__ import annotations

import datetime as dt

import pytest
from format_files import of_kind
from office_files import changed, opendocument_file, workbook_file

from ingest.loaders import load
from ingest.loaders.office.sheets.date_formats import shown_date
from ingest.loaders.office.sheets.number_formats import shown
from ingest.loaders.office.sheets.xlsx_layout import moved

# Spreadsheets know no time zones.
DAY = dt.datetime(2024, 3, 4)  # noqa: DTZ001
MOMENT = DAY.replace(hour=14, minute=30)
ACCOUNTS = '_($* #,##0.00_);_($* \\(#,##0.00\\);_($* "-"??_);_(@_)'


def rows_of(document) -> list[str]:
    return of_kind(document, "table")[0].splitlines()


def sheet(write, fill, name: str = "a.xlsx"):
    """A document of one sheet that `fill` writes."""
    return load(write(name, workbook_file(lambda book: fill(book, book.add_worksheet("Prices")))))


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (0.075, "0.0%", "7.5%"),
        (1234567.5, '#,##0.00 "€"', "1,234,567.50 €"),
        (1234567.5, "#,##0.00\\ [$€-407]", "1,234,567.50 €"),
        (1200, "$#,##0", "$1,200"),
        (-1200, ACCOUNTS, "$(1,200.00)"),
        (0, ACCOUNTS, "$-"),
        (-35, "#,##0;[Red]-#,##0", "-35"),
        (2.675, "0.000", "2.675"),
        (1 / 3, "0.00", "0.33"),
        (7, "000", "007"),
        (5551234, "000-0000", "555-1234"),
        (12.5, 'General" kg"', "12.5 kg"),
        (3, "0;;;@", "3"),
        (-3, "0;;;@", ""),
        (0.00012, "0.0E+00", "1.2E-04"),
        (5, "#.##", "5"),
        (1500, "[>=1000]0,000;0", "1,500"),
        (5, "General", None),
        (1.5, "# ?/?", None),
        (1e308, "0.00%", None),
    ],
)
def test_numbers_have_the_format_of_their_cell(value, code, expected):
    assert shown(value, code) == expected


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (0.075, "0%", "8% (7.5%)"),
        (19.99, "0", "20 (19.99)"),
        (1234000, '#,##0,"k"', "1,234k (1234000)"),
        (2.675, "0.00", "2.68 (2.675)"),
    ],
)
def test_a_typed_number_that_is_shown_rounded_is_there_too(value, code, expected):
    assert shown(value, code) == expected


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (MOMENT, "yyyy-mm-dd", "2024-03-04"),
        (MOMENT, "d mmm yyyy", "4 Mar 2024"),
        (MOMENT, "dd.mm.yyyy", "04.03.2024"),
        (MOMENT, "[$-407]mmmm yyyy", "März 2024"),
        (MOMENT, "m/d/yyyy", "3/4/2024 (2024-03-04)"),
        (MOMENT, "mmm-yy", "Mar-24 (2024-03-04)"),
        (MOMENT, "yyyy", "2024"),
        (MOMENT, "h:mm AM/PM", "2:30 PM"),
        (MOMENT, "[$-F800]dddd, mmmm dd, yyyy", "2024-03-04 14:30"),
        (DAY, "yyyy-mm-dd hh:mm:ss", "2024-03-04"),
        (dt.timedelta(hours=30, minutes=5), "[h]:mm", "30:05"),
        (dt.time(9, 5, 3), "mm:ss", "05:03"),
        (dt.date(2024, 3, 4), "", "2024-03-04"),
    ],
)
def test_dates_have_the_format_of_their_cell_and_are_certain(value, code, expected):
    assert shown_date(value, code) == expected


def test_a_workbook_shows_its_formats(write):
    def fill(book, page):
        page.write_row(0, 0, ["Product", "Discount", "From"])
        page.write(1, 0, "Parka")
        page.write(1, 1, 0.075, book.add_format({"num_format": "0.0%"}))
        page.write(1, 2, MOMENT, book.add_format({"num_format": "d mmm yyyy"}))

    assert rows_of(sheet(write, fill))[2] == "| Parka | 7.5% | 4 Mar 2024 |"


def test_merged_cells_hold_for_all_their_rows(write):
    def fill(_, page):
        page.write_row(0, 0, ["Product", "Size", "Price"])
        page.merge_range(1, 0, 2, 0, "Jacket")
        page.write_row(1, 1, ["S", 119])
        page.write_row(2, 1, ["L", 131])

    assert rows_of(sheet(write, fill))[2:] == ["| Jacket | S | 119 |", "| Jacket | L | 131 |"]


def test_titles_stay_above_and_header_rows_are_joined(write):
    def fill(_, page):
        page.merge_range(0, 0, 0, 4, "Energy use")
        page.write(1, 4, "in MWh")
        page.write_row(2, 0, ["Site", "Gas", "", "Power"])
        page.write_row(3, 1, [2023, 2024, 2023, 2024])
        page.write_row(4, 0, ["Oslo", 1, 2, 3, 4])

    document = sheet(write, fill)
    assert of_kind(document, "paragraph") == ["Energy use", "in MWh"]
    assert rows_of(document)[0] == "| Site | Gas 2023 | Gas 2024 | Power 2023 | Power 2024 |"


def test_a_header_above_an_empty_row_heads_the_data_below(write):
    def fill(_, page):
        page.write_row(0, 0, ["", "Sales", "Profit"])
        page.write_row(2, 0, ["North", 12, 3])
        page.write_row(3, 0, ["South", 5, 1])
        page.write_row(5, 0, ["Name", "City"])
        page.write_row(7, 0, ["Ann", "Oslo"])

    tables = of_kind(sheet(write, fill), "table")
    assert tables[0] == "|  | Sales | Profit |\n| --- | --- | --- |\n| North | 12 | 3 |\n| South | 5 | 1 |"
    assert len(tables) == 3  # without a number, the last rows may be two tables


def test_separated_values_have_headers_of_two_rows_as_well(write):
    document = load(write("a.csv", "Site,Gas,,Power,\n,2023,2024,2023,2024\nOslo,1,2,3,4\n"))
    assert rows_of(document)[0] == "| Site | Gas 2023 | Gas 2024 | Power 2023 | Power 2024 |"


def test_hidden_parts_are_left_out_and_reported(write):
    def fill(book):
        page = book.add_worksheet("Prices")
        page.write_row(0, 0, ["Valve", "Cost", "Price"])
        page.write_row(1, 0, ["Heron", 7, 15])
        page.write_row(2, 0, ["Osprey", 9, 22])
        page.set_column(1, 1, None, None, {"hidden": True})
        page.set_column(9, 20, None, None, {"hidden": True})
        page.set_row(1, None, None, {"hidden": True})
        for name, hide in (("Old", "hide"), ("Older", "very_hidden")):
            old = book.add_worksheet(name)
            old.write(0, 0, "9.9")
            getattr(old, hide)()

    document = load(write("a.xlsx", workbook_file(fill)))
    assert document.text == "# Prices\n\n| Valve | Price |\n| --- | --- |\n| Osprey | 22 |"
    sheets, cells = document.warnings
    assert sheets.startswith("Hidden sheets were left out: Old, Older.")
    assert cells.startswith("1 hidden row and 1 hidden column of sheet Prices were left out.")


def test_a_merged_cell_keeps_its_text_when_its_first_column_is_hidden(write):
    def fill(_, page):
        page.merge_range(0, 0, 0, 1, "Valve")
        page.write_row(0, 2, ["Price"])
        page.merge_range(1, 0, 1, 1, "Heron")
        page.write_row(1, 2, [15])
        page.set_column(0, 0, None, None, {"hidden": True})

    assert rows_of(sheet(write, fill))[2] == "| Heron | 15 |"


def missing(data: bytes) -> bytes:
    """The workbook as programs write it that do not calculate."""
    return changed(data, "xl/worksheets/sheet1.xml", "<v>0</v>", "<v></v>")


@pytest.mark.parametrize("made", [missing, lambda data: data], ids=["no result", "a zero for each"])
def test_a_formula_without_result_is_read_as_formula_and_reported(write, made):
    def fill(book):
        page = book.add_worksheet("Budget")
        page.write_row(0, 0, ["Position", "Cost"])
        page.write_row(1, 0, ["Hall", 4200])
        page.write(2, 0, "Total")
        page.write_formula(2, 1, "=SUM(B2:B2)")

    document = load(write("a.xlsx", made(workbook_file(fill))))
    assert rows_of(document)[-1] == "| Total | =SUM(B2:B2) |"
    assert document.warnings[0].startswith("The results of 1 formula of sheet Budget are not stored")


def test_a_result_of_zero_is_kept_where_others_were_calculated(write):
    def fill(book):
        page = book.add_worksheet("Prices")
        page.write_row(0, 0, ["Name", "Sum"])
        page.write(1, 0, "a")
        page.write_formula(1, 1, "=1-1", None, 0)
        page.write(2, 0, "b")
        page.write_formula(2, 1, "=1+1", None, 2)
        page.write(3, 0, "c")
        page.write_formula(3, 1, '=""', None, "empty")

    no_text = changed(workbook_file(fill), "xl/worksheets/sheet1.xml", "<v>empty</v>", "<v></v>")
    document = load(write("a.xlsx", no_text))
    assert rows_of(document)[2:] == ["| a | 0 |", "| b | 2 |", "| c |  |"]
    assert not document.warnings


def test_a_formula_that_is_shared_moves_its_references():
    assert moved('A1*$B$2&"A1"', 2, 1) == 'B3*$B$2&"A1"'
    assert moved("SUM(A$1:$A5)+LOG10(Z9)", 1, 1) == "SUM(B$1:$A6)+LOG10(AA10)"


def odf_sheet(rows: str, columns: str = "", attributes: str = 'table:name="Prices"') -> str:
    return f"<table:table {attributes}>{columns}{rows}</table:table>"


def cell(text: str = "", attributes: str = "") -> str:
    shown_text = f"<text:p>{text}</text:p>" if text else ""
    return f"<table:table-cell {attributes}>{shown_text}</table:table-cell>"


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def test_opendocument_sheets_are_read_as_they_are_shown(write):
    percent = 'office:value-type="percentage" office:value="0.075"'
    date = 'office:value-type="date" office:date-value="2024-03-04"'
    sum_of = 'table:formula="of:=SUM([.B2:.B3])"'
    covered = "<table:covered-table-cell/>"
    hidden_columns = (
        "<table:table-column/><table:table-column/><table:table-column/>"
        '<table:table-column table:visibility="collapse" table:number-columns-repeated="1000"/>'
    )
    prices = odf_sheet(
        row(*map(cell, ("Product", "Discount", "From", "Cost")))
        + row(cell("Parka", 'table:number-rows-spanned="2"'), cell("7.5%", percent), cell("3/4/24", date), cell("9"))
        + row(covered, cell("8%", percent), cell("", 'office:value-type="float" office:value="12"'))
        + row(cell("Hat"), cell("1"), attributes='table:visibility="filter"')
        + row(cell("Total"), cell("", sum_of))
        + row(cell("", 'table:number-columns-repeated="16384"'), attributes='table:number-rows-repeated="1048000"'),
        hidden_columns,
    )
    old = odf_sheet(row(cell("9.9")), "", 'table:name="Old" table:style-name="gone"')
    hide = '<style:table-properties table:display="false"/>'
    style = f'<style:style style:name="gone" style:family="table">{hide}</style:style>'
    document = load(write("a.ods", opendocument_file("spreadsheet", prices + old, style)))
    assert rows_of(document) == [
        "| Product | Discount | From |",
        "| --- | --- | --- |",
        "| Parka | 7.5% | 3/4/24 (2024-03-04) |",
        "| Parka | 8% (7.5%) | 12 |",
        "| Total | =SUM(B2:B3) |  |",
    ]
    assert [warning.split(".")[0] for warning in document.warnings] == [
        "Hidden sheets were left out: Old",
        "1 hidden row and 1 hidden column of sheet Prices were left out",
        "The results of 1 formula of sheet Prices are not stored: the formulas are read instead",
    ]
