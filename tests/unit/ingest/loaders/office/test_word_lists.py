"""Word's list items and headings have the numbers that Word shows."""

from __future__ import annotations

import pytest
from format_files import of_kind
from office_files import in_list, level, numbering, paragraph, word_cell, word_file, word_table

from ingest.loaders import load

CLAUSES = level(0, "%1.") + level(1, "%1.%2")
INSTANCE = '<w:num w:numId="{}"><w:abstractNumId w:val="0"/>{}</w:num>'


def shared(second: str) -> str:
    """Two instances of a list; `second` is what the second overrides."""
    return INSTANCE.format(1, "") + INSTANCE.format(2, second)


def heading(text: str, depth: int = 0, properties: str = "") -> str:
    return paragraph(text, f'{properties}<w:outlineLvl w:val="{depth}"/>')


def items(*depths: int, number: int = 1) -> str:
    return "".join(paragraph("x", in_list(number, depth)) for depth in depths)


def marks(write, levels: str, body: str, instances: str | None = None) -> list[str]:
    """The marks of the list items of a document, in order."""
    lists = numbering(levels, instances) if instances else numbering(levels)
    document = load(write("a.docx", word_file(body, numbering=lists)))
    return [line.strip().removesuffix(" x") for one in of_kind(document, "list") for line in one.splitlines()]


def test_clauses_are_numbered_under_their_headings(write):
    body = "".join(
        heading(name, 0, in_list(1)) + paragraph(f"First of {name}.", in_list(1, 1)) + paragraph("Next.", in_list(1, 1))
        for name in ("Term", "Rent")
    )
    document = load(write("a.docx", word_file(body, numbering=numbering(CLAUSES))))
    assert document.text == ("# 1. Term\n\n1.1 First of Term.\n1.2 Next.\n\n# 2. Rent\n\n2.1 First of Rent.\n2.2 Next.")
    assert [block.title for block in document.blocks if block.kind == "heading"] == ["1. Term", "2. Rent"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("decimal", ["1", "2"]),
        ("upperRoman", ["I", "II"]),
        ("lowerRoman", ["i", "ii"]),
        ("upperLetter", ["A", "B"]),
        ("lowerLetter", ["a", "b"]),
        ("decimalZero", ["01", "02"]),
        ("ordinal", ["1st", "2nd"]),
        ("decimalEnclosedCircle", ["①", "②"]),
        ("bullet", ["-", "-"]),
        ("cardinalText", ["1", "2"]),  # in digits, as there are no words for it
    ],
)
def test_number_formats(write, kind, expected):
    assert marks(write, level(0, "%1", kind), items(0, 0)) == expected


def test_letters_go_on_after_z_by_repeating(write):
    found = marks(write, level(0, "(%1)", "lowerLetter", start=25), items(0, 0, 0, 0))
    assert found == ["(y)", "(z)", "(aa)", "(bb)"]


def test_a_list_starts_where_it_says_with_the_words_of_its_pattern(write):
    assert marks(write, level(0, "Step %1:", start=7), items(0, 0)) == ["Step 7:", "Step 8:"]


def test_numbers_go_on_after_bullets_and_text(write):
    bullets = '<w:abstractNum w:abstractNumId="9">' + level(0, "*", "bullet") + "</w:abstractNum>"
    instances = (
        bullets + '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
        '<w:num w:numId="5"><w:abstractNumId w:val="9"/></w:num>'
    )
    body = items(0, 0) + items(0, number=5) + paragraph("Between.") + items(0)
    assert marks(write, level(0, "%1."), body, instances) == ["1.", "2.", "-", "3."]


def test_a_deeper_level_begins_again_unless_it_says_otherwise(write):
    never = level(0, "%1.") + level(1, "%2)", more='<w:lvlRestart w:val="0"/>')
    assert marks(write, CLAUSES, items(0, 1, 1, 0, 1)) == ["1.", "1.1", "1.2", "2.", "2.1"]
    assert marks(write, never, items(0, 1, 1, 0, 1)) == ["1.", "1)", "2)", "2.", "3)"]
    after_first = CLAUSES + level(2, "%3", more='<w:lvlRestart w:val="1"/>')
    assert marks(write, after_first, items(0, 1, 2, 1, 2, 0, 1, 2))[-1] == "1"
    assert marks(write, after_first, items(0, 1, 2, 1, 2))[-1] == "2"


