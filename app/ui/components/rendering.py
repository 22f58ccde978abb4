"""Answers and passages -> safe HTML: no tag, image or link of theirs survives, only ours are there. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import PurePath

from app.llm import usage_words
from app.models import Answer, Citation, Surroundings, Usage
from app.ui.components.answer_markup import marked_html, note_id
from ingest.filters import Filter

# What Markdown makes a link of as it stands. A word joiner behind it, which cannot be seen, prevents that.
LINKING = re.compile(r"(?:https?|ftp|mailto|xmpp)(?=:)|www(?=\.)|@", re.IGNORECASE)
# Documents and folders of a filter that are named, at most.
SHOWN_NAMES = 3
CHANGED = "The document has changed since; this is the passage as it was."
MISTAKE = "Something went wrong here; the details are in the log of `footnote run`."
REMOVED = "The document was removed from the index since; only what was quoted is left."


def answer_html(answer: Answer, anchor: str) -> str:
    """An answer: its markers lead to the footnotes of `notes_html`; what is not supported is marked and says why.

    Args:
        answer: the answer.
        anchor: what tells this answer's footnotes from those of others on the page.
    """
    kind = "fn-answer fn-refused" if answer.refused else "fn-answer"
    return f'<div class="{kind}">{marked_html(answer.text, answer.sentences, anchor)}</div>'


def stream_html(text: str, anchor: str) -> str:
    """As much of an answer as has come; nothing is verified yet."""
    return f'<div class="fn-answer">{marked_html(text, (), anchor)}<span class="fn-caret"></span></div>'


def waiting_html(words: str) -> str:
    """What is waited for, while nothing of an answer has come."""
    return f'<p class="fn-waiting" role="status"><span class="fn-pulse"></span>{escape(words)}</p>'


def notes_html(notes: Sequence[tuple[Citation, Surroundings | str]], anchor: str, title: str = "") -> str:
    """The footnotes: each opens its passage, highlighted in its surroundings, or with why there are none any more."""
    items = "".join(_note(citation, around, anchor) for citation, around in notes)
    heading = f'<p class="fn-notes-title">{escape(title)}</p>' if title and items else ""
    return f'<div class="fn-notes">{heading}{items}</div>' if items else ""


def notice_html(answer: Answer) -> str:
    """What the reader must know of how the answer came to be; "" where there is nothing."""
    unsupported = sum(sentence.supported is False for sentence in answer.sentences)
    parts = []
    if unsupported:
        what = "1 sentence is" if unsupported == 1 else f"{unsupported} sentences are"
        parts.append(f'<span class="fn-legend">{what} not borne out by your documents</span>')
    if answer.incomplete:
        parts.append('<span class="fn-incomplete">Incomplete</span>')
    if answer.notice:
        parts.append(escape(answer.notice))
    return f'<p class="fn-notice">{" · ".join(parts)}</p>' if parts else ""


def scope_html(within: Filter) -> str:
    """That only some documents were asked, and which; "" where all were."""
    if not within:
        return ""
    words = f"Asked of some documents only: {filter_words(within)}"
    return f'<p class="fn-notice" title="{escape(str(within))}">{escape(words)}</p>'


def details_html(answer: Answer) -> str:
    """How a model wrote an answer: what it read and wrote, and when opened, with which prompt; "" for quotes alone."""
    if not answer.asked_model:
        return ""
    used = usage_words(answer.usage) if answer.usage else "tokens not counted"
    facts = {"Answered by": answer.answerer, "Prompt": answer.prompt and f"answer.md, version {answer.prompt}"}
    seconds = sorted(answer.timings.items(), key=lambda one: one[0] == "total")
    facts["Seconds"] = ", ".join(f"{name} {taken:.1f}" for name, taken in seconds)
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    return f'<details class="fn-details"><summary>{escape(used)}</summary><dl class="fn-facts">{listed}</dl></details>'


def total_html(usage: Usage | None, answers: int, told: int) -> str:
    """What a conversation took, by those of its answers whose servers `told`; "" where that says nothing new."""
    if usage is None or answers < 2:  # noqa: PLR2004 - of one answer, it stands under that already
        return ""
    of = "" if told == answers else f" ({told} of {answers} answers; for the others, the server gave no count)"
    return text_html(f"This conversation: {usage_words(usage)}{of}", "fn-total")


def text_html(text: str, kind: str) -> str:
    """Text just as it is, in a paragraph of class `kind`."""
    return f'<p class="{kind}">{escape(text)}</p>'


def plain(text: str) -> str:
    """Text for Streamlit's own labels and messages, with nothing in it that these would read as Markdown or a link."""
    text = LINKING.sub("\\g<0>\u2060", text)
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+-.!|:$~&" else c for c in text)


def filter_words(within: Filter) -> str:
    """Which documents are asked, in a few words: "leave.md, 2 more · pdf · contract"."""
    names = [document_name(source.rstrip("/")) or source for source in within.sources]
    more = len(names) - SHOWN_NAMES
    parts = [", ".join([*names[:SHOWN_NAMES], *([f"{more} more"] if more > 0 else [])])]
    parts += [", ".join(within.types), ", ".join(within.tags)]
    parts += [f"{word} {day}" for word, day in (("since", within.since), ("until", within.until)) if day]
    return " · ".join(filter(None, parts))


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


def _note(citation: Citation, around: Surroundings | str, anchor: str) -> str:
    name, where = escape(document_name(citation.document)), escape(place(citation))
    gone = around if isinstance(around, str) else ""
    before, after = ("", "") if isinstance(around, str) else (around.before, around.after)
    quote = f'<mark id="{note_id(anchor, citation.n)}">{escape(citation.quote)}</mark>'
    mark = '<span class="fn-gone">removed</span>' if gone == REMOVED else ""
    passage = f"{escape(before)}{quote}{escape(after)}"
    note = f'<p class="fn-changed">{escape(gone)}</p>' if gone else ""
    return (
        f'<details class="fn-note"><summary><span class="fn-n">{citation.n}</span>'
        f'<span class="fn-doc">{name}</span><span class="fn-place">{where}</span>{mark}</summary>'
        f'<div class="fn-body">'
        f'<p class="fn-path">{escape(citation.document)}</p>{note}'
        f'<div class="fn-passage">{passage}</div></div></details>'
    )
