"""Shows an answer in progress: countdowns, streamed text, and a stop button."""

from __future__ import annotations

import logging
import threading
import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.cancellation import STOPPED_EARLY
from app.conversations import AnswerInProgress, Conversation, Exchange
from app.footnote import Footnote
from app.models import Answer, Event, Retracted, Token, Waiting
from app.ui.components import rendering
from app.wording import waiting_words
from ingest.errors import FootnoteError

logger = logging.getLogger(__name__)
# Seconds between two redraws of a streaming answer, as the browser need not draw every token. If a redraw takes long,
# the pause is REST times its duration.
REDRAW_SECONDS, REST = 0.06, 4
UNANSWERED = "The answer to this question was not completed."
# Session state: the reasons why questions have no answer, by exchange, and an event set once an answer is saved.
PROBLEMS = "problems"
MAKING = "making"
# A stopped answer is saved within a second or two; this allows for a very busy machine.
SETTLE_SECONDS = 15.0


def answer(footnote: Footnote, conversation: Conversation, making: AnswerInProgress) -> None:
    """Streams the answer, saves it, and redraws the page from the saved answer.

    Any click while an answer is streaming, such as on Stop, makes Streamlit end this run of the script, by raising in
    the next call of `st`. The request to the model is then ended and the partial answer saved.
    """
    problems: dict[int, str] = st.session_state.setdefault(PROBLEMS, {})
    problems.pop(making.exchange.id, None)
    st.session_state[MAKING] = kept = threading.Event()
    place, below = st.empty(), st.empty()
    try:
        ready = footnote.is_ready(conversation.collection)
        waiting = "Searching your documents" if ready else "Loading the model"
        _draw(making, place, below, waiting)
    except FootnoteError as error:
        problems[making.exchange.id] = str(error)
    except Exception:
        logger.exception("Answering failed")
        if making.stop(rendering.MISTAKE) is None:
            problems[making.exchange.id] = rendering.MISTAKE
    except BaseException:
        # Raised by Streamlit to end the run, or by the end of the process. Nothing of `st` may be called from here on:
        # the next run of the script waits in `settle`.
        if making.stop() is None:
            problems[making.exchange.id] = STOPPED_EARLY
        raise
    finally:
        kept.set()
    st.rerun()


def settle() -> None:
    """Waits until an answer that this visitor just stopped is saved.

    Streamlit starts the run requested by a click while the previous one is still ending.
    """
    making: threading.Event | None = st.session_state.get(MAKING)
    if making:
        making.wait(SETTLE_SECONDS)


def problem(exchange: Exchange) -> str:
    """Returns why a question has no answer."""
    problems: dict[int, str] = st.session_state.get(PROBLEMS, {})
    return problems.get(exchange.id, UNANSWERED)


def _draw(making: AnswerInProgress, place: DeltaGenerator, below: DeltaGenerator, waiting: str) -> None:
    """Draws an answer as it streams, until it is finished."""
    anchor = str(making.exchange.id)
    place.html(rendering.waiting_html(f"{waiting} …"))
    below.button("Stop", key=f"stop-{anchor}", icon=":material/stop_circle:")
    text, drawn, pause = "", time.monotonic(), REDRAW_SECONDS
    for event in making:
        if isinstance(event, Answer):
            return
        if isinstance(event, Token):
            text += event.text
        if isinstance(event, Retracted):
            text = ""
        now = time.monotonic()
        if now - drawn > pause or (isinstance(event, Waiting) and event.seconds):
            place.html(_moment_html(event, text, anchor))
            drawn = time.monotonic()
            pause = max(REDRAW_SECONDS, REST * (drawn - now))
    raise FootnoteError(UNANSWERED)


def _moment_html(event: Event, text: str, anchor: str) -> str:
    if text:
        return rendering.stream_html(text, anchor)
    words = waiting_words(event) if isinstance(event, Waiting) else "Reading the passages …"
    return rendering.waiting_html(words)
