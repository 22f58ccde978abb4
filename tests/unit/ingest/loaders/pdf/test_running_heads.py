"""Running heads of PDFs: headers, footers and page numbers are left out, other numbers are not."""

from __future__ import annotations

from ingest.loaders import load

WORDS = ("one", "two", "three", "four", "five", "six", "seven")


def body(name: str) -> str:
    return "\n".join(f"Line {word} of {name} says what is on it." for word in WORDS)


def test_a_page_number_at_the_foot_of_some_pages_in_a_row_is_left_out(write_pdf):
    report = [f"{body(chr(96 + n) * 3)}{chr(10) * n}Acme Ltd | Form 10 | {n}" for n in range(1, 7)]
    exhibits = [body(f"exhibit {letter}") for letter in "abcdefgh"]
    text = load(write_pdf("a.pdf", [*report, *exhibits])).text
    assert "Form 10" not in text
    assert "Line seven of fff" in text
    assert "Line seven of exhibit h" in text


def test_the_numbers_of_invoices_are_no_page_numbers(write_pdf):
    numbers = [4711, 4935, 5012, 5077, 5301, 5302]
    pages = [f"Invoice No. {number}\n\n{body(name)}" for number, name in zip(numbers, WORDS, strict=False)]
    text = load(write_pdf("a.pdf", pages)).text
    assert [number for number in numbers if f"Invoice No. {number}" in text] == numbers


def test_the_name_of_a_chapter_stays_on_its_first_page(write_pdf):
    pages = [f"Chapter {1 + n // 5}\n\n{body(chr(97 + n) * 3)}" for n in range(10)]
    pages += [body(f"appendix {letter}") for letter in "abcdefgh"]
    text = load(write_pdf("a.pdf", pages)).text
    assert [text.count(f"Chapter {n}") for n in (1, 2)] == [1, 1]
