"""Answers and passages -> safe HTML: no tag, image or link of theirs survives, only ours are there. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from app.markers import CODE, MARKER, marked
from app.models import Answer, Citation, Sentence, Surroundings

# Private characters that stand for our own tags while Markdown is rendered; none comes in from outside.
UNSUPPORTED, SUPPORTED_AGAIN, NOTE, NOTE_END, REASON_END = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
PRIVATE = re.compile("[\ue000-\uf8ff]")
# What begins a block in Markdown must stay at its beginning.
LEAD = re.compile(r"\s*(?:(?:[-*+]|\d{1,9}[.)]|>|#{1,6})\s+|\|\s*)*")
CHANGED = "The document has changed or is no longer in the index; this is the passage as it was."


def answer_html(answer: Answer, anchor: str) -> str:
    """An answer: its markers lead to the footnotes of `notes_html`, unsupported sentences are marked with the reason.

    Args:
        answer: the answer.
        anchor: what tells this answer's footnotes from those of others on the page.
    """
    kind = "fn-answer fn-refused" if answer.refused else "fn-answer"
    return f'<div class="{kind}">{_markdown(answer.text, answer.sentences, anchor)}</div>'


def stream_html(text: str, anchor: str) -> str:
    """As much of an answer as has come; nothing is verified yet."""
    return f'<div class="fn-answer">{_markdown(text, (), anchor)}<span class="fn-caret"></span></div>'


def notes_html(notes: Sequence[tuple[Citation, Surroundings | None]], anchor: str, title: str = "") -> str:
    """The footnotes: each opens its passage, highlighted in its surroundings."""
    items = "".join(_note(citation, around, anchor) for citation, around in notes)
    heading = f'<p class="fn-notes-title">{escape(title)}</p>' if title and items else ""
    return f'<div class="fn-notes">{heading}{items}</div>' if items else ""


def notice_html(answer: Answer) -> str:
    """What the reader must know of how the answer came to be; "" where there is nothing."""
    unsupported = sum(sentence.supported is False for sentence in answer.sentences)
    parts = []
    if unsupported:
        what = "1 sentence is" if unsupported == 1 else f"{unsupported} sentences are"
        parts.append(f'<span class="fn-legend">{what} not borne out by what is cited</span>')
    if answer.notice:
        parts.append(escape(answer.notice))
    return f'<p class="fn-notice">{" · ".join(parts)}</p>' if parts else ""


def text_html(text: str, kind: str) -> str:
    """Text just as it is, in a paragraph of class `kind`."""
    return f'<p class="{kind}">{escape(text)}</p>'


def passages(n: int) -> str:
    """A number of passages in words."""
    return f"{n:,} passage{'' if n == 1 else 's'}"


def document_name(source: str) -> str:
    """The last part of a source, on one line."""
    name = PurePath(source).name or source
    return "".join(c if c.isprintable() else " " for c in name)


def place(citation: Citation) -> str:
    """Where in its document a passage stands: page and headings."""
    parts = [citation.place] if citation.place else [] if citation.page is None else [f"page {citation.page}"]
    return " · ".join([*parts, *([" / ".join(citation.heading)] if citation.heading else [])])


def _note(citation: Citation, around: Surroundings | None, anchor: str) -> str:
    name, where = escape(document_name(citation.document)), escape(place(citation))
    before, after = (around.before, around.after) if around else ("", "")
    quote = f'<mark id="{_id(anchor, citation.n)}">{escape(citation.quote)}</mark>'
    passage = f"{escape(before)}{quote}{escape(after)}"
    note = "" if around else f'<p class="fn-changed">{CHANGED}</p>'
    return (
        f'<details class="fn-note"><summary><span class="fn-n">{citation.n}</span>'
        f'<span class="fn-doc">{name}</span><span class="fn-place">{where}</span></summary>'
        f'<div class="fn-body">'
        f'<p class="fn-path">{escape(citation.document)}</p>{note}'
        f'<div class="fn-passage">{passage}</div></div></details>'
    )


def _markdown(text: str, found: Sequence[Sentence], anchor: str) -> str:
    text = PRIVATE.sub("\ufffd", text)
    for sentence in sorted(found, key=lambda s: -s.start):
        if sentence.supported is False:
            text = _marked_unsupported(text, sentence)
    html = _MARKDOWN.render(_outside_code(text))
    html = re.sub(f"{NOTE}(\\d+){NOTE_END}", lambda n: _link(anchor, int(n.group(1))), html)
    html = re.sub(
        f"{UNSUPPORTED}([^{REASON_END}]*){REASON_END}",
        r'<span class="fn-unsupported" title="Not supported: \1">',
        html,
    )
    return html.replace(SUPPORTED_AGAIN, "</span>")


def _marked_unsupported(text: str, sentence: Sentence) -> str:
    words = text[sentence.start : sentence.end]
    lead = LEAD.match(words)
    at = lead.end() if lead else 0
    # Without what Markdown would make something of inside an attribute.
    reason = re.sub(r"[^\w .,()…-]", " ", sentence.reason)
    begin = f"{UNSUPPORTED}{reason}{REASON_END}"
    return f"{text[: sentence.start]}{words[:at]}{begin}{words[at:]}{SUPPORTED_AGAIN}{text[sentence.end :]}"


def _outside_code(text: str) -> str:
    """Text with its markers, but not what looks like one inside code, put in private characters."""
    parts, at = [], 0
    for code in CODE.finditer(text):
        parts += [MARKER.sub(_noted, text[at : code.start()]), code.group()]
        at = code.end()
    return "".join([*parts, MARKER.sub(_noted, text[at:])])


def _noted(marker: re.Match[str]) -> str:
    return "".join(f"{NOTE}{n}{NOTE_END}" for n in marked(marker))


def _link(anchor: str, n: int) -> str:
    return f'<a class="fn-marker" href="#{_id(anchor, n)}" target="_self" title="Footnote {n}">{n}</a>'


def _id(anchor: str, n: int) -> str:
    return f"fn-{escape(anchor, quote=True)}-{n}"


def _nothing(_renderer: RendererHTML, *_: Any) -> str:
    return ""


def _alt(_renderer: RendererHTML, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return escape(tokens[index].content)


def _build() -> MarkdownIt:
    """CommonMark with tables; HTML is text, images are their description, links are their words."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    for rule in ("link_open", "link_close"):
        markdown.add_render_rule(rule, _nothing)
    markdown.add_render_rule("image", _alt)
    return markdown


_MARKDOWN = _build()
