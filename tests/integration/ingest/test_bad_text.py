"""Tests lone surrogates, NULs and unusual line ends: they affect only the question they occur in."""

from __future__ import annotations

import json
from functools import partial

import pytest
from durability import WordModel, quick, word_library
from hypothesis import given
from hypothesis import strategies as st
from llm_servers import answering, scripted
from typer.testing import CliRunner

from app.cli.commands import cli
from app.cli.question_files import read_questions
from app.conversations import Conversations
from app.evaluation.dataset_readers import read_lines
from app.models import Answer, Token, Turn
from ingest.errors import SourceError
from ingest.text.storable_text import StorableStream, is_storable, storable

pytestmark = pytest.mark.usefixtures("shared_chroma")

LONE = "\ud800"
UNDECODED = "caf\udce9"  # as Python gives bytes of the command line that are no UTF-8


class Breakable(WordModel):
    """A model that fails on one question."""

    def encode_query(self, text):
        if text == "break":
            raise TypeError(f"not{LONE} this")
        return super().encode_query(text)


@pytest.fixture
def fruit(settings, write, monkeypatch):
    """A data folder with one document, opened with fake models."""
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    with quick(settings) as one:
        one.ingest([write("a.md", "# Fruit\n\nApples are red. A crate holds 40 apples.")])
        yield one


def test_surrogates_in_a_question_and_its_history_are_left_out_of_the_search(fruit):
    history = [Turn(f"Are apples{LONE} fruit?", f"Yes{LONE}.")]
    (answer,) = [event for event in fruit.ask(f"Apples{LONE} are\0 what?", history) if isinstance(event, Answer)]
    assert is_storable(answer.question + answer.searched + answer.text)
    assert fruit.search(f"red apples{LONE}", 1)[0].chunk.text.endswith("Apples are red. A crate holds 40 apples.")


def test_surrogates_from_a_model_are_replaced_and_halves_of_a_character_are_joined(fruit, dead_proxy, with_settings):
    with scripted(answering("Apples \ud83d", "\ude00 are", f" red{LONE} [1].", "\udc00 \ud83d")) as (url, _):
        fields = {"llm": "openai:test", "llm_base_url": url, "llm_timeout": 20}
        *events, answer = with_settings(fruit, **fields).ask("What colour are apples?")
    said = "".join(event.text for event in events if isinstance(event, Token))
    assert said.startswith("Apples 😀 are red\ufffd [1].")
    assert is_storable(said + answer.text + "".join(one.text for one in answer.sentences))
    conversation = fruit.conversations.create("default")
    exchange = fruit.conversations.add_question(conversation.id, f"What{LONE}?")
    fruit.conversations.keep(exchange, answer)
    fruit.conversations.rename(conversation.id, f"Title{LONE}")
    (kept,) = fruit.conversations.exchanges(conversation.id)
    assert (kept.question, kept.answer) == ("What\ufffd?", answer)


def test_an_answer_that_an_earlier_footnote_kept_with_surrogates_can_be_shown(fruit, settings):
    conversation = fruit.conversations.create("default")
    exchange = fruit.conversations.add_question(conversation.id, "What?")
    answer = Answer(
        question="What?", searched="", text=f"Words{LONE}", refused=True, answerer="", sentences=(), citations=()
    )
    fruit.conversations.keep(exchange, answer)
    assert fruit.conversations.exchanges(conversation.id)[0].answer.text == "Words\ufffd"
    assert isinstance(fruit.conversations, Conversations)


@given(st.lists(st.text(st.characters(), max_size=5), max_size=6))
def test_pieces_become_the_text_whose_characters_are_whole(pieces):
    stream = StorableStream()
    made = "".join([*map(stream.feed, pieces), stream.end()])
    whole = "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert is_storable(made)
    assert made == storable(whole) or len(made) <= len("".join(pieces))
    assert "".join(c for c in made if c != "\ufffd") == "".join(c for c in storable(whole) if c != "\ufffd")


@pytest.mark.slow
def test_each_question_of_a_file_is_answered_or_says_why_not(fruit, tmp_path):
    path = tmp_path / "questions.jsonl"
    lines = [{"_id": f"a{LONE}", "text": f"What colour{LONE} are apples?"}, {"_id": "b", "text": "x" * 9000}]
    lines += [{"_id": "c", "text": "break"}, {"_id": "d", "text": "one\u2028two apples"}]
    path.write_text("\n".join(json.dumps(line, ensure_ascii=line["_id"] != "d") for line in lines), encoding="utf-8")
    for command in ("search", "ask"):
        result = CliRunner().invoke(
            cli, [command, "--questions", str(path)], obj=partial(word_library, open_embedder=Breakable)
        )
        told = {one["_id"]: one for one in map(json.loads, result.stdout.splitlines())}
        assert list(told) == ["a\ufffd", "b", "c", "d"]
        assert result.exit_code == 1
        assert "error" not in told["a\ufffd"]
        assert "error" not in told["d"]
        assert "error" in told["b"]
        assert "ud800" not in result.stdout
        if command == "search":
            assert told["c"]["error"] == "Internal error: TypeError: not\ufffd this"


@pytest.mark.parametrize("line", ["{" * 100_000, '{"text": ' + "[" * 100_000, '{"_id": "1"}', "{}"])
def test_a_line_that_is_not_a_question_is_named(tmp_path, line):
    path = tmp_path / "questions.jsonl"
    path.write_text(f"first question\n{line}")
    with pytest.raises(SourceError, match="line 2: not a question"):
        read_questions(path)


def test_a_question_that_cannot_be_asked_ends_no_evaluation(fruit, tmp_path):
    path = tmp_path / "own.jsonl"
    lines = [
        {"question": f"What colour{LONE} are apples?", "source": "a.md"},
        {"question": "x" * 9000, "source": "a.md"},
    ]
    path.write_text(
        "\n".join(map(json.dumps, [*lines, {"question": "How many apples hold crates?", "source": "a.md"}]))
    )
    result = CliRunner().invoke(cli, ["eval", str(path), "--json"], obj=word_library)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [one["id"] for one in told["questions"]] == ["1", "3"]
    assert [note for note in told["notes"] if note.startswith("Question 2 could not be asked")]


def test_a_users_own_questions_may_hold_any_unicode():
    data = json.dumps({"question": f"a{LONE}b", "source": "x\u2028y"}, ensure_ascii=True).encode()
    raw = '{"question": "a\u2028b", "source": "c"}'.encode()
    assert [one["question"] for one in read_lines(data + b"\r\n" + raw, "q")] == ["a\ufffdb", "a\u2028b"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["search", UNDECODED],
        ["ask", UNDECODED],
        ["search", "apples", "--in", UNDECODED],
        ["search", "apples", "--type", UNDECODED],
        ["search", "apples", "--tag", UNDECODED],
        ["search", "apples", "--since", UNDECODED],
        ["search", "apples", "--collection", UNDECODED],
        ["report", UNDECODED],
        ["remove", UNDECODED],
        ["tag", UNDECODED, "--add", "x"],
        ["ingest", UNDECODED],
        ["ingest", f"http://{UNDECODED}/"],
        ["ingest", "--sitemap", f"http://{UNDECODED}/"],
        ["ingest", "--collection", UNDECODED, "."],
        ["eval", UNDECODED],
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_arguments_that_are_no_unicode_end_in_a_message(fruit, arguments, as_json):
    result = CliRunner().invoke(cli, [*arguments, *(["--json"] if as_json else [])], obj=word_library)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in {0, 1, 2}
    assert not as_json or json.loads(result.stdout)
