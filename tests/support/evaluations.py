"""Question sets for tests of evaluations, and checks of their reports."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

pytestmark = pytest.mark.usefixtures("shared_chroma")


FRUIT = {
    "apples": "Apples are red fruit that grow on trees in orchards of the north.",
    "bananas": "Bananas are yellow fruit that grow in plantations near the equator.",
    "cherries": "Cherries ripen early in summer, are small, and are eaten by blackbirds.",
    "script": "Some documents say <script>alert(1)</script> and | pipes | and nothing else.",
}


QUESTIONS = [
    ("q1", "Which red fruit grow on trees in orchards?", "apples"),
    ("q2", "Where do yellow bananas grow?", "bananas"),
    ("q3", "What is eaten by blackbirds?", "cherries"),
    (
        "q4",
        "Which <script>fruit grow near the | equator in plantations?",
        "apples",
    ),  # judged wrongly: it is found elsewhere
]


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def check_page(page):
    class Links(HTMLParser):
        def __init__(self):
            super().__init__()
            self.found, self.tags = [], set()

        def handle_starttag(self, tag, attrs):
            self.tags.add(tag)
            self.found += [value for name, value in attrs if name in {"src", "href"}]

    parser = Links()
    parser.feed(page)
    assert parser.found == []
    assert "script" not in parser.tags
    assert "&lt;script&gt;" in page
    assert "Which &lt;script&gt;fruit grow near the | equator in plantations?" in page


def document_text(source):
    from pathlib import Path

    return Path(source).read_text()
