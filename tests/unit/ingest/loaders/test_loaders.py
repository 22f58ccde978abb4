"""Loaders: text, structure and pages of every format, and a clear error for everything else."""

from __future__ import annotations

import pytest
from format_files import kinds, texts
from hypothesis import given
from hypothesis import strategies as st
from tests_support import assert_blocks_cover

from ingest.errors import (
    DamagedDocument,
    EmptyDocument,
    LoadError,
    UnreadableFile,
    UnsupportedDocument,
)
from ingest.loaders import is_readable, load
from ingest.loaders.document_builder import Builder, markdown_table

# Text


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8-sig", b""), ("utf-16", b""), ("utf-16-le", b""), ("utf-16-be", b""), ("utf-32", b"")],
)
def test_text_is_read_in_every_unicode_encoding(write, encoding, mark):
    path = write("note.txt", mark + "Größe: 5 µm.\r\n\r\nEnde".encode(encoding))
    document = load(path)
    assert document.text == "Größe: 5 µm.\n\nEnde"
    assert texts(document) == ["Größe: 5 µm.", "Ende"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_text_without_unicode_is_read(write, encoding):
    assert load(write("a.txt", "Café déjà vu, naïve".encode(encoding))).text == "Café déjà vu, naïve"


def test_longer_text_in_another_alphabet_is_recognised(write):
    words = "Москва является столицей России и крупнейшим городом страны. " * 4
    assert load(write("ru.txt", words.encode("koi8-r"))).text.startswith("Москва является столицей")


@pytest.mark.parametrize("content", [b"", b" \n\t \r\n "])
def test_a_file_without_words_is_called_empty(write, content):
    path = write("empty.txt", content)
    with pytest.raises(EmptyDocument, match=r"empty\.txt is empty"):
        load(path)


def test_a_binary_named_txt_is_refused_by_name(write):
    path = write("program.txt", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 20)
    with pytest.raises(DamagedDocument, match=r"program\.txt is not plain text"):
        load(path)


def test_unstorable_characters_are_replaced_without_changing_offsets(write):
    text = load(write("a.txt", "before\ud800after".encode("utf-8", "surrogatepass") + b" end")).text
    assert "end" in text
    text.encode()


# Markdown


MARKDOWN = """---
title: "From the front"
---
# First `heading`

Some *prose*
over two lines.

- one
- two

| a | b |
|---|---|
| 1 | 2 |

```python
# not a heading
```

Setext
======

[ref]: target
"""


def test_markdown_keeps_its_own_text_and_gains_structure(write):
    document = load(write("a.md", MARKDOWN))
    assert document.text == MARKDOWN
    assert document.title == "From the front"
    assert kinds(document) == ["metadata", "heading", "paragraph", "list", "table", "code", "heading", "paragraph"]
    assert [(b.level, b.title) for b in document.blocks if b.kind == "heading"] == [(1, "First heading"), (1, "Setext")]
    assert_blocks_cover(document)


@given(st.text(alphabet="ab #*-|>`\n1.[]\t=_~:", max_size=300))
def test_every_character_of_markdown_is_in_a_block(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("md") / "a.md"
    path.write_bytes(text.encode())
    try:
        document = load(path)
    except EmptyDocument:
        assert not text.strip()
        return
    assert document.text == text
    assert_blocks_cover(document)


# HTML

HTML = """<!DOCTYPE html><html><head><title>The title</title><script>var hidden</script></head><body>
<nav>Home | About</nav><h1>Top</h1><p>First <b>bold</b> and <a href="x">link</a>.<br>Next line.</p>
<div style="display:none">invisible</div><ul><li>one</li><li>two<ol><li>deep</li></ol></li></ul>
<table><tr><th>Item</th><th>Price</th></tr><tr><td rowspan=2>Tea</td><td>3|4</td></tr><tr><td>5</td></tr></table>
<pre>code  kept
as is</pre><img src=x alt="A chart of sales"></body></html>"""


def test_html_yields_the_visible_text(write):
    document = load(write("a.html", HTML))
    assert document.title == "The title"
    assert texts(document) == [
        "# Top",
        "First bold and link.\nNext line.",
        "- one\n- two\n  1. deep",
        "| Item | Price |\n| --- | --- |\n| Tea | 3\\|4 |\n| Tea | 5 |",
        "```\ncode  kept\nas is\n```",
        "A chart of sales",
    ]
    assert_blocks_cover(document)


def test_html_declares_its_encoding(write):
    page = '<html><head><meta charset="windows-1252"></head><body><p>Café</p></body></html>'.encode("cp1252")
    assert load(write("a.html", page)).text == "Café"


def test_html_nested_beyond_reason_is_still_read(write):
    assert "core" in load(write("deep.html", "<div>" * 3000 + "core" + "</div>" * 3000)).text


# All


def test_an_unknown_kind_names_the_kinds_that_are_read(write):
    path = write("a.xyz", bytes(range(256)) * 8)
    assert not is_readable(path)
    with pytest.raises(UnsupportedDocument, match=r"a\.xyz is of an unsupported type\. Supported: PDF, Office"):
        load(path)


def test_a_file_that_is_not_there_is_unreadable(tmp_path):
    with pytest.raises(UnreadableFile, match=r"gone\.txt could not be read"):
        load(tmp_path / "gone.txt")


@pytest.mark.parametrize("name", ["a\nb.txt", 'it\'s "quoted".md', "🦉 emoji.html", "x" * 246 + ".txt", "sp ace.pdf"])
def test_strange_names_are_only_names(write, write_pdf, name):
    path = write_pdf(name, ["Some words"]) if name.endswith(".pdf") else write(name, "Some words")
    assert load(path).text.strip() == "Some words"


@given(st.lists(st.tuples(st.sampled_from(["p", "h", "page"]), st.text(max_size=30)), max_size=20))
def test_built_documents_are_covered_by_their_blocks(parts):
    builder = Builder()
    for kind, text in parts:
        if kind == "page":
            builder.begin_page()
        elif kind == "h":
            builder.add_heading(2, text)
        else:
            builder.add("paragraph", text)
    document = builder.build()
    assert_blocks_cover(document)
    for page in document.pages:
        assert 0 <= page.start <= page.end <= len(document.text)
    assert [page.number for page in document.pages] == list(range(1, len(document.pages) + 1))


@given(st.lists(st.lists(st.text(max_size=8), max_size=5), max_size=6))
def test_tables_have_equally_wide_rows(rows):
    table = markdown_table(rows)
    widths = {line.replace("\\|", "").count("|") for line in table.splitlines()}
    assert len(widths) <= 1


def test_errors_of_loading_name_the_file(write):
    for name, content in {"a.txt": b"", "b.docx": b"x", "c.pdf": b"%PDF-1.4 nothing"}.items():
        path = write(name, content)
        with pytest.raises(LoadError, match=name):
            load(path)