def test_legal_numbering_is_in_digits(write):
    legal = level(0, "Article %1", "upperRoman") + level(1, "%1.%2", more="<w:isLgl/>")
    assert marks(write, legal, items(0, 0, 1)) == ["Article I", "Article II", "2.1"]


def test_instances_of_a_list_share_its_numbers_unless_one_starts_anew(write):
    override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    body = items(0, 0) + items(0, 0, number=2)
    assert marks(write, CLAUSES, body, shared("")) == ["1.", "2.", "3.", "4."]
    assert marks(write, CLAUSES, body, shared(override)) == ["1.", "2.", "1.", "2."]
    own = f'<w:lvlOverride w:ilvl="0">{level(0, "%1)", "lowerLetter")}</w:lvlOverride>'
    assert marks(write, CLAUSES, items(0) + items(0, number=2), shared(own)) == ["1.", "b)"]


def test_styles_carry_numbers_and_their_level(write):
    linked = level(0, "%1", more='<w:pStyle w:val="Part"/>') + level(1, "%1.%2", more='<w:pStyle w:val="Clause"/>')
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{name}"/>{more}</w:style>'
        for name, more in (
            ("Part", '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr><w:outlineLvl w:val="0"/></w:pPr>'),
            ("Clause", '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'),
            ("Quiet", '<w:basedOn w:val="Clause"/><w:pPr><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr>'),
            ("Loud", '<w:basedOn w:val="Clause"/>'),
        )
    )
    names = ("Part", "Clause", "Quiet", "Loud", "Part", "Clause")
    body = "".join(paragraph(name, f'<w:pStyle w:val="{name}"/>') for name in names)
    document = load(write("a.docx", word_file(body, numbering=numbering(linked), styles=styles)))
    assert document.text == "# 1 Part\n\n1.1 Clause\n\nQuiet\n\n1.2 Loud\n\n# 2 Part\n\n2.1 Clause"


def test_a_list_may_be_that_of_a_style(write):
    lists = (
        '<w:abstractNum w:abstractNumId="1"><w:numStyleLink w:val="Law"/></w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="2"><w:styleLink w:val="Law"/>{level(0, "§ %1", start=4)}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
    )
    document = load(write("a.docx", word_file(items(0, 0), numbering=lists)))
    assert document.text == "§ 4 x\n§ 5 x"


def test_empty_items_count_and_hidden_or_deleted_ones_do_not(write):
    hidden = paragraph("secret", in_list(1), "<w:vanish/>")
    deleted = f"<w:p><w:pPr>{in_list(1)}<w:rPr><w:del/></w:rPr></w:pPr></w:p>"
    assert marks(write, level(0, "%1."), items(0) + paragraph("", in_list(1)) + items(0)) == ["1.", "3."]
    assert marks(write, level(0, "%1."), items(0) + hidden + deleted + items(0)) == ["1.", "2."]


def test_rows_of_a_table_may_be_numbered(write):
    numbered = paragraph("", in_list(1))
    table = word_table([word_cell("No.") + word_cell("Task"), *[word_cell(numbered) + word_cell("dig")] * 2])
    document = load(write("a.docx", word_file(table, numbering=numbering(level(0, "%1.")))))
    assert document.text == "| No. | Task |\n| --- | --- |\n| 1. | dig |\n| 2. | dig |"


def test_hidden_text_is_left_out_and_reported(write):
    styles = (
        '<w:style w:type="character" w:styleId="Note"><w:name w:val="Note"/><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="Draft"><w:name w:val="Draft"/><w:rPr><w:vanish/></w:rPr></w:style>'
    )
    body = (
        paragraph("Seen.")
        + paragraph("Gone.", "", "<w:vanish/>")
        + paragraph("Away.", "", '<w:rStyle w:val="Note"/>')
        + paragraph("Apart.", '<w:pStyle w:val="Draft"/>')
        + paragraph("Shown again.", '<w:pStyle w:val="Draft"/>', '<w:vanish w:val="0"/>')
    )
    document = load(write("a.docx", word_file(body, styles=styles)))
    assert document.text == "Seen.\n\nShown again."
    assert document.warnings[0].startswith("Hidden text of 16 characters was left out.")
    assert not load(write("b.docx", word_file(paragraph("Seen.")))).warnings
