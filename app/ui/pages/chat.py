"""The conversation page: questions, streamed answers, footnotes."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.answering import EXTRACTIVE
from app.conversations import Conversation, Exchange
from app.footnote import Footnote
from app.llm import total
from app.models import Answer, Citation, Surroundings
from app.retrieval import MOST_CHARACTERS
from app.ui.components import rendering, scope, streaming

# Questions that the sample documents answer.
STARTERS = (
    "What is an embedding?",
    "What does the ef_search parameter of HNSW do?",
    "Why combine BM25 with dense retrieval?",
    "How long is parental leave at Larkspur?",
)
SHOWN_EXCHANGES = 30
CHAT = "chat"


def current(footnote: Footnote) -> Conversation | None:
    """Returns the conversation named in the address; None for a new one."""
    wanted = st.query_params.get(CHAT)
    found = footnote.conversations.get(wanted) if wanted else None
    if wanted and found is None:
        st.query_params.clear()
    return found


def draw(footnote: Footnote, conversation: Conversation | None, collection: str) -> None:
    """Draws the conversation so far, then the current question."""
    streaming.settle()
    exchanges = footnote.conversations.exchanges(conversation.id) if conversation else []
    asked = st.chat_input("Ask your documents", max_chars=MOST_CHARACTERS) or st.session_state.pop("starter", None)
    if conversation and exchanges:
        _header(footnote, conversation)
    again = _past(footnote, exchanges, conversation.collection if conversation else collection)
    if asked and asked.strip():
        conversation = conversation or footnote.conversations.create(collection, scope.current(None, collection))
        st.query_params[CHAT] = conversation.id
        st.html(rendering.text_html(asked.strip(), "fn-question"))
        streaming.answer(footnote, conversation, footnote.conversations.ask(conversation, asked))
    elif again and conversation:
        streaming.answer(footnote, conversation, footnote.conversations.ask_again(conversation, again))
    elif not exchanges:
        _empty(footnote, collection)


def _header(footnote: Footnote, conversation: Conversation) -> None:
    with (
        st.popover(rendering.plain(conversation.title), icon=":material/chat:", type="tertiary"),
        st.form("rename", border=False),
    ):
        title = st.text_input("Title", conversation.title, max_chars=200)
        if st.form_submit_button("Rename", icon=":material/edit:") and title.strip():
            footnote.conversations.rename(conversation.id, title)
            st.rerun()
        if st.form_submit_button("Delete conversation", icon=":material/delete:"):
            st.session_state["deleting"] = conversation.id
    if st.session_state.get("deleting") == conversation.id:
        _confirm_delete(footnote, conversation)


@st.dialog("Delete this conversation?")
def _confirm_delete(footnote: Footnote, conversation: Conversation) -> None:
    st.session_state.pop("deleting", None)
    st.html(rendering.text_html(f"“{conversation.title}” and its answers will be deleted permanently.", "fn-lead"))
    if st.button("Delete", type="primary", on_click=footnote.conversations.delete, args=(conversation.id,)):
        st.query_params.clear()
        st.rerun()


def _past(footnote: Footnote, exchanges: list[Exchange], collection: str) -> Exchange | None:
    """Draws earlier exchanges. Returns the one to answer now, if its button was pressed."""
    again, total_line = None, _total(exchanges)
    if len(exchanges) > SHOWN_EXCHANGES and not st.toggle("Show the whole conversation"):
        exchanges = exchanges[-SHOWN_EXCHANGES:]
    for exchange in exchanges:
        st.html(rendering.text_html(exchange.question, "fn-question"))
        place = st.empty()
        with place.container():
            if exchange.answer:
                _finished(footnote, exchange.answer, str(exchange.id), collection)
            else:
                st.warning(rendering.plain(streaming.problem(exchange)), icon=":material/error:")
            offer = _offer(footnote, exchange, last=exchange is exchanges[-1])
            pressed = offer and st.button(offer, key=f"again-{exchange.id}", icon=":material/refresh:")
            if exchange.answer:
                _feedback(footnote, exchange)
        if pressed:
            place.empty()
            again = exchange
    if again is None and total_line:
        st.html(total_line)
    return again


def _offer(footnote: Footnote, exchange: Exchange, *, last: bool) -> str:
    """Returns the label of the button below an answer that could be improved; "" for no button."""
    found = exchange.answer
    if found is None:
        return "Ask again"
    if found.incomplete:
        return "Try again"
    quoted = found.answerer == EXTRACTIVE and footnote.answerer_name() != EXTRACTIVE
    return "Ask the model" if last and quoted and (found.citations or found.nearest) else ""


def _total(exchanges: list[Exchange]) -> str:
    """Renders the conversation's usage, including replaced answers."""
    usages = [usage for one in exchanges for usage in one.usages]
    told = sum(usage is not None for usage in usages)
    return rendering.total_html(total(usages), len(usages), told)


def _finished(footnote: Footnote, answer: Answer, anchor: str, collection: str) -> None:
    notes: list[tuple[Citation, Surroundings | str]] = []
    for one in answer.citations or answer.nearest:
        gone = rendering.REMOVED if footnote.is_removed(one.document, collection) else rendering.CHANGED
        notes.append((one, footnote.surroundings(one) or gone))
    title = "" if answer.citations else "Nearest passages"
    searched = f"Searched for: {answer.searched}" if answer.searched != answer.question else ""
    st.html(
        (rendering.text_html(searched, "fn-searched") if searched else "")
        + rendering.answer_html(answer, anchor)
        + rendering.notes_html(notes, anchor, title)
        + rendering.scope_html(answer.within)
        + rendering.notice_html(answer)
        + rendering.details_html(answer)
    )


def _feedback(footnote: Footnote, exchange: Exchange) -> None:
    """Draws two thumbs below an answer; the rating is saved."""
    key = f"helpful-{exchange.id}"

    def keep() -> None:
        said = st.session_state[key]
        footnote.conversations.rate(exchange.id, helpful=None if said is None else bool(said))

    st.feedback("thumbs", key=key, default=None if exchange.helpful is None else int(exchange.helpful), on_change=keep)


def _empty(footnote: Footnote, collection: str) -> None:
    """Draws the start page: a short introduction, and four questions if the samples are indexed."""
    st.html('<h1 class="fn-hero">Ask your documents<sup>1</sup></h1>')
    samples = footnote.settings.sample_dir
    documents = footnote.documents(collection)
    has_samples = any(row.source.startswith(str(samples)) for row in documents)
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
