"""Tests that the sample documents cover all formats and contain the expected answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.loaders import load

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data" / "sample"
QUESTIONS = [json.loads(line) for line in (ROOT / "tests" / "sample_questions.jsonl").read_text().splitlines()]


def test_there_are_six_to_ten_documents_in_all_five_formats():
    suffixes = [path.suffix for path in SAMPLES.iterdir()]
    assert 6 <= len(suffixes) <= 10
    assert set(suffixes) == {".txt", ".md", ".html", ".pdf", ".docx"}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["_id"])
def test_the_document_holds_the_expected_answer(question):
    document = load(SAMPLES / question["document"])
    expected, text = question["answer_contains"], " ".join(document.text.split())
    assert expected.casefold() in text.casefold()
    if question["page"]:
        page = document.pages[question["page"] - 1]
        assert expected.casefold() in " ".join(document.text[page.start : page.end].split()).casefold()
