"""Tests `footnote eval`: question sets are ingested and asked; results are saved, compared, gated and shown."""

from __future__ import annotations

import csv
import json
import threading

import pytest
from durability import quick, word_library
from evaluations import FRUIT, QUESTIONS, check_page, document_text, write_lines
from llm_servers import answering, scripted
from typer.testing import CliRunner

from app.cli.commands import cli
from app.evaluation.dataset_readers import read_dataset
from app.evaluation.experiment import Experiment
from ingest.errors import Cancelled, SettingsError, SourceError

pytestmark = pytest.mark.usefixtures("shared_chroma")


@pytest.fixture(autouse=True)
def environment(monkeypatch, settings):
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def beir(tmp_path):
    folder = tmp_path / "fruit"
    write_lines(folder / "corpus.jsonl", [{"_id": name, "text": text} for name, text in FRUIT.items()])
    history = [{"speaker": "user", "text": "Where do bananas grow?"}, {"speaker": "agent", "text": "At the equator."}]
    queries = [{"_id": ident, "text": text} for ident, text, _ in QUESTIONS]
    queries.append({"_id": "q5", "text": "What colour are they?", "metadata": {"history": history}})
    queries.append({"_id": "q6", "text": "Who won the chess olympiad?", "metadata": {"answerable": False}})
    write_lines(folder / "queries.jsonl", queries)
    judged = [(ident, name, 1) for ident, _, name in QUESTIONS] + [("q5", "bananas", 1)]
    (folder / "qrels").mkdir()
    rows = "".join(f"{ident}\t{name}\t{grade}\n" for ident, name, grade in judged)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")
    return folder


@pytest.fixture
def run():
    """Runs `footnote eval` with real stores and a model that counts words."""

    def run(*arguments):
        return CliRunner().invoke(cli, ["eval", *map(str, arguments)], obj=word_library)

    return run


@pytest.mark.slow
def test_a_set_is_ingested_asked_saved_and_held_against_a_gate(run, beir, tmp_path):
    keep, saved, page = tmp_path / "kept", tmp_path / "base.json", tmp_path / "report.html"
    first = run(beir, "--keep", keep, "-k", 2, "--save", saved, "--report", page, "--json")
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout)
    assert found["metrics"]["nDCG@10"]["n"] == 5
    assert found["metrics"]["Recall@100"]["value"] == 1
    assert 0 < found["metrics"]["MRR@10"]["value"] < 1
    assert found["metrics"]["Refusal recall"]["value"] == 1
    assert found["metrics"]["Recall@1, last turn alone"]["value"] == pytest.approx(0.6)
    assert found["metrics"]["Recall@1"]["low"] <= found["metrics"]["Recall@1"]["value"]
    assert found["history"]["Recall@1"]["difference"] == pytest.approx(0.2)
    follow_up = found["questions"][4]
    assert follow_up["searched"] == "Where do bananas grow? What colour are they?"
    assert follow_up["retrieved"][0] == follow_up["retrieved"][0] | {"document": "bananas", "relevant": True}
    assert found["search_seconds"]["p50"] > 0
    assert "6/6 questions" in first.stderr
    check_page(page.read_text())
    again = run(beir, "--keep", keep, "-k", 2, "--gate", saved)
    assert again.exit_code == 0, again.output
    assert "Passed" in again.stdout
    base = json.loads(saved.read_text())
    base["metrics"]["MRR@10"]["value"] = 0.99
    saved.write_text(json.dumps(base))
    below = run(beir, "--keep", keep, "-k", 2, "--gate", saved, "--report", tmp_path / "r.md")
    assert below.exit_code == 1
    assert "MRR@10 fell to 0." in below.stderr
    assert "below the baseline of 0.990" in below.stderr
    assert "below the baseline of 0.990" in (tmp_path / "r.md").read_text()


@pytest.mark.slow
def test_settings_are_compared_and_the_difference_tested(run, beir, tmp_path):
    report = tmp_path / "report.md"
    result = run(beir, "--compare-settings", "chunk_tokens=64", "--report", report, "--no-answers", "--json")
    assert result.exit_code == 0, result.output
    compared = json.loads(result.stdout)["compared"]["metrics"]
    assert (compared["nDCG@10"]["difference"], compared["nDCG@10"]["p"]) == (0, 1)
    text = report.read_text()
    assert "## Compared with the current settings" in text
    assert "| unclear |" in text
    assert "FOOTNOTE\\_CHUNK\\_TOKENS: 64" in text
    assert "Refusals were not measured" in text
    assert "Which \\<script\\>fruit grow near the \\| equator" in text


