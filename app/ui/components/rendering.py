"""Renders answers and passages as safe HTML: their own tags, images and links never get through. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import PurePath

from app.models import Answer, Citation, Surroundings, Usage
from app.ui.components.answer_markup import marked_html, note_id
from app.wording import usage_words
from ingest.filters import Filter

# Text that Markdown turns into a link by itself. An invisible word joiner behind it prevents that.
LINKING = re.compile(r"(?:https?|ftp|mailto|xmpp)(?=:)|www(?=\.)|@", re.IGNORECASE)
# Most documents and folders of a filter that are named.
SHOWN_NAMES = 3
CHANGED = "The document has changed; this is the passage as it was."
MISTAKE = "Something went wrong here; the details are in the log of `footnote run`."
REMOVED = "The document is no longer in the index; only the quote is left."


def answer_html(answer: Answer, anchor: str) -> str:
    """Renders an answer: markers link to `notes_html`, unsupported sentences are marked with the reason.

    Args:
        answer: the answer.
        anchor: distinguishes this answer's footnotes from others on the page.
    """
    kind = "fn-answer fn-refused" if answer.refused else "fn-answer"
    return f'<div class="{kind}">{marked_html(answer.text, answer.sentences, anchor)}</div>'


def stream_html(text: str, anchor: str) -> str:
    """Renders a partial answer, which is not verified yet."""
    return f'<div class="fn-answer">{marked_html(text, (), anchor)}<span class="fn-caret"></span></div>'


def waiting_html(words: str) -> str:
    """Renders the reason for the wait, before the answer begins."""
    return f'<p class="fn-waiting" role="status"><span class="fn-pulse"></span>{escape(words)}</p>'


def notes_html(notes: Sequence[tuple[Citation, Surroundings | str]], anchor: str, title: str = "") -> str:
    """Renders the footnotes: each opens its passage in context, or says why the context is not available."""
    items = "".join(_note(citation, around, anchor) for citation, around in notes)
    heading = f'<p class="fn-notes-title">{escape(title)}</p>' if title and items else ""
    return f'<div class="fn-notes">{heading}{items}</div>' if items else ""


def notice_html(answer: Answer) -> str:
    """Renders notes about how the answer was made; "" if there are none."""
    unsupported = sum(sentence.supported is False for sentence in answer.sentences)
    parts = []
    if unsupported:
        what = "1 sentence is" if unsupported == 1 else f"{unsupported} sentences are"
        parts.append(f'<span class="fn-legend">{what} not supported by your documents</span>')
    if answer.incomplete:
        parts.append('<span class="fn-incomplete">Incomplete</span>')
    if answer.notice:
        parts.append(escape(answer.notice))
    return f'<p class="fn-notice">{" · ".join(parts)}</p>' if parts else ""


def scope_html(within: Filter) -> str:
    """Says which documents were searched; "" if all were."""
    if not within:
        return ""
    words = f"Only these documents were searched: {filter_words(within)}"
    return f'<p class="fn-notice" title="{escape(str(within))}">{escape(words)}</p>'


def details_html(answer: Answer) -> str:
    """Renders a model's usage and, when opened, its prompt; "" for quoted answers."""
    if not answer.asked_model:
        return ""
    used = usage_words(answer.usage) if answer.usage else "tokens not counted"
    facts = {"Answered by": answer.answerer, "Prompt": answer.prompt and f"answer.md, version {answer.prompt}"}
    seconds = sorted(answer.timings.items(), key=lambda one: one[0] == "total")
    facts["Seconds"] = ", ".join(f"{name} {taken:.1f}" for name, taken in seconds)
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    return f'<details class="fn-details"><summary>{escape(used)}</summary><dl class="fn-facts">{listed}</dl></details>'


def total_html(usage: Usage | None, answers: int, told: int) -> str:
    """Renders a conversation's total usage, over the answers with a reported count (`told`); "" if redundant."""
    if usage is None or answers < 2:  # noqa: PLR2004 - a single answer already shows it
        return ""
    of = "" if told == answers else f" ({told} of {answers} answers; the server reported no count for the others)"
    return text_html(f"This conversation: {usage_words(usage)}{of}", "fn-total")


def text_html(text: str, kind: str) -> str:
    """Renders plain text in a paragraph of class `kind`."""
    return f'<p class="{kind}">{escape(text)}</p>'


def plain(text: str) -> str:
    """Escapes text for Streamlit's labels and messages, so that it contains no Markdown or links."""
    text = LINKING.sub("\\g<0>\u2060", text)
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+-.!|:$~&" else c for c in text)


def filter_words(within: Filter) -> str:
    """Summarises a filter in a few words: "leave.md, 2 more · pdf · contract"."""
    names = [document_name(source.rstrip("/")) or source for source in within.sources]
    more = len(names) - SHOWN_NAMES
    parts = [", ".join([*names[:SHOWN_NAMES], *([f"{more} more"] if more > 0 else [])])]
    parts += [", ".join(values) for values in (within.types, within.tags, within.periods)]
    parts += [f"{word} {day}" for word, day in (("since", within.since), ("until", within.until)) if day]
    return " · ".join(filter(None, parts))


def passages(n: int) -> str:
    """Formats a number of passages."""
    return f"{n:,} passage{'' if n == 1 else 's'}"


def document_name(source: str) -> str:
    """Returns the last part of a source, on one line."""
    name = PurePath(source).name or source
    return "".join(c if c.isprintable() else " " for c in name)


def place(citation: Citation) -> str:
    """Returns the location of a passage in its document: page and headings."""
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
