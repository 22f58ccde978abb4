"""Renders an answer's Markdown as HTML, with footnote links and verdicts. Pure.

Each position is marked by a private-use character while Markdown is parsed. Such characters are removed from the text
beforehand, and from decoded character references afterwards, so that the text cannot forge one. The parsed text is then
split at the markers, and each piece gets its own tags, so that tags always nest.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import accumulate, groupby

from markdown_it.token import Token

from app.models import Sentence
from app.ui.components.answer_places import Place, with_places
from app.ui.components.markdown import BREAKS, CODE_BLOCKS, EMPHASES, MARKDOWN, PRIVATE, REPLACEMENT, flat, leaves

CUT = re.compile(f"({PRIVATE.pattern})")
NOWHERE = -1
LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of inline HTML inside one marked sentence (-1: none), or several in one element.

    `ends` are the sentences that end with it; their reasons are put after it.
    """

    html: str
    sentence: int = -1
    lit: bool = False
    ends: tuple[int, ...] = ()


def link_html(anchor: str, n: int) -> str:
    """Returns the link of a marker to footnote `n`."""
    return f'<a class="fn-marker" href="#{note_id(anchor, n)}" target="_self" title="Footnote {n}">{n}</a>'


def note_id(anchor: str, n: int) -> str:
    """Returns the HTML id of footnote `n` of the answer `anchor`."""
    return f"fn-{escape(anchor, quote=True)}-{n}"


def marked_html(text: str, sentences: Sequence[Sentence], anchor: str) -> str:
    """Renders Markdown; each unsupported sentence is marked, with the reason.

    HTML in it is shown as text, images as their description, links as their words. If Markdown drops a sentence's
    places, its whole block is marked; a sentence that Markdown does not show is added, marked, at the end.

    Args:
        text: the Markdown, with [n] markers.
        sentences: its sentences, in order. A marker inside a sentence is a link only if the sentence cites it.
        anchor: distinguishes this answer's footnotes from others on the page.
    """
    return _Marking(PRIVATE.sub(REPLACEMENT, text), sentences, anchor).html()