@pytest.mark.slow
def test_an_evaluation_is_compared_with_a_saved_one(run, beir, tmp_path):
    saved, keep = tmp_path / "one.json", tmp_path / "kept"
    assert run(beir, "--keep", keep, "--save", saved, "--no-answers").exit_code == 0
    found = run(beir, "--keep", keep, "--compare", saved, "--no-answers", "--limit", "3")
    assert found.exit_code == 0, found.output
    assert f"Compared with {saved}" in found.stdout
    assert "3 of 6 questions, chosen at random." in found.stdout
    gated = run(beir, "--keep", keep, "--gate", saved, "--no-answers", "--limit", "3")
    assert gated.exit_code == 2
    assert "Use the same --limit" in gated.stderr


@pytest.fixture
def footnote(settings):
    with quick(settings) as one:
        yield one


@pytest.fixture
def mine(footnote, write, tmp_path):
    folder = write("fruit/apples.md", f"# Apples\n\n{FRUIT['apples']}").parent.parent
    write("fruit/bananas.md", f"# Bananas\n\n{FRUIT['bananas']}")
    with quick(footnote.settings) as one:
        one.ingest([folder])
    rows = [
        {"question": "Which red fruit grow in orchards?", "source": "apples.md", "quote": "red fruit that GROW"},
        {"question": "Where do they grow?", "source": "fruit/bananas.md", "quote": "no such words"},
        {"question": "Who won the chess olympiad?", "answerable": False},
    ]
    return write_lines(tmp_path / "mine.jsonl", rows)


