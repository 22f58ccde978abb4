"""Tests searches with a reranker: its order in `search`, `ask` and `eval`, and reports of its failures."""

from __future__ import annotations

import json
import logging
import random
from dataclasses import replace

import pytest
from durability import quick, word_library
from llm_servers import scripted
from rerank_servers import saying, scoring
from tests_support import save_tiny_cross_encoder
from typer.testing import CliRunner

from app.answering.evidence import MOST_READ, evidence
from app.cli.commands import cli
from app.integrations.langchain import FootnoteRetriever
from app.models import Answer
from ingest.errors import RerankerError
from ingest.filters import Filter
from ingest.settings import changed

pytestmark = pytest.mark.usefixtures("shared_chroma")

QUESTION = "Which otter swims in the river?"


@pytest.fixture
def otters(settings, write):
    """A data folder of twelve documents that share the words of one question, and a copy of one under its own name."""
    for number in range(12):
        write(f"{'wild' if number % 2 else 'tame'}/{number}.txt", f"The otter named number{number} swims in the river.")
    write("wild/copy.txt", "The otter named number3 swims in the river.")
    with quick(settings) as footnote:
        assert footnote.ingest([settings.data_dir.parent / "docs"]).count("added") == 13
    return settings


@pytest.fixture
def run(monkeypatch, settings):
    """Runs the command line with real stores and a model that counts words."""
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda arguments: CliRunner().invoke(cli, arguments, obj=word_library)


def backwards(text: str) -> float:
    """Prefers high numbers: an order that neither search has. 0 for the doctor's words, which have none."""
    return int("".join(c for c in text if c.isdigit()) or 0) / 100


def numbers(hits) -> list[int]:
    return [int(hit.chunk.text.split("number")[1].split()[0]) for hit in hits]


def test_a_reranker_orders_the_hits_once_per_text_and_within_the_filter(otters):
    with scripted(scoring(backwards)) as (url, requests), quick(changed(otters, {"reranker_url": url})) as footnote:
        hits = footnote.search(QUESTION, 20)
        assert numbers(hits) == list(range(11, -1, -1))
        assert [hit.score for hit in hits] == pytest.approx([n / 100 for n in range(11, -1, -1)])
        wild = Filter.of(sources=[str(otters.data_dir.parent / "docs" / "wild")])
        assert numbers(footnote.search(QUESTION, 3, within=wild)) == [11, 9, 7]
        documents = FootnoteRetriever(retriever=footnote.retriever("default"), k=2).invoke(QUESTION)
        assert ["number11" in documents[0].page_content, "number10" in documents[1].page_content] == [True, True]
        assert footnote.search("zebra", 5, within=Filter.of(types=["txt"]))
    assert all(len(asked["documents"]) <= 12 for asked in requests)


def test_only_the_best_candidates_are_read_and_the_others_stay_below_them(otters):
    changes = {"reranker_candidates": "4"}
    with quick(otters) as plain:
        fused = numbers(plain.search(QUESTION, 12))
    with (
        scripted(scoring(backwards)) as (url, requests),
        quick(changed(otters, {"reranker_url": url, **changes})) as footnote,
    ):
        hits = footnote.search(QUESTION, 12)
    assert numbers(hits) == sorted(fused[:4], reverse=True) + fused[4:]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(requests[0]["documents"]) == 4


def test_the_reranker_reads_a_passage_under_its_headings(settings, write):
    write("pump.md", "# Pumps\n\n## Winter\n\nDrain them first.\n")
    with scripted(scoring(len)) as (url, requests), quick(changed(settings, {"reranker_url": url})) as footnote:
        footnote.ingest([settings.data_dir.parent / "docs"])
        footnote.search("pump", 1)
    assert "Pumps" in requests[0]["documents"][0]
    assert "Drain them first." in requests[0]["documents"][0]


def test_a_cross_encoder_gives_the_order_of_its_own_scores(otters, tmp_path):
    folder = save_tiny_cross_encoder(tmp_path / "ranker", ["LABEL_0"], says="LABEL_0")
    with quick(otters) as plain, quick(changed(otters, {"reranker": str(folder)})) as footnote:
        before, hits = plain.search(QUESTION, 12), footnote.search(QUESTION, 12)
        assert sorted(numbers(hits)) == sorted(numbers(before))
        assert numbers(hits) != numbers(before)
        assert all(0 <= hit.score <= 1 for hit in hits)


