"""Parses Markdown for display: CommonMark with tables, HTML as plain text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
REPLACEMENT = "\ufffd"
CODE_BLOCKS = ("fence", "code_block")
EMPHASES = ("em_open", "strong_open")
BREAKS = {"softbreak": "\n", "hardbreak": "<br />\n"}


def flat(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yields the tokens of a block, with images replaced by their descriptions."""
    for token in tokens:
        if token.type == "image":
            yield from flat(token.children or [])
        else:
            yield token


def leaves(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yields the tokens whose content is shown."""
    for token in tokens:
        if token.type == "inline":
            yield from leaves(list(flat(token.children or [])))
        elif token.type in {"text", "text_special", "code_inline", *CODE_BLOCKS}:
            yield token


def _without_private(state: StateCore) -> None:
    """Removes private-use characters that come from character references."""
    for token in state.tokens:
        for one in flat(token.children or []):
            if one.type == "text_special" and one.info == "entity":
                one.content = PRIVATE.sub(REPLACEMENT, one.content)


def _build() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.core.ruler.before("text_join", "without_private", _without_private)
    return markdown


MARKDOWN = _build()
"""The parser. Private-use characters appear in its tokens only if they are in the text itself."""
