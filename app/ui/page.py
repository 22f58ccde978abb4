"""The whole page: sidebar and conversation, and the single place that turns errors into messages."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from app.footnote import Footnote
from app.ui.components import scope, sidebar, style
from app.ui.components.rendering import MISTAKE, plain
from app.ui.pages import chat, review
from ingest.errors import FootnoteError

logger = logging.getLogger(__name__)
# A local file: an icon given by name would be fetched from the internet.
ICON = Path(__file__).with_name("favicon.svg")

# Parameter of the page's address that opens the review of generated questions.
REVIEW = "review"


def draw_page(footnote: Footnote) -> None:
    """Draws the page for one run of the script."""
    st.set_page_config(page_title="Footnote", page_icon=str(ICON), layout="centered")
    st.html(style.CSS)
    with _calm():
        conversation = chat.current(footnote)
        with st.sidebar:
            collection = sidebar.draw(footnote, conversation)
        if REVIEW in st.query_params:
            review.draw()
        else:
            scope.line(footnote, conversation, collection)
            chat.draw(footnote, conversation, collection)


@contextmanager
def _calm() -> Iterator[None]:
    """Shows `FootnoteError`s as they are; logs internal errors in full and shows one line."""
    try:
        yield
    except FootnoteError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception:
        logger.exception("The page could not be drawn")
        st.error(f"{MISTAKE} Reload the page to continue.", icon=":material/error:")
