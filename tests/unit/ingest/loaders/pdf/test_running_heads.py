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


def test_what_counts_several_pages_and_is_no_page_number_stays(write_pdf):
    names = ["Patient 1004", "Exercise 3", "Appendix 1", "Fiscal year 2024"]
    for name in names:
        word, _, number = name.rpartition(" ")
        heads = [f"{word} {int(number) + i}" for i in range(5)]
        others = [body(f"page {letter}") for letter in "abcdefghijkl"]
        pages = [f"{head}\n\n{body(chr(97 + i) * 3)}" for i, head in enumerate(heads)]
        text = load(write_pdf(f"{word}.pdf", [*others, *pages])).text
        assert [head for head in heads if head not in text] == []


def test_the_years_of_statements_on_a_page_each_stay(write_pdf):
    pages = [f"Statement for {2030 + i}\nThe balance was {2990 - 331 * i} euros." for i in range(6)]
    text = load(write_pdf("a.pdf", pages)).text
    assert [year for year in range(2030, 2036) if f"Statement for {year}" not in text] == []
