"""The sidebar: conversations, collection, documents."""

from __future__ import annotations

import re

import streamlit as st

from app.conversations import Conversation
from app.footnote import Footnote
from app.ui.components import library, scope, upload
from app.ui.components.rendering import plain, text_html
from ingest.settings import COLLECTION_PATTERN

SHOWN_CONVERSATIONS = 40
NEW_COLLECTION = "New collection …"


def draw(footnote: Footnote, conversation: Conversation | None) -> str:
    """Draws the sidebar.

    Returns:
        The selected collection.
    """
    st.html('<p class="fn-brand">Footnote<sup>1</sup></p>')
    if st.button("New conversation", icon=":material/add:", width="stretch"):
        st.query_params.clear()
        scope.forget()
        st.rerun()
    collection = _collection(footnote, conversation)
    scope.draw(footnote, conversation, collection)
    library.draw(footnote, collection)
    upload.draw(footnote, collection)
    _conversations(footnote, conversation)
    name = footnote.answerer_name()
    how = "Answers quote your documents word for word." if name == "extractive" else f"Answers are written by {name}."
    st.html(text_html(how, "fn-small"))
    if problem := footnote.answerer_problem():
        st.warning(plain(problem), icon=":material/cloud_off:")
    if note := footnote.model_note(collection):
        st.html(text_html(note, "fn-small"))
    return collection


def _conversations(footnote: Footnote, conversation: Conversation | None) -> None:
    found = footnote.conversations.all()
    if not found:
        return
    st.html(text_html("Conversations", "fn-notes-title"))
    shown = found if len(found) <= SHOWN_CONVERSATIONS or st.toggle("Show all") else found[:SHOWN_CONVERSATIONS]
    for one in shown:
        is_current = conversation is not None and one.id == conversation.id
        if st.button(
            plain(one.title),
            key=f"open-{one.id}",
            type="secondary" if is_current else "tertiary",
            width="stretch",
        ):
            st.query_params["chat"] = one.id
            st.rerun()


def _collection(footnote: Footnote, conversation: Conversation | None) -> str:
    """Draws and returns the collection in use: the conversation's, until another is chosen."""
    default = footnote.settings.collection
    names = sorted({default, *footnote.collections()} | ({conversation.collection} if conversation else set()))
    before = conversation.collection if conversation else st.session_state.get("collection", default)
    if created := st.session_state.pop("created", None):
        before = created
        names = sorted({*names, created})
    chosen = st.selectbox(
        "Collection",
        [*names, NEW_COLLECTION],
        index=names.index(before) if before in names else 0,
        key=f"collection-{conversation.id if conversation else 'new'}-{len(names)}-{before}",
    )
    if chosen == NEW_COLLECTION:
        _create(names)
        return str(before)
    st.session_state["collection"] = chosen
    if conversation and chosen != conversation.collection:
        footnote.conversations.choose_collection(conversation.id, chosen)
        st.rerun()
    return str(chosen)


def _create(names: list[str]) -> None:
    with st.form("new-collection", border=False):
        name = st.text_input("Name of the new collection", max_chars=63).strip()
        if st.form_submit_button("Create") and name:
            if name in names:
                st.error(plain(f"The collection {name!r} already exists."))
            elif not re.match(COLLECTION_PATTERN, name):
                st.error("Use letters, digits, spaces, dots, dashes and underscores; begin with a letter or digit.")
            else:
                st.session_state["created"] = name
                st.rerun()
