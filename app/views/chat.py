"""The conversation: questions, streamed answers, footnotes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import streamlit as st

from app.bootstrap import Footnote
from app.chats import Conversation, Exchange
from app.models import Answer, Token
from app.retrieval import MOST_CHARACTERS
from app.views import rendering
from ingest.errors import FootnoteError

# Questions that the sample documents answer.
STARTERS = (
    "What is an embedding?",
    "What does the ef_search parameter of HNSW do?",
    "Why combine BM25 with dense retrieval?",
    "How long is parental leave at Larkspur?",
)
SHOWN_EXCHANGES = 30
# Seconds between two redraws of a streaming answer: the browser need not draw every token.
REDRAW_SECONDS = 0.06
CHAT = "chat"


def current(footnote: Footnote) -> Conversation | None:
    """The conversation that the address names; None for a new one."""
    wanted = st.query_params.get(CHAT)
    found = footnote.chats.get(wanted) if wanted else None
    if wanted and found is None:
        st.query_params.clear()
    return found


def draw(footnote: Footnote, conversation: Conversation | None, collection: str) -> None:
    """The conversation so far, then what is asked now."""
    exchanges = footnote.chats.exchanges(conversation.id) if conversation else []
    asked = st.chat_input("Ask your documents", max_chars=MOST_CHARACTERS) or st.session_state.pop("starter", None)
    if conversation and exchanges:
        _header(footnote, conversation)
    again = _past(footnote, exchanges)
    if asked and asked.strip():
        conversation = conversation or footnote.chats.create(collection)
        st.query_params[CHAT] = conversation.id
        st.html(rendering.text_html(asked.strip(), "fn-question"))
        exchange = Exchange(footnote.chats.add_question(conversation.id, asked.strip()), asked.strip(), None)
        _answer(footnote, conversation, exchanges, exchange)
    elif again and conversation:
        earlier = [one for one in exchanges if one.id < again.id]
        _answer(footnote, conversation, earlier, again)
    elif not exchanges:
        _empty(footnote, collection)


def _header(footnote: Footnote, conversation: Conversation) -> None:
    with st.popover(conversation.title, icon=":material/chat:", type="tertiary"), st.form("rename", border=False):
        title = st.text_input("Title", conversation.title, max_chars=200)
        if st.form_submit_button("Rename", icon=":material/edit:") and title.strip():
            footnote.chats.rename(conversation.id, title)
            st.rerun()
        if st.form_submit_button("Delete conversation", icon=":material/delete:"):
            st.session_state["deleting"] = conversation.id
    if st.session_state.get("deleting") == conversation.id:
        _confirm_delete(footnote, conversation)


@st.dialog("Delete this conversation?")
def _confirm_delete(footnote: Footnote, conversation: Conversation) -> None:
    st.session_state.pop("deleting", None)
    st.html(rendering.text_html(f"“{conversation.title}” and its answers are deleted for good.", "fn-lead"))
    if st.button("Delete", type="primary", on_click=footnote.chats.delete, args=(conversation.id,)):
        st.query_params.clear()
        st.rerun()


def _past(footnote: Footnote, exchanges: list[Exchange]) -> Exchange | None:
    """Draws what was said. Returns the exchange that is to be answered now, if its button was pressed."""
    again = None
    if len(exchanges) > SHOWN_EXCHANGES and not st.toggle("Show the whole conversation"):
        exchanges = exchanges[-SHOWN_EXCHANGES:]
    for exchange in exchanges:
        st.html(rendering.text_html(exchange.question, "fn-question"))
        if exchange.answer:
            _finished(footnote, exchange.answer, str(exchange.id))
        else:
            problem = st.session_state.get("problems", {}).get(
                exchange.id, "This question was not answered to the end."
            )
            place = st.empty()
            with place.container():
                st.warning(problem, icon=":material/error:")
                pressed = st.button("Ask again", key=f"again-{exchange.id}", icon=":material/refresh:")
            if pressed:
                place.empty()
                again = exchange
    return again


def _answer(footnote: Footnote, conversation: Conversation, earlier: list[Exchange], exchange: Exchange) -> None:
    """Streams the answer, keeps it, and draws the page anew from what was kept."""
    place = st.empty()
    try:
        history = [turn for one in earlier if (turn := one.as_turn())]
        waiting = "Looking through your documents" if footnote.ready else "Loading the model, once"
        with place, st.spinner(f"{waiting} …"):
            events = footnote.ask(exchange.question, history, collection=conversation.collection)
            first = next(events)
        text, drawn = "", 0.0
        for event in itertools.chain([first], events):
            if isinstance(event, Answer):
                footnote.chats.add_answer(exchange.id, event)
            elif isinstance(event, Token):
                text += event.text
                if time.monotonic() - drawn > REDRAW_SECONDS:
                    place.html(rendering.stream_html(text, str(exchange.id)))
                    drawn = time.monotonic()
    except FootnoteError as error:
        st.session_state.setdefault("problems", {})[exchange.id] = str(error)
    st.rerun()


def _finished(footnote: Footnote, answer: Answer, anchor: str) -> None:
    cited = answer.citations or answer.nearest
    notes = [(citation, footnote.surroundings(citation)) for citation in cited]
    title = "" if answer.citations else "Nearest passages"
    st.html(
        rendering.answer_html(answer, anchor)
        + rendering.notes_html(notes, anchor, title)
        + rendering.notice_html(answer)
    )


def _empty(footnote: Footnote, collection: str) -> None:
    """What a newcomer sees: what this is, and four questions to begin with where the samples are in."""
    st.html('<h1 class="fn-hero">Ask your documents<sup>1</sup></h1>')
    samples = footnote.settings.sample_dir
    documents = footnote.documents(collection)
    has_samples = samples is not None and any(row.source.startswith(str(samples)) for row in documents)
    if not any(row.status == "active" for row in documents):
        lead = "This collection is empty. Add documents in the sidebar, then ask about them."
        st.html(rendering.text_html(lead, "fn-lead"))
        return
    lead = "Every sentence of the answer has a footnote that opens the passage it comes from."
    st.html(rendering.text_html(lead, "fn-lead"))
    if has_samples:
        columns = st.columns(2)
        for i, question in enumerate(STARTERS):
            columns[i % 2].button(question, key=f"starter-{i}", width="stretch", on_click=_starter(question))


def _starter(question: str) -> Callable[[], None]:
    def ask() -> None:
        st.session_state["starter"] = question

    return ask
