"""Builds answers to be drawn, and checks the HTML that is drawn."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from app.models import Answer, Citation, Sentence

OURS = re.compile(r'<a class="fn-marker" href="#fn-x-\d+" target="_self" title="Footnote \d+">\d+</a>')


TAG = re.compile(r"<\s*/?\s*([a-zA-Z!][^\s/>]*)([^>]*)>")


HARMLESS = {"div", "mark", "p", "span", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "br", "hr"}
HARMLESS |= {"table", "thead", "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6"}


def answer(text: str, sentences: tuple[Sentence, ...] = (), **more) -> Answer:
    fields = {"refused": False, "answerer": "m", "citations": ()} | more
    return Answer(question="q", searched="q", text=text, sentences=sentences, **fields)


def citation(quote: str = "the quote", **more) -> Citation:
    fields = {"n": 1, "document": "/docs/a.pdf", "version_id": "v", "title": "", "page": 3, "heading": ("A", "B")}
    return Citation(**(fields | {"start": 5, "end": 5 + len(quote), "quote": quote} | more))


def assert_harmless(html: str) -> None:
    for tag, attributes in TAG.findall(OURS.sub("", html)):
        assert tag.casefold() in HARMLESS
        assert not re.search(r"href|src|on\w+\s*=|javascript", attributes, re.IGNORECASE)


def claim(text: str, words: str, n: int = 0) -> Sentence:
    """An unsupported sentence at its place in `text`."""
    start = text.index(words)
    return Sentence(words, (), False, start, start + len(words), f"because-{n}")


class Shown(HTMLParser):
    """The text in elements of one class, and whether all elements nest."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.text, self.rest = kind, "", ""
        self.open = list[tuple[str, str]]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append((tag, dict(attrs).get("class") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"br", "hr"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        classes = [kind for _, kind in self.open]
        if self.kind in classes:
            self.text += data
        elif "fn-why" not in classes:
            self.rest += data


def marked_text(html: str, kind: str) -> tuple[str, str]:
    """The text of a page in elements of class `kind`, and the rest of it without reasons."""
    shown = Shown(kind)
    shown.feed(html)
    shown.close()
    assert not shown.open
    return shown.text, shown.rest
