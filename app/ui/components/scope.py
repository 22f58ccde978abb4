"""Selects the documents to search: a control in the sidebar, and a line above the answers while a filter is set."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

import streamlit as st

from app.conversations import Conversation
from app.footnote import Footnote
from app.ui.components.rendering import filter_words, plain, text_html
from ingest.docstore import Choices
from ingest.filters import Filter
from ingest.text import composed_name
from ingest.urls import is_url

ALL = "Ask: all documents"
# A longer list must be narrowed by typing before it is shown.
MOST_OPTIONS = 1_000
# The filter of a conversation that has not started yet, by collection.
NEW = "filter-of-new"
TURN = "filter-turn"


def draw(footnote: Footnote, conversation: Conversation | None, collection: str) -> None:
    """Draws the control: the collection's documents and folders, types, tags, periods and days."""
    choices = footnote.choices(collection)
    within = current(conversation, collection)
    if not choices.sources and not within:
        return
    with st.popover(plain(label(within)) if within else ALL, icon=":material/filter_alt:", width="stretch"):
        wanted = _fields(choices, within, _key(conversation, collection))
        if within:
            _clear_button(footnote, conversation, collection, "clear-filter")
    if wanted != within:
        _keep(footnote, conversation, collection, wanted)
        st.rerun()


def line(footnote: Footnote, conversation: Conversation | None, collection: str) -> None:
    """Shows above the conversation that only some documents are searched, with a button to search all."""
    if within := current(conversation, collection):
        with st.container(horizontal=True, vertical_alignment="center", key="fn-scope"):
            st.html(text_html(label(within), "fn-small"))
            _clear_button(footnote, conversation, collection, "ask-all")


def forget() -> None:
    """Clears the filter of the next new conversation."""
    st.session_state.pop(NEW, None)
    _renew_fields()


def current(conversation: Conversation | None, collection: str) -> Filter:
    """Returns the documents that the next question will search."""
    if conversation:
        return conversation.within
    kept: dict[str, Filter] = st.session_state.get(NEW, {})
    return kept.get(collection, Filter())


def label(within: Filter) -> str:
    """Summarises the filter in a few words: "Ask: leave.md, 2 more · pdf · contract"."""
    return f"Ask: {filter_words(within)}"


def folders(sources: Iterable[str]) -> list[str]:
    """Returns the folders and web sites that contain several of the documents, but not all."""
    sources = list(sources)
    held = Counter(above for source in sources for above in _above(source))
    return sorted(folder for folder, n in held.items() if 1 < n < len(sources))


def _above(source: str) -> list[str]:
    """Returns the folders above a document, or the prefixes of a web page's address."""
    first = 1
    if is_url(source):
        first = source.find("/", source.index("//") + len("//"))
    ends = [at for at, character in enumerate(source) if character == os.sep and at >= first > 0]
    return [source[:at] for at in ends]


def _fields(choices: Choices, within: Filter, key: str) -> Filter:
    """Draws the fields and returns the filter they are set to."""
    sources = _sources(choices, within, key)
    types = _several("Types", choices.types, within.types, f"types-{key}")
    tags = _several("Tags", choices.tags, within.tags, f"tags-{key}")
    periods = _several("Periods", choices.periods, within.periods, f"periods-{key}")
    columns = st.columns(2)
    since = columns[0].date_input("Indexed since", within.since, key=f"since-{key}")
    until = columns[1].date_input("until", within.until, key=f"until-{key}")
    first, last = (day if isinstance(day, date) else None for day in (since, until))
    if first and last and last < first:
        st.warning("The first day is after the last one.", icon=":material/error:")
        return within
    return Filter.of(sources=sources, types=types, since=first, until=last, tags=tags, periods=periods)


def _sources(choices: Choices, within: Filter, key: str) -> Sequence[str]:
    options = [*folders(choices.sources), *choices.sources]
    if len(options) > MOST_OPTIONS:
        part = st.text_input("Part of a document's or folder's name", key=f"part-{key}")
        wanted = composed_name(part).casefold()
        options = [one for one in options if wanted in composed_name(one).casefold()][:MOST_OPTIONS]
    return _several("Documents and folders", options, within.sources, f"sources-{key}")


def _several(name: str, options: Sequence[str], chosen: Sequence[str], key: str) -> list[str]:
    """Draws a multiple choice, if there is anything to choose."""
    offered = list(dict.fromkeys([*options, *chosen]))  # choices no longer in the collection can still be removed
    if not offered:
        return []
    labels = Counter(map(composed_name, offered))

    def shown(one: str) -> str:
        """Returns the normalized name, which can be typed; names differing only in normalization stay distinct."""
        return composed_name(one) if labels[composed_name(one)] == 1 else one

    return st.multiselect(name, offered, default=list(chosen), key=key, placeholder="All", format_func=shown)


def _clear_button(footnote: Footnote, conversation: Conversation | None, collection: str, key: str) -> None:
    arguments = (footnote, conversation, collection)
    st.button("Ask all documents", key=key, icon=":material/close:", type="tertiary", on_click=_clear, args=arguments)


def _keep(footnote: Footnote, conversation: Conversation | None, collection: str, within: Filter) -> None:
    if conversation:
        footnote.conversations.choose_documents(conversation.id, within)
    else:
        st.session_state.setdefault(NEW, {})[collection] = within


def _clear(footnote: Footnote, conversation: Conversation | None, collection: str) -> None:
    _keep(footnote, conversation, collection, Filter())
    _renew_fields()


def _renew_fields() -> None:
    """Draws the fields again, without their previous values."""
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1


def _key(conversation: Conversation | None, collection: str) -> str:
    """Returns a key for the fields of a filter, different after each clearing."""
    return f"{conversation.id if conversation else 'new'}-{collection}-{st.session_state.get(TURN, 0)}"
