"""Units of tables: the general scale of a unit line, its exceptions, and the figures that have none."""

from __future__ import annotations

import pytest

from app.text import stated_scales, table_rows, with_scale, without_scale


@pytest.mark.parametrize(
    ("text", "name", "currency"),
    [
        ("(In millions, except per share amounts)", "million", ""),
        ("as follows (dollars in thousands):", "thousand", "$"),
        ("amounts in billions of euros", "billion", "\u20ac"),
        ("(in millions of U.S. dollars)", "million", "$"),
        ("($ in millions)", "million", "$"),
        ("in EUR million", "million", "\u20ac"),
        ("\u20ac million", "million", "\u20ac"),
        ("2031 \u20acm", "million", "\u20ac"),
        ("\u00a3bn", "billion", "\u00a3"),
        ("$'000", "thousand", "$"),
        ("(Thousands, except headcount)", "thousand", ""),
        ("(dollars and shares in thousands)", "thousand", "$"),
        (
            "(In millions, except number of shares, which are reflected in thousands, and per-share amounts)",
            "million",
            "",
        ),
        ("(net income in millions and shares in thousands)", "million", ""),
        ("(in millions, except number of shares (in thousands) and par value)", "million", ""),
        ("(except per share amounts, in millions)", "million", ""),
        ("Sales in thousands. The table below shows costs (in millions)", "million", ""),
        ("(in millions) (shares in thousands)", "million", ""),
        ("in Mio. EUR", "Mio. \u20ac", ""),
        ("Angaben in Mio. \u20ac", "Mio. \u20ac", ""),
        ("in Millionen Euro", "Mio. \u20ac", ""),
        ("2031 Mio. EUR", "Mio. \u20ac", ""),
        ("in TEUR", "TEUR", ""),
        ("T\u20ac", "T\u20ac", ""),
        ("Betr\u00e4ge in Tsd. Euro", "Tsd. \u20ac", ""),
        ("in Mrd. USD", "Mrd. $", ""),
        ("in Mio. CHF, au\u00dfer Angaben je Aktie", "Mio. CHF", ""),
        ("(en millions d'euros)", "millions \u20ac", ""),
        ("en millions d\u2019euros, sauf donn\u00e9es par action", "millions \u20ac", ""),
        ("en milliers d'euros", "milliers \u20ac", ""),
        ("(en k\u20ac)", "k\u20ac", ""),
        ("M\u20ac", "M\u20ac", ""),
        ("(en millones de euros)", "millones \u20ac", ""),
        ("Miles de euros", "miles \u20ac", ""),
        ("en miles de millones de d\u00f3lares", "miles de millones $", ""),
        ("(in milioni di euro)", "milioni \u20ac", ""),
        ("Migliaia di euro", "migliaia \u20ac", ""),
    ],
)
def test_the_general_scale_of_a_unit_line_is_read_with_its_currency(text, name, currency):
    stated = stated_scales(text)
    assert stated is not None
    assert stated.general is not None
    assert (stated.general.name, stated.general.currency) == (name, currency)


@pytest.mark.parametrize(
    "text",
    [
        "in the millions of years since",
        "They paid 5 million euros",
        "Der Umsatz stieg um 5 Mio. EUR",
        "Es waren mehrere Mio. Euro",
        "une somme de 12 M\u20ac",
        "It cost hundreds of million dollars",
        "a walk in miles",
        "AT&T $5",
        "$000,000",
        "",
    ],
)
def test_a_text_without_a_unit_line_states_no_scale(text):
    assert stated_scales(text) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("June 30, 2031 ($ in millions)", "June 30, 2031"),
        ("Umsatz (in Mio. EUR)", "Umsatz"),
        ("2031 in TEUR", "2031"),
        ("2031, in millions", "2031"),
        ("Costs in millions of euros and more", "Costs in millions of euros and more"),
        ("Sales (net)", "Sales (net)"),
    ],
)
def test_a_name_is_given_without_its_scale(name, expected):
    assert without_scale(name) == expected