@pytest.mark.parametrize("script", [saying({}, 429), saying({}, 500), saying(b"nonsense")])
def test_a_reranker_that_fails_is_reported_and_the_answer_is_still_given(otters, script, caplog):
    with quick(otters) as plain:
        before = plain.search(QUESTION, 5)
        wanted = next(one for one in plain.ask(QUESTION) if isinstance(one, Answer))
    with scripted(script) as (url, _), quick(changed(otters, {"reranker_url": url})) as footnote:
        found = footnote.retrieve(QUESTION, 5)
        assert found.hits == before
        told = list(found.notices)
        assert len(told) == 1
        assert "not reranked" in told[0]
        answer = next(one for one in footnote.ask(QUESTION) if isinstance(one, Answer))
        assert answer.text == wanted.text
        assert answer.notice == f"{told[0]} {wanted.notice}"
        assert caplog.records == []  # a reported failure is not logged
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                footnote.search(QUESTION, 5)
        assert [record.getMessage() for record in caplog.records] == told


def test_a_missing_model_is_an_error_that_names_the_setting(otters, tmp_path):
    with quick(changed(otters, {"reranker": str(tmp_path / "none")})) as footnote:
        for use in (lambda: footnote.search(QUESTION, 5), lambda: list(footnote.ask(QUESTION)), footnote.warm):
            with pytest.raises(RerankerError, match="FOOTNOTE_RERANKER"):
                use()


def test_refusal_depends_on_neither_the_order_nor_the_scores_of_passages(sampled):
    embedder = sampled.index("default").embedder
    passages = sampled.retriever("default").passages("What is BM25?", MOST_READ).passages
    mixed = random.Random(1).sample(passages, len(passages))
    scored = [_renumbered(one, n) for n, one in enumerate(mixed, start=1)]
    before, after = (evidence("What is BM25?", some, embedder) for some in (passages, scored))
    assert after == pytest.approx(before, abs=1e-5, nan_ok=True)


def _renumbered(passage, n):
    return replace(passage, n=n, score=1 / (n + 1))


def test_the_command_line_searches_in_the_new_order_and_says_where_it_could_not(otters, run, monkeypatch):
    with scripted(scoring(backwards)) as (url, _):
        monkeypatch.setenv("FOOTNOTE_RERANKER_URL", url)
        done = run(["search", QUESTION, "--json", "-k", "2"])
        assert [hit["text"].split("number")[1][:2] for hit in json.loads(done.stdout)["hits"]] == ["11", "10"]
        assert json.loads(done.stdout)["notice"] is None
        assert json.loads(run(["doctor", "--json"]).stdout)["ok"] is True
    for command in ("search", "ask"):  # the server is gone
        done = run([command, QUESTION, "--json"])
        assert done.exit_code == 0
        assert "cannot be reached" in json.loads(done.stdout)["notice"]
        done = run([command, QUESTION])
        assert done.exit_code == 0
        assert (done.stderr if command == "search" else done.stdout).count("cannot be reached") == 1
    done = run(["doctor", "--json"])
    assert done.exit_code == 1
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["kind"] == "reranker"
    assert "FOOTNOTE_RERANKER_URL" in problem["what"]


def test_an_evaluation_compares_with_and_without_it_and_counts_where_it_failed(otters, run, tmp_path):
    dataset = tmp_path / "questions.jsonl"
    dataset.write_text(json.dumps({"question": QUESTION, "source": "11.txt"}) + "\n")
    with scripted(scoring(backwards)) as (url, _):
        compare = ["eval", str(dataset), "-k", "1", "--json", "--compare-settings", f"reranker_url={url}"]
        done = run(compare)
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert found["metrics"]["Recall@1"]["value"] == 1
        assert not any("not reranked" in note for note in found["notes"])
    found = json.loads(run(compare).stdout)
    assert any("searches were not reranked" in note and "cannot be reached" in note for note in found["notes"])
    for secret in ("reranker_key", "openai_api_key"):
        done = run(["eval", str(dataset), "--compare-settings", f"{secret}=sk-1"])
        assert done.exit_code == 2
        assert "sk-1" not in done.output
