"""Lists of web pages and OpenDocument texts have the numbers that their programs show."""

from __future__ import annotations

import pytest
from format_files import of_kind
from office_files import opendocument_file

from ingest.loaders import load
from ingest.loaders.list_numbers import letters, letters_as_digits, ordinal, roman


@pytest.mark.parametrize(("n", "numeral"), [(4, "iv"), (9, "ix"), (1994, "mcmxciv"), (0, "0"), (4000, "4000")])
def test_roman_numerals(n, numeral):
    assert roman(n) == numeral


def test_letters_after_z():
    assert [letters(n) for n in (1, 26, 27, 28, 0)] == ["a", "z", "aa", "bb", "0"]
    assert [letters_as_digits(n) for n in (1, 26, 27, 28, 703, 0)] == ["a", "z", "aa", "ab", "aaa", "0"]


def test_ordinals():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 112)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "21st",
        "112th",
    ]


@pytest.mark.parametrize(
    ("attributes", "marks"),
    [
        ("", ["1.", "2."]),
        ("start=7", ["7.", "8."]),
        ("start=-1", ["-1.", "0."]),
        ("start=x", ["1.", "2."]),
        ("type=a start=27", ["aa.", "ab."]),
        ("type=I", ["I.", "II."]),
        ('style="list-style-type: lower-roman"', ["i.", "ii."]),
        ('style="list-style: none"', ["-", "-"]),
        ("reversed", ["2.", "1."]),
        ("reversed start=10", ["10.", "9."]),
    ],
)
def test_numbers_of_a_list_of_a_web_page(write, attributes, marks):
    page = f"<ol {attributes}><li>dig</li><li>fill</li></ol>"
    assert load(write("a.html", page)).text == f"{marks[0]} dig\n{marks[1]} fill"


def test_an_item_of_a_web_page_may_have_its_own_number(write):
    page = "<ol><li>a</li><li value=10>b<ol type=i><li>inner</li></ol></li><li>c</li></ol>"
    assert load(write("a.html", page)).text == "1. a\n10. b\n  i. inner\n11. c"


LEVELS = (
    '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" '
    'style:num-suffix="." text:start-value="3"/><text:list-level-style-number text:level="2" style:num-format="a" '
    'style:num-prefix="(" style:num-suffix=")"/><text:list-level-style-number text:level="3" style:num-format="1" '
    'text:display-levels="3"/></text:list-style><text:list-style style:name="B"><text:list-level-style-bullet '
    'text:level="1"/></text:list-style>'
)
OUTLINE = (
    '<text:outline-style><text:outline-level-style text:level="1" style:num-format="I" style:num-prefix="Part "/>'
    '<text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/></text:outline-style>'
    '<style:style style:name="Plain" style:family="paragraph" style:list-style-name=""/>'
)


def item(text: str, inner: str = "", attributes: str = "") -> str:
    return f"<text:list-item {attributes}><text:p>{text}</text:p>{inner}</text:list-item>"


def odf_list(*items: str, attributes: str = 'text:style-name="L"') -> str:
    return f"<text:list {attributes}>{''.join(items)}</text:list>"


def test_numbers_of_lists_of_an_opendocument_text(write):
    deep = odf_list(item("deep"), attributes="")
    body = odf_list(item("one", odf_list(item("in", deep), item("in"), attributes="")), item("two"))
    text = load(write("a.odt", opendocument_file("text", body, LEVELS))).text
    assert text == "3. one\n  (a) in\n    3.a.1 deep\n  (b) in\n4. two"


@pytest.mark.parametrize(
    ("attributes", "mark"),
    [
        ('text:style-name="L"', "3."),
        ('text:style-name="L" text:continue-numbering="true"', "4."),
        ('text:style-name="L" text:continue-list="first"', "4."),
        ('text:style-name="B"', "-"),
    ],
)
def test_a_list_of_opendocument_begins_anew_or_goes_on(write, attributes, mark):
    first = odf_list(item("one"), attributes='text:style-name="L" xml:id="first"')
    body = f"{first}<text:p>Between.</text:p>{odf_list(item('two'), attributes=attributes)}"
    document = load(write("a.odt", opendocument_file("text", body, LEVELS)))
    assert of_kind(document, "list") == ["3. one", f"{mark} two"]


def test_an_item_of_opendocument_may_have_its_own_number_and_more_paragraphs(write):
    own = item("ten", "<text:p>more</text:p>", 'text:start-value="10"')
    no_number = "<text:list-header><text:p>head</text:p></text:list-header>"
    text = load(write("a.odt", opendocument_file("text", odf_list(no_number, own, item("next")), LEVELS))).text
    assert text == "head\n10. ten\n  more\n11. next"


def test_numbers_of_headings_of_an_opendocument_text(write):
    def heading(text: str, depth: int, more: str = "") -> str:
        return f'<text:h text:outline-level="{depth}" {more}>{text}</text:h>'

    body = (
        heading("Start", 1)
        + heading("Aims", 2)
        + heading("Means", 2)
        + heading("Aside", 2, 'text:style-name="Plain"')
        + heading("Next", 1)
        + heading("Ways", 2)
        + heading("Deep", 3)
    )
    document = load(write("a.odt", opendocument_file("text", body, OUTLINE)))
    titles = [block.title for block in document.blocks if block.kind == "heading"]
    assert titles == ["Part I Start", "I.1 Aims", "I.2 Means", "Aside", "Part II Next", "II.1 Ways", "Deep"]


@pytest.mark.parametrize("mark", [r"{\listtext 4.2\tab}", r"{\pntext\f1 4.2\tab}"])
def test_numbers_of_rich_text(write, mark):
    text = load(write("a.rtf", rf"{{\rtf1\ansi {mark}Ending\par}}")).text
    assert text.split() == ["4.2", "Ending"]
