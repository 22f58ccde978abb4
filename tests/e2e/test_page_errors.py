"""Errors and incomplete answers on the page, without a browser."""

from __future__ import annotations

import pytest
from pages import labels, open_page, shown
from streamlit.runtime.scriptrunner import StopException

from app.answering import AnswerService
from app.bootstrap import open_footnote
from app.footnote import Footnote
from app.models import Answer, Token
from app.ui.components.rendering import MISTAKE, plain
from ingest.errors import VectorStoreError

pytestmark = pytest.mark.usefixtures("shared_chroma")


@pytest.fixture
def answered_by(filled):
    """Returns the same Footnote with an answering service of this class."""
    opened = []

    def composed(service: type[AnswerService]) -> Footnote:
        opened.append(open_footnote(filled.settings, lambda _settings: filled.library, service))
        return opened[-1]

    yield composed
    for one in opened:
        one.conversations.close()


def test_an_error_is_a_message_and_the_question_can_be_asked_again(answered_by):
    message = "Chroma is not there. Start it."
    failures = [VectorStoreError(message)]

    class FailingOnce(AnswerService):
        def ask(self, *arguments, **options):
            if failures:
                raise failures.pop()
            return super().ask(*arguments, **options)

    page = open_page(answered_by(FailingOnce))
    page.chat_input[0].set_value("What colour are bears?").run()
    assert [warning.value for warning in page.warning] == [plain(message)]
    assert not page.exception
    next(button for button in page.button if button.label == "Ask again").click().run()
    assert "Bears are brown." in shown(page)
    assert not page.warning


def written_until(break_down, *pieces: str):
    """A service that yields pieces of an answer, then the broken event; stopping it returns the partial answer."""

    class Breaking(AnswerService):
        def ask(self, question, *_args, cancel, **_more):
            for piece in cancel.until(pieces):
                yield Token(piece)
            if not cancel.cancelled:
                yield break_down()
            if pieces:
                text = "".join(pieces)
                yield Answer(question, question, text, False, "openai:m", (), (), incomplete=True, notice=cancel.reason)

    return Breaking


def broken():
    raise ZeroDivisionError


class Undrawable:
    """Text that raises when it is appended to other text."""

    def __radd__(self, _before):
        raise ZeroDivisionError


@pytest.mark.slow
@pytest.mark.parametrize("pieces", [(), ("Apples are ",)])
def test_an_internal_error_while_drawing_is_reported_as_one_and_the_partial_answer_is_kept(
    filled, answered_by, caplog, pieces
):
    page = open_page(answered_by(written_until(lambda: Token(Undrawable()), *pieces)))
    page.chat_input[0].set_value("What colour are apples?").run()
    assert not page.exception
    assert "ZeroDivisionError" in caplog.text
    (exchange,) = filled.conversations.exchanges(filled.conversations.all()[0].id)
    assert (exchange.answer.text if exchange.answer else "") == "".join(pieces)
    told = shown(page) + "".join(warning.value for warning in page.warning)
    assert "Something went wrong here" in told
    assert "Stopped" not in told
    assert {"Ask again", "Try again"} & set(labels(page))


def test_an_internal_error_during_answering_is_reported_as_one(answered_by, caplog):
    page = open_page(answered_by(written_until(broken, "Apples are ")))
    page.chat_input[0].set_value("What colour are apples?").run()
    assert "ZeroDivisionError" in caplog.text
    assert [warning.value for warning in page.warning] == [plain(MISTAKE)]
    assert "Ask again" in labels(page)


def test_a_stop_by_streamlit_is_reported_as_a_stop(answered_by, caplog):
    def stopped():
        raise StopException

    page = open_page(answered_by(written_until(stopped)))
    page.chat_input[0].set_value("What colour are apples?").run()
    assert [warning.value for warning in page.run().warning] == [plain("Stopped before the first word of an answer.")]
    assert "could not be" not in caplog.text
