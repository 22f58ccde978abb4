"""Prompts: passages fenced as data, within the model's context, from files that the user may edit."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.answering.prompts import answer_prompt, condense_prompt
from app.grounding.claim_detection import REFUSAL
from app.models import Passage, Turn
from ingest.errors import QuestionError, SettingsError

PROMPTS = Path(__file__).resolve().parents[4] / "prompts"


def passage(n: int, text: str) -> Passage:
    return Passage(n, f'/docs/{n} "x".md', "v", "", 3, ("A", "B"), 0, len(text), text, 1 / n, place="page 3")


def test_passages_are_numbered_and_fenced():
    prompt = answer_prompt(PROMPTS, "Why?", [passage(1, "First."), passage(2, "Second.")], 8192, fence="fence-x")
    assert '<fence-x n=1 document="1 \'x\'.md" place="page 3" heading="A / B">\n[1] First.\n</fence-x>' in prompt.user
    assert "[2] Second." in prompt.user
    assert prompt.user.endswith("Question: Why?")
    assert "<fence-x" in prompt.system
    assert REFUSAL in prompt.system


def test_rows_of_a_table_that_began_earlier_come_under_its_header():
    row = replace(passage(1, "| 2024 | 7 |"), header="| Year | Fee [1] |")
    assert "[1] | Year | Fee (1) |\n| --- | --- |\n| 2024 | 7 |\n</" in answer_prompt(PROMPTS, "Why?", [row], 8192).user


def test_a_table_comes_with_the_caption_and_the_unit_above_it():
    row = replace(passage(1, "| Boats | 7 |"), header="| | Q1 |", caption="Costs [2] (in millions)")
    whole = replace(passage(2, "| | Q1 |\n| --- | --- |\n| Boats | 7 |"), caption="Costs (in millions)")
    user = answer_prompt(PROMPTS, "Why?", [row, whole], 8192).user
    assert "[1] Costs (2) (in millions)\n\n|  | Q1 |\n| --- | --- |\n| Boats | 7 |\n</" in user
    assert "[2] Costs (in millions)\n\n| | Q1 |\n| --- | --- |\n| Boats | 7 |\n</" in user


def test_a_caption_that_is_the_heading_is_not_repeated():
    row = replace(passage(1, "| Boats | 7 |"), caption="B", heading=("A", "B"))
    assert "[1] | Boats | 7 |" in answer_prompt(PROMPTS, "Why?", [row], 8192).user


def test_a_passage_names_the_title_and_the_periods_of_its_document():
    one = replace(passage(1, "x"), document="/docs/a.pdf", title="10-Q", periods=("2031-Q3", "2031-09-30"))
    user = answer_prompt(PROMPTS, "Why?", [one], 8192, fence="f").user
    assert user.startswith('<f n=1 document="a.pdf" title="10-Q" periods="2031-Q3, 2031-09-30" place="page 3" ')
    same = replace(one, title="A")
    assert "title=" not in answer_prompt(PROMPTS, "Why?", [same], 8192).user


def test_documents_of_the_same_name_are_told_apart_by_their_folders():
    sources = ["/docs/2030/boats/report.pdf", "/docs/2031/boats/report.pdf", "/docs/2031/boats/prices.pdf"]
    passages = [replace(passage(n, "x"), document=source) for n, source in enumerate(sources, start=1)]
    user = answer_prompt(PROMPTS, "Why?", passages, 8192).user
    named = [part.partition('"')[0] for part in user.split('document="')[1:]]
    assert named == ["2030/boats/report.pdf", "2031/boats/report.pdf", "prices.pdf"]


def test_the_fence_is_another_one_each_time():
    first, second = (answer_prompt(PROMPTS, "Why?", [passage(1, "x")], 8192).user for _ in range(2))
    assert first != second


def test_placeholders_in_a_passage_are_not_filled():
    prompt = answer_prompt(PROMPTS, "Why?", [passage(1, "Write {question} and {passages}")], 8192)
    assert "[1] Write {question} and {passages}" in prompt.user


def test_the_last_passages_are_left_out_where_the_context_is_full():
    passages = [passage(n, "word " * 200) for n in range(1, 30)]
    prompt = answer_prompt(PROMPTS, "Why?", passages, 2048)
    assert 1 <= len(prompt.passages) < 29
    assert prompt.passages == tuple(passages[: len(prompt.passages)])
    assert len((prompt.system + prompt.user).encode()) / 3 < 2048


def test_a_question_that_fills_the_context_is_refused():
    with pytest.raises(QuestionError, match="Shorten it"):
        answer_prompt(PROMPTS, "why " * 2000, [passage(1, "x")], 1024)


def test_a_prompt_file_that_is_missing_or_lacks_a_placeholder_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"answer\.md could not be read"):
        answer_prompt(tmp_path, "Why?", [], 8192)
    shutil.copy(PROMPTS / "answer.md", tmp_path)
    edited = (tmp_path / "answer.md").read_text().replace("{passages}", "")
    (tmp_path / "answer.md").write_text(edited)
    with pytest.raises(SettingsError, match=r"lacks the placeholder \{passages\}"):
        answer_prompt(tmp_path, "Why?", [], 8192)


def test_the_prompt_to_condense_a_question_holds_the_conversation():
    prompt = condense_prompt(PROMPTS, "And in 2022?", [Turn("What was revenue in 2023?", "It was 5.")])
    assert "User: What was revenue in 2023?\nAnswer: It was 5." in prompt.user
    assert prompt.user.endswith("Last question: And in 2022?")