class _Marking:
    """The state of rendering one text."""

    def __init__(self, text: str, sentences: Sequence[Sentence], anchor: str) -> None:
        self._text, self._sentences, self._anchor = text, sentences, anchor
        self._flagged = [i for i, one in enumerate(sentences) if one.supported is False or one.reason]
        self._placed, self._places = with_places(text, sentences, self._flagged)
        self._kept: set[int] = set()  # sentences whose places are still there after parsing
        self._lost = _Lost(())
        self._inside, self._lit = NOWHERE, False
        self._shown: set[int] = set()
        self._lines = [0, *(end.end() for end in LINE_END.finditer(text))]

    def html(self) -> str:
        tokens = MARKDOWN.parse(self._placed)
        self._kept = self._found(tokens)
        self._lost = _Lost(self._lost_lines())
        rendered: str = MARKDOWN.renderer.render(list(self._marked(tokens)), MARKDOWN.options, {})
        return rendered + "".join(self._added(i) for i in self._flagged if i not in self._shown)

    def _found(self, tokens: Sequence[Token]) -> set[int]:
        """Returns the sentences whose start and end are both in the visible text, in this order."""
        begun: set[int] = set()
        found: set[int] = set()
        for character in (c for token in leaves(tokens) for c in PRIVATE.findall(token.content)):
            place = self._places[character]
            if place.kind == "begin":
                begun.add(place.sentence)
            elif place.kind == "end" and place.sentence in begun:
                found.add(place.sentence)
        return found

    def _marked(self, tokens: Sequence[Token]) -> Iterator[Token]:
        """Yields the tokens, with the inline content of blocks replaced by HTML."""
        maps = [[0, len(self._lines)]]
        for token in tokens:
            lines = token.map or maps[-1]
            if token.nesting > 0:
                maps.append(lines)
            elif token.nesting < 0:
                maps.pop()
            if token.type == "inline":
                html = self._wrapped(self._with_lost(self._pieces(token.children or []), lines))
                token.children = [Token("html_inline", "", 0, content=html)]
                yield token
            elif token.type in CODE_BLOCKS:
                yield Token("html_block", "", 0, content=self._code_block(token, lines))
            else:
                yield token

    def _pieces(self, tokens: Sequence[Token]) -> list[_Piece]:
        """Returns the pieces of a block, joined if in the same element and sentence."""
        levels: list[tuple[str, list[_Piece]]] = [("", [])]
        for token in flat(tokens):
            if token.nesting > 0:
                levels.append((token.tag if token.type in EMPHASES else "", []))
            elif token.nesting < 0:
                tag, inner = levels.pop()
                levels[-1][1].extend([self._element(tag, inner)] if tag else inner)
            elif token.type in {"text", "text_special", "code_inline"}:
                levels[-1][1].extend(self._cut(token))
            else:
                levels[-1][1].append(_Piece(BREAKS.get(token.type, ""), self._inside, self._lit))
        return levels[0][1]

    def _cut(self, token: Token) -> Iterator[_Piece]:
        """Splits a token's text at the places."""
        is_code = token.type == "code_inline"
        content = PRIVATE.sub(self._raw, token.content) if is_code else token.content
        for part in CUT.split(content):
            place = self._places.get(part)
            if place is None:
                html = f"<code>{escape(part)}</code>" if is_code else escape(part)
                yield from [_Piece(html, self._inside, self._lit)] if part else []
            elif place.kind == "note":
                links = "".join(link_html(self._anchor, n) for n in place.numbers)
                yield _Piece(links or escape(place.raw), self._inside)
            else:
                yield from self._passed(place)

    def _raw(self, found: re.Match[str]) -> str:
        """Returns a marker in code as it was written; other places are kept."""
        return self._places[found.group()].raw or found.group()

    def _passed(self, place: Place) -> Iterator[_Piece]:
        """Processes a place; yields an empty piece at the end of a sentence."""
        if place.kind in {"light", "dark"}:
            self._lit = place.kind == "light"
        elif place.sentence in self._kept:
            if place.kind == "begin":
                self._inside = place.sentence
            else:
                yield _Piece("", place.sentence, ends=(place.sentence,))
                self._shown.add(place.sentence)
                self._inside = NOWHERE if self._inside == place.sentence else self._inside

    def _with_lost(self, pieces: list[_Piece], lines: Sequence[int]) -> list[_Piece]:
        """Returns the pieces of a block at these lines, all marked if the block has a sentence without places."""
        lost = self._lost.within(lines)
        if not lost or not pieces:
            return pieces
        new = tuple(i for i in lost if i not in self._shown)
        self._shown.update(new)
        pieces = [one if one.sentence >= 0 else replace(one, sentence=lost[0]) for one in pieces]
        return [*pieces, _Piece("", lost[0], ends=new)]

    def _lost_lines(self) -> Iterator[tuple[int, int, int]]:
        """Yields first line, last line and number of each sentence without places."""
        for i in self._flagged:
            if i not in self._kept:
                start, end = self._sentences[i].start, self._sentences[i].end
                yield bisect_right(self._lines, start) - 1, bisect_right(self._lines, max(start, end - 1)) - 1, i

    def _code_block(self, token: Token, lines: Sequence[int]) -> str:
        code = escape(PRIVATE.sub(lambda found: self._places[found.group()].raw, token.content))
        pieces = [_Piece("", self._inside)]
        for character in PRIVATE.findall(token.content):
            pieces += [*self._passed(self._places[character]), _Piece("", self._inside)]
        pieces = self._with_lost(pieces, lines)
        inside = max(one.sentence for one in pieces)
        html = f"<pre><code>{code}</code></pre>"
        html = html if inside == NOWHERE else f'<div class="{self._class(inside)}">{html}</div>'
        return f"{html}{''.join(self._why(i) for one in pieces for i in one.ends)}\n"

    def _element(self, tag: str, inner: Sequence[_Piece]) -> _Piece:
        """Builds an element: one piece if all of it is in one sentence, else with the marked parts marked inside."""
        ends = tuple(i for one in inner for i in one.ends)
        states = {(one.sentence, one.lit) for one in inner}
        if len(states) != 1:
            return _Piece(f"<{tag}>{self._wrapped(inner)}</{tag}>")
        sentence, lit = states.pop()
        return _Piece(f"<{tag}>{''.join(one.html for one in inner)}</{tag}>", sentence, lit, ends)

    def _wrapped(self, pieces: Sequence[_Piece]) -> str:
        """Returns pieces as HTML: highlights and unsupported sentences in elements, reasons after their sentences."""
        parts = []
        for sentence, of_sentence in groupby(pieces, key=lambda one: one.sentence):
            inner, ends = "", list[int]()
            for lit, alike in groupby(of_sentence, key=lambda one: one.lit):
                listed = list(alike)
                html = "".join(one.html for one in listed)
                inner += f"<mark>{html}</mark>" if lit and html else html
                ends += [i for one in listed for i in one.ends]
            marks = sentence != NOWHERE and (inner or ends)
            parts.append(f'<span class="{self._class(sentence)}">{inner}</span>' if marks else inner)
            parts += [self._why(i) for i in ends]
        return "".join(parts)

    def _class(self, i: int) -> str:
        sentence = self._sentences[i]
        if sentence.supported is None:
            return "fn-unfinished"
        return "fn-partly" if sentence.partly else "fn-unsupported"

    def _why(self, i: int) -> str:
        """Returns why a sentence is marked, with the footnote that contradicts it."""
        sentence = self._sentences[i]
        if sentence.supported is None:
            what = "Not checked" if sentence.unchecked else "No verdict"
            return f' <span class="fn-why" role="note">{what}: {escape(sentence.reason)}</span>'
        what = "Partly supported" if sentence.partly else "Not supported"
        why = f"{what}: {escape(sentence.reason)}" if sentence.reason else what
        contradicts = sentence.quotes and not sentence.citations
        proof = f" {link_html(self._anchor, sentence.quotes[0].n)}" if contradicts else ""
        return f' <span class="fn-why" role="note">{why}{proof}</span>'

    def _added(self, i: int) -> str:
        """Returns a sentence that Markdown does not show."""
        return f'<p><span class="{self._class(i)}">{escape(self._sentences[i].text)}</span>{self._why(i)}</p>\n'


class _Lost:
    """Finds the sentences without places in a block."""

    def __init__(self, lines: Iterable[tuple[int, int, int]]) -> None:
        self._lines = sorted(lines)
        self._firsts = [first for first, _, _ in self._lines]
        self._highest = list(accumulate((last for _, last, _ in self._lines), max))

    def within(self, block: Sequence[int]) -> list[int]:
        """Returns those at the lines from block[0] to before block[1]."""
        low, high = bisect_left(self._highest, block[0]), bisect_left(self._firsts, block[1])
        return [i for _, last, i in self._lines[low:high] if last >= block[0]]