FILING = "(In millions, except number of shares, which are reflected in thousands, and per-share amounts)"


@pytest.mark.parametrize(
    ("unit", "label", "cell", "expected"),
    [
        (FILING, "Net income", "$19,442", "$19,442 million"),
        (FILING, "Number of shares", "15,892", "15,892 thousand"),
        (FILING, "Weighted-average basic shares outstanding", "15,892", "15,892 thousand"),
        (FILING, "Earnings per share", "$1.20", "$1.20"),
        (FILING, "Cash dividends declared per common share", "$0.24", "$0.24"),
        (FILING, "Basic", "$1.20", "$1.20"),
        (FILING, "Common stock, $0.00001 par value: 50,400 shares authorized", "70,667", "70,667"),
        (FILING, "Payments for shares withheld", "$12", "$12 million"),
        (FILING, "Restricted shares vested", "12", "12"),
        (FILING, "Tax rate", "16", "16"),
        ("(in millions, except shares)", "Shares outstanding", "15,892", "15,892"),
        ("(in millions, except per share data)", "Shares outstanding", "15,892", "15,892 million"),
        ("(in millions, except for warehouses)", "Warehouses", "12", "12"),
        ("(in millions, except for warehouses)", "Sales", "12", "12 million"),
        ("(in millions)", "Employees", "12", "12"),
        ("(net income in millions and shares in thousands)", "Net income", "19", "19 million"),
        ("(net income in millions and shares in thousands)", "Shares", "19", "19 thousand"),
        ("(shares in thousands)", "Shares", "19", "19 thousand"),
        ("(shares in thousands)", "Net income", "19", "19"),
        ("(in millions)", "Sales (in thousands)", "19", "19 thousand"),
        ("in Mio. EUR, au\u00dfer Angaben je Aktie", "Umsatz", "1.234,5", "1.234,5 Mio. \u20ac"),
        ("in Mio. EUR, au\u00dfer Angaben je Aktie", "Ergebnis je Aktie", "1,23", "1,23"),
        ("en millions d'euros", "Chiffre d'affaires", "1 234", "1 234 millions \u20ac"),
        ("en millions d'euros, sauf le r\u00e9sultat par action", "R\u00e9sultat par action", "1,2", "1,2"),
        ("en miles de euros, salvo acciones", "Ingresos", "1.234", "1.234 miles \u20ac"),
        ("en miles de euros, salvo acciones", "N\u00famero de acciones", "1.234", "1.234"),
        ("in milioni di euro", "Ricavi", "12", "12 milioni \u20ac"),
    ],
)
def test_a_figure_has_the_scale_of_its_row(unit, label, cell, expected):
    (row,) = table_rows(f"{unit}\n\n| | 2031 |\n| --- | --- |\n| {label} | {cell} |\n")
    assert with_scale(row, 1) == expected


def test_columns_have_their_own_scales_and_exceptions():
    text = f"{FILING}\n\n| Period | Number of shares | Average price paid per share | Cost |\n"
    (row,) = table_rows(text + "| --- | --- | --- | --- |\n| Q1 | 5,200 | $152.10 | $791 |\n")
    assert [with_scale(row, i) for i in (1, 2, 3)] == ["5,200 thousand", "$152.10", "$791 million"]


@pytest.mark.parametrize("header", ["| in TEUR | 2031 |", "| | 2031 (TEUR) |", "| | 2031 TEUR |"])
def test_the_header_and_its_corner_state_a_scale(header):
    (row,) = table_rows(f"{header}\n| --- | --- |\n| Umsatz | 12 |\n")
    assert with_scale(row, 1) == "12 TEUR"


def test_dates_have_no_scale():
    (row,) = table_rows("(in millions)\n\n| Notes | Maturity | Amount |\n| --- | --- | --- |\n| A | 2031 | 1,250 |\n")
    assert [with_scale(row, i) for i in (1, 2)] == ["2031", "1,250 million"]
