"""Tests that functions over whole texts take linear time on repetitive text.

Time is CPU time, and only its growth counts; see tests/support/growth.py. Texts come with a number behind them, so that
nothing is taken from a cache.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from contextlib import suppress
from html import escape

import growth
import pytest
from pattern_inputs import TYPICAL
from tests_support import chunks_of

from app.answering.highlights import answer_spans
from app.evaluation.question_templates import definition
from app.grounding.claim_detection import is_claim, is_refusal
from app.grounding.verifier import Verifier
from app.models import Passage
from app.text.citation_markers import MarkerFilter, code_spans, without_markers
from app.text.identifiers import find_identifiers
from app.text.language_data import language_data_of
from app.text.sentences import split_sentences
from app.text.terms import content_terms, words_of
from app.text.tokens import acronyms, tokenize
from app.ui.components import rendering
from app.ui.components.answer_markup import marked_html
from ingest import filters, urls
from ingest.chunking import Chunker
from ingest.errors import FootnoteError
from ingest.lexical.analyzer import in_pieces, spelled_out
from ingest.loaders import load_source
from ingest.loaders.markup.markdown import read_markdown
from ingest.loaders.source import Source
from ingest.text.document_names import matching_names
from ingest.text.languages import language_of

NUMBERS = itertools.count()
MARKDOWN = (
    *("[[", "![a](b) ", "[a](b) ", "*a", "**a ", "*a **b ", "_a_ ", "`a``", "```\n", "~~~\n", "> > ", "- a\n", "  - "),
    *(
        "1. a\n",
        "# a\n",
        "| a |\n",
        "|a|b|\n|-|-|\n",
        "<b><i>",
        "</a>",
        "<![CDATA[",
        "&amp;",
        "&#65;",
        "\\[",
        "[a]: b\n",
    ),
)
WORDS = (
    *("not ", "not, ", "Anna Miller ", "10 euros, ", "1.2.3.", "U.S. ", "a. B", "No. ", "a\n\n", "2020 ", "XJ-2045B "),
    *("The fee is 20 euros [1].\n", "The fee is not 20 euros, ", "| 2020 | 12 |\n", "\u0e01", "\u0627"),
)
MARKUP = (
    *("<table>", "<td>", "<li>", "<div>", "<b><i>", "= a\n", "----\n", "====\n", "* a\n", ".. a\n", "a::\n", "===\n"),
    *(
        "+--+\n",
        "From a 00:00\n",
        ">From ",
        " a: b\n",
        '{"a":',
        "[[[",
        "{\\a ",
        "{",
        "\\par ",
        '"a",',
        "=?utf-8?q?a?= ",
    ),
    *("a@b, ", "<a@b> ", "( ", "00:00:00.000 --> 00:00:01.000\na\n\n"),
)


def repeated(piece: str) -> Callable[[int], str]:
    return lambda n: f"{piece * (n // len(piece))} {next(NUMBERS)}"


def streamed(text: str, size: int) -> None:
    markers = MarkerFilter(3)
    for at in range(0, len(text), size):
        markers.feed(text[at : at + size])
    markers.end()


def tagged(text: str) -> None:
    with suppress(FootnoteError):
        filters.tag_name(text)


# Quick ones: tried on 100,000 characters.
QUICK = {
    "filter": lambda text: streamed(text, len(text)),
    "unmarked": without_markers,
    "code_spans": lambda text: list(code_spans(text)),
    "acronyms": acronyms,
    "is_refusal": is_refusal,
    "definition": definition,
    "document_name": rendering.document_name,
    "in_pieces": in_pieces,
    "masked": urls.masked,
    "masked_value": urls.masked_value,
    "host_and_path": lambda text: urls.host_and_path(f"http://{text}"),
    "document_type": filters.document_type,
    "tag_name": tagged,
    "filter of": lambda text: filters.Filter.of(sources=[text], types=[text]),
    "matching": lambda text: matching_names(text, ["/a/b", "/c"]),
}


class Tokens:
    """Counts words."""

    max_tokens = 256

    def count_tokens(self, text: str) -> int:
        return len(self.token_spans(text)) + 2

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [found.span() for found in re.finditer(r"\w{1,16}|[^\w\s]", text)]


def verified(text: str) -> None:
    passages = [
        Passage(n, f"/{n}.md", "v", "Fees", None, ("Fees",), 0, len(words), words, 0.5)
        for n, words in enumerate(
            ("The fee is 20 euros a month. Anna Miller paid it in March 2020.", "It was not 30."), 1
        )
    ]
    answer = Verifier().verify(text, dict(enumerate(passages, 1)), passages)
    marked_html(answer.text, answer.sentences, "a")


SLOWER = {
    "filter in pieces": lambda text: streamed(text, 5),
    "split": split_sentences,
    "tokens": words_of,
    "content_terms": content_terms,
    "read": lambda text: [tokenize(text, language_data_of(name)) for name in ("english", "german")],
    "identifiers": find_identifiers,
    "is_claim": is_claim,
    "spans": lambda text: [answer_spans(asked, text) for asked in ("Which are", "How many", "When", "Is it")],
    "plain": rendering.plain,
    "spelled_out": spelled_out,
    "language_of": language_of,
    "chunks": lambda text: chunks_of(Chunker(Tokens()), read_markdown(text)),
    "marked_html": lambda text: marked_html(text, (), "a"),
}
FILES = {
    **dict.fromkeys((".txt", ".md", ".rst", ".adoc", ".org", ".html", ".json", ".csv", ".srt", ".py"), "{}"),
    ".eml": "From: a@b.c\nSubject: {}\n\n{}",
    ".mbox": "From a 00:00\nTo: {}\nContent-Type: text/plain; {}\n\n{}",
    ".rtf": "{{\\rtf1 {}",
    ".vtt": "WEBVTT\n\n{}",
}


def loaded(text: str, suffix: str, form: str = "{}") -> None:
    data = form.format(*[text] * form.count("{}")).encode()
    with suppress(FootnoteError):
        load_source(Source(name=f"a{suffix}", data=data, suffix=suffix, ocr=False))


def check(run: Callable[[str], object], pieces: tuple[str, ...], *, whole: bool = False) -> None:
    for piece in pieces:
        found = growth.growth(run, repeated(piece), first=(64, 1024), whole=whole)
        assert found is None, f"{piece!r} again and again takes more than linear time: {found}"


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_function_takes_linear_time(name):
    check(QUICK[name], (*TYPICAL, *WORDS), whole=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOWER)
def test_a_function_takes_linear_time(name):
    check(SLOWER[name], (*TYPICAL, *MARKDOWN, *WORDS))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FILES)
def test_a_file_is_read_in_linear_time(suffix):
    check(lambda text: loaded(text, suffix, FILES[suffix]), (*TYPICAL, *(MARKDOWN if suffix == ".md" else MARKUP)))


def test_values_of_structured_files_are_read_in_linear_time():
    pieces = (*TYPICAL, *MARKDOWN)
    check(lambda text: loaded(json.dumps({"a": text, "b": [text, text]}), ".json"), pieces)
    check(lambda text: loaded(f"<a><b>{escape(text)}</b></a>", ".xml"), pieces)


def test_an_answer_is_verified_and_drawn_in_linear_time():
    check(verified, (*WORDS, *" \n.`[|#>-*_<\\0a", "[1]", "&#", "1. a\n", "- a\n"))
