"""An answer while it is made: waits that count down, words as they come, and a button that stops it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.cancellation import STOPPED, STOPPED_EARLY, CancelToken
from app.conversations import Conversation, Exchange
from app.footnote import Footnote
from app.llm import waiting_words
from app.models import Answer, Event, Retracted, Token, Waiting
from app.ui.components import rendering
from ingest.errors import FootnoteError

logger = logging.getLogger(__name__)
# Seconds between two redraws of a streaming answer: the browser need not draw every token. Of a long answer, so many
# times as long as one redraw takes.
REDRAW_SECONDS, REST = 0.06, 4
UNANSWERED = "This question was not answered to the end."
# In the session: why questions have no answer, by exchange, and an event that is set when an answer is kept.
PROBLEMS = "problems"
MAKING = "making"
# A stopped answer is kept within a second or two; this is for a machine that is very busy.
SETTLE_SECONDS = 15.0


def answer(footnote: Footnote, conversation: Conversation, earlier: list[Exchange], exchange: Exchange) -> None:
    """Streams the answer, keeps it, and draws the page anew from what was kept.

    Stop is a button like any other: whatever is clicked while an answer is made, Streamlit ends this run of the script
    by raising in the next call of `st`. The request to the model is ended then, and what came is kept.
    """
    problems: dict[int, str] = st.session_state.setdefault(PROBLEMS, {})
    problems.pop(exchange.id, None)
    st.session_state[MAKING] = kept = threading.Event()
    place, below = st.empty(), st.empty()
    try:
        cancel = CancelToken()
        events = _begun(footnote, conversation, earlier, exchange, cancel)
        try:
            ready = footnote.is_ready(conversation.collection)
            waiting = "Looking through your documents" if ready else "Loading the model, once"
            made = _draw(exchange, events, place, below, waiting)
        except FootnoteError:
            raise
        except Exception:
            logger.exception("An answer could not be made")
            if not _kept(footnote, exchange, events, cancel, rendering.MISTAKE):
                problems[exchange.id] = rendering.MISTAKE
        except BaseException:
            # Streamlit's own ends of a run, or the process's. Nothing of `st` may be called from here on: the next run
            # of the script waits in `settle`.
            if not _kept(footnote, exchange, events, cancel, STOPPED):
                problems[exchange.id] = STOPPED_EARLY
            raise
        else:
            footnote.chats.add_answer(exchange.id, made)
    except FootnoteError as error:
        problems[exchange.id] = str(error)
    finally:
        kept.set()
    st.rerun()


def settle() -> None:
    """Waits until an answer that this visitor has just stopped is kept.

    Streamlit begins the run of the script that a click asks for while it ends the one before.
    """
    making: threading.Event | None = st.session_state.get(MAKING)
    if making:
        making.wait(SETTLE_SECONDS)


def problem(exchange: Exchange) -> str:
    """Why a question has no answer."""
    problems: dict[int, str] = st.session_state.get(PROBLEMS, {})
    return problems.get(exchange.id, UNANSWERED)


def _kept(
    footnote: Footnote, exchange: Exchange, events: Generator[Event, None, None], cancel: CancelToken, why: str
) -> bool:
    """Ends an answer in the making and keeps what came of it. False where nothing did, or it cannot be kept.

    It raises nothing of its own, which would take the place of what ended the run of the script.
    """
    try:
        cancel.cancel(why)
        came = next((event for event in events if isinstance(event, Answer)), None)
        if came is not None:
            footnote.chats.add_answer(exchange.id, came)
    except Exception:
        logger.exception("What came of an answer could not be kept")
        return False
    return came is not None


def _begun(
    footnote: Footnote, conversation: Conversation, earlier: list[Exchange], exchange: Exchange, cancel: CancelToken
) -> Generator[Event, None, None]:
    history = [turn for one in earlier if (turn := one.as_turn())]
    within = conversation.within or None
    return footnote.ask(exchange.question, history, collection=conversation.collection, within=within, cancel=cancel)


def _draw(
    exchange: Exchange,
    events: Generator[Event, None, None],
    place: DeltaGenerator,
    below: DeltaGenerator,
    waiting: str,
) -> Answer:
    """Draws an answer as it comes. Returns it when it is finished."""
    place.html(rendering.waiting_html(f"{waiting} …"))
    below.button("Stop", key=f"stop-{exchange.id}", icon=":material/stop_circle:")
    text, drawn, pause = "", time.monotonic(), REDRAW_SECONDS
    for event in events:
        if isinstance(event, Answer):
            return event
        if isinstance(event, Token):
            text += event.text
        if isinstance(event, Retracted):
            text = ""
        now = time.monotonic()
        if now - drawn > pause or (isinstance(event, Waiting) and event.seconds):
            place.html(_moment_html(event, text, str(exchange.id)))
            drawn = time.monotonic()
            pause = max(REDRAW_SECONDS, REST * (drawn - now))
    raise FootnoteError(UNANSWERED)


def _moment_html(event: Event, text: str, anchor: str) -> str:
    if text:
        return rendering.stream_html(text, anchor)
    words = waiting_words(event) if isinstance(event, Waiting) else "Reading the passages …"
    return rendering.waiting_html(words)