@pytest.mark.slow
def test_a_users_own_questions_are_asked_of_the_collection_without_changing_it(run, mine, settings):
    with quick(settings) as footnote:
        before = footnote.status(), footnote.documents("default")
    found = run(mine, "--json", "-k", 1)
    assert found.exit_code == 0, found.output
    metrics = json.loads(found.stdout)["metrics"]
    assert metrics["Quote@1"]["value"] == 0.5
    assert metrics["Recall@5"]["value"] == 1
    assert metrics["Refusal recall"]["value"] == 1
    shown = run(mine, "--no-answers")
    assert "no such words" in shown.stdout
    with quick(settings) as footnote:
        assert (footnote.status(), footnote.documents("default")) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere does not exist. Name a folder in BEIR's form"),
        (["SET", "-k", "0"], "k is 0, but must be from 1 to 50."),
        (["SET", "-c", "other"], "brings its own documents"),
        (["SET", "--report", "r.pdf"], "ends in neither .md nor .html"),
        (["SET", "--compare-settings", "chunk_tokens"], "is not NAME=VALUE"),
        (["SET", "--compare-settings", "chunk_token=9"], "Did you mean chunk_tokens?"),
        (["SET", "--compare-settings", "chunk_tokens=9"], "FOOTNOTE_CHUNK_TOKENS='9' cannot be used"),
        (["SET", "--compare-settings", "port=9000"], "does not affect the results"),
        (["SET", "--compare", "x", "--compare-settings", "passages=3"], "not both"),
        (["SET", "--compare", "/no/such"], "could not be read"),
        (["SET", "--gate", "SET/other.json"], "was saved for another set (fruit), or the set was changed since"),
        (["SET", "--gate", "SET/same.json", "-k", "3"], "was saved with -k 5"),
        (["SET", "--gate", "SET/same.json"], "was saved for 0 questions, not for the 6"),
        (["SET", "--save", "/no/such/file.json"], "/no/such/file.json cannot be written"),
        (["SET", "--gate", "SET/queries.jsonl"], "could not be read"),
        (["SET", "--gate", "SET/wrong.json"], "is not a saved evaluation"),
        (["generate", "-o", "SET/queries.jsonl"], "already exists"),
        (["generate", "-o", "SET/new.jsonl"], "holds no documents yet"),
        (["SET/own.jsonl"], "holds no documents yet"),
    ],
)
def test_wrong_usage_is_explained_and_exits_with_2(run, beir, arguments, said):
    (beir / "wrong.json").write_text("{}")
    empty = {"footnote_evaluation": 1, "dataset": "fruit", "digest": "0", "k": 5, "facts": {}, "notes": []}
    (beir / "other.json").write_text(json.dumps(empty | {"metrics": {}, "questions": []}))
    same = empty | {"digest": read_dataset(beir).digest, "metrics": {}, "questions": []}
    (beir / "same.json").write_text(json.dumps(same))
    write_lines(beir / "own.jsonl", [{"question": "Why?", "source": "a.md"}])
    result = run(*(argument.replace("SET", str(beir)) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_set_without_answers_measures_nothing_unless_it_is_answered(run, mine, tmp_path):
    silent = write_lines(tmp_path / "silent.jsonl", [{"question": "Who won?", "answerable": False}])
    result = run(silent, "--no-answers")
    assert result.exit_code == 2
    assert "Add --answers to measure refusals" in " ".join(result.stderr.split())
    assert run(silent).exit_code == 0


def test_settings_that_need_another_index_are_not_compared_on_a_collection(run, mine):
    result = run(mine, "--compare-settings", "chunk_tokens=64")
    assert result.exit_code == 2
    assert "Ingest them into another collection" in " ".join(result.stderr.split())


def test_questions_about_other_documents_are_refused_and_some_are_noted(run, mine, tmp_path):
    other = write_lines(tmp_path / "other.jsonl", [{"question": "Why?", "source": "nowhere.md"}])
    result = run(other)
    assert result.exit_code == 2
    assert "holds none of the documents that other names, such as nowhere.md" in " ".join(result.stderr.split())
    with mine.open("a") as file:
        file.write(json.dumps({"question": "Why?", "source": "nowhere.md"}) + "\n")
    assert "Not in the collection, so counted as not found: nowhere.md." in run(mine, "--no-answers").stdout


def test_character_references_are_compared_with_the_chunks(run, tmp_path):
    folder = tmp_path / "spans"
    (folder / "corpora").mkdir(parents=True)
    text = "\n\n".join(FRUIT.values())
    (folder / "corpora" / "fruit.md").write_text(text)
    start = text.index("Bananas")
    end = start + len("Bananas are yellow")
    references = json.dumps([{"content": text[start:end], "start_index": start, "end_index": end}])
    with (folder / "questions_df.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("question", "references", "corpus_id"), ("Which colour are bananas?", references, "fruit")]
        )
    result = run(folder, "-k", 5, "--json")
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)["metrics"]
    assert metrics["Span recall@5"]["value"] == 1
    assert 0 < metrics["Span precision@5"]["value"] <= metrics["Span precision Ω"]["value"] < 1
    assert "nDCG@10" not in metrics


def test_a_run_that_is_stopped_says_so(beir, settings, tmp_path):
    cancel = threading.Event()
    stopped = Experiment(
        read_dataset(beir),
        settings,
        tmp_path,
        k=2,
        opened=quick,
        cancel=cancel,
        on_progress=lambda *_: cancel.set(),
    )
    with pytest.raises(Cancelled, match="Stopped before all questions were asked"):
        stopped.run()


def test_an_experiment_refuses_unknown_settings(beir, settings, tmp_path):
    with pytest.raises(SettingsError, match="no_such is not a setting"):
        Experiment(read_dataset(beir), settings, tmp_path, k=2, opened=quick).run({"no_such": "1"})
    with pytest.raises(SourceError, match="cannot be used"):
        Experiment(read_dataset(beir), settings, beir / "corpus.jsonl", k=2, opened=quick).run()


def test_questions_are_generated_from_the_documents_and_answered_by_them(run, mine, tmp_path, write, footnote):
    write("fruit/glossary.txt", "Orchard: a piece of land on which fruit trees are grown.\n")
    footnote.ingest([write("fruit/x.txt", "X").parent])
    output = tmp_path / "made.jsonl"
    result = run("generate", "-n", 6, "-o", output, "--json")
    assert result.exit_code == 0, result.output
    made = [json.loads(line) for line in output.read_text().splitlines()]
    assert json.loads(result.stdout)["questions"] == len(made) > 2
    assert {one["made_by"] for one in made} == {"definition", "heading", "sentence"}
    for one in made:
        (source,) = [row.source for row in footnote.documents("default") if row.source.endswith(one["source"])]
        assert one["quote"] == document_text(source)[one["start"] : one["end"]]
    assert run("generate", "-n", 6, "-o", output, "--force").exit_code == 0
    assert [json.loads(line) for line in output.read_text().splitlines()] == made
    evaluated = run(output, "--json")
    assert json.loads(evaluated.stdout)["metrics"]["Quote@5"]["value"] == 1


def test_a_model_writes_questions_and_only_true_quotes_count(run, mine, tmp_path, monkeypatch):
    script = answering("Question: Where do apples grow?\n", "Quote: grow on trees in orchards")
    with scripted(script) as (url, requests):
        monkeypatch.setenv("FOOTNOTE_LLM", "openai:m")
        monkeypatch.setenv("FOOTNOTE_LLM_BASE_URL", url)
        output = tmp_path / "made.jsonl"
        result = run("generate", "-n", 5, "-o", output)
    assert result.exit_code == 0, result.output
    made = [json.loads(line) for line in output.read_text().splitlines()]
    assert [(one["made_by"], one["source"]) for one in made] == [("model:openai:m", "apples.md")]
    assert "1 were skipped" in result.stdout
    assert len(requests) == 2
    assert "<passage-" in requests[0]["messages"][1]["content"]


@pytest.mark.slow
def test_help_names_the_options(run):
    shown = run("--help").stdout
    assert "generate" in shown
    assert "--gate" in run("run", "--help").stdout
