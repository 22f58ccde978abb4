"""The contents of the index: a line in the sidebar, and a list on demand."""

from __future__ import annotations

import streamlit as st

from app.footnote import Footnote
from app.presentation import reading_words
from app.ui.components.rendering import document_name, passages, plain, text_html
from ingest.errors import FootnoteError
from ingest.reports import DocumentRow

# A longer list is searched, not scrolled.
SHOWN = 200
# Seconds between two looks at how much is embedded.
LOOK_SECONDS = 2.0
PROBLEM = "library-problem"


def draw(footnote: Footnote, collection: str) -> None:
    """Draws the sidebar's line, and the button that opens the list."""
    active, failed = footnote.counts(collection)
    label = f"{active:,} document{'' if active == 1 else 's'}"
    if failed:
        label += f", {failed:,} failed"
    empty = not active and not failed
    if st.button(label, icon=":material/description:", width="stretch", disabled=empty, key="library"):
        _dialog(footnote, collection)
    if footnote.count_chunks(collection)[1]:
        st.fragment(_embedding, run_every=LOOK_SECONDS)(footnote, collection)
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(plain(problem))


def _embedding(footnote: Footnote, collection: str) -> None:
    """Draws how many passages are embedded; repeated until all are, then once more with the whole page."""
    chunks, unembedded = footnote.count_chunks(collection)
    if not unembedded:
        st.rerun()
    st.progress((chunks - unembedded) / chunks, text=f"{chunks - unembedded:,} of {passages(chunks)} embedded")
    st.html(text_html("The others are found by their words only.", "fn-small"))


@st.dialog("Documents", width="large")
def _dialog(footnote: Footnote, collection: str) -> None:
    rows = footnote.documents(collection)
    chunks = sum(row.chunks for row in rows)
    st.html(text_html(f"{collection}: {len(rows):,} documents, {passages(chunks)}", "fn-small"))
    wanted = st.text_input("Find", placeholder="Part of a name or title", label_visibility="collapsed").casefold()
    found = [row for row in rows if wanted in row.source.casefold() or wanted in row.title.casefold()]
    for row in found[:SHOWN]:
        _row(footnote, collection, row)
    if len(found) > SHOWN:
        st.html(text_html(f"… and {len(found) - SHOWN:,} more. Type a part of the name to find them.", "fn-small"))


def _row(footnote: Footnote, collection: str, row: DocumentRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container():
            st.html(text_html(document_name(row.source), "fn-outcome") + text_html(_facts(row), "fn-small"))
            for problem in filter(None, (row.error, *row.warnings)):
                st.html(text_html(problem, "fn-small"))
        with st.popover("", icon=":material/delete:", type="tertiary", help="Remove from the index"):
            st.html(
                text_html("It will not be found any more. Uploaded files are deleted, others are kept.", "fn-small")
            )
            arguments = (footnote, collection, row.source)
            if st.button("Remove", key=f"remove-{row.source}", type="primary", on_click=_remove, args=arguments):
                st.rerun()


def _remove(footnote: Footnote, collection: str, source: str) -> None:
    try:
        footnote.remove(source, collection=collection)
    except FootnoteError as error:
        st.session_state[PROBLEM] = str(error)


def _facts(row: DocumentRow) -> str:
    parts = [row.title] if row.title else []
    if row.status == "failed":
        parts.append("could not be read")
    else:
        if how := reading_words(row.pages, row.reading):
            parts.append(how)
        parts.append(passages(row.chunks))
        if row.periods:
            parts.append(f"reports on {', '.join(row.periods)}")
        if row.tags:
            parts.append(f"tagged {', '.join(row.tags)}")
    return " · ".join(parts)
