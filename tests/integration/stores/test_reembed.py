"""Tests changes of the embedding model: filled during searches, resumed, refused and rolled back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from durability import WordModel, contents, quick, word_library
from tests_support import save_tiny_model

from ingest.errors import Cancelled, EmbedderError, EmbedderMismatch, SourceError
from ingest.index import Sizes
from ingest.index.reembedding import drop_others, reembed, roll_back
from ingest.maintenance.doctor import examine

pytestmark = pytest.mark.usefixtures("shared_chroma")

ROOT = Path(__file__).resolve().parents[3]
TREES = ("ash", "birch", "cedar", "elm", "fir", "hazel")


@pytest.fixture
def filled(settings, tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for tree in TREES:
        (folder / f"{tree}.txt").write_text(f"{tree} grows here. " + " ".join(f"{tree}{i}" for i in range(150)))
    with quick(settings, sizes=Sizes(part=4, most_whole=0)) as footnote:
        footnote.ingest([folder])
        yield footnote


def wait_for_a_waiting_job(index, thread) -> None:
    waiting = "SELECT 1 FROM jobs WHERE state = 'waiting'"
    while thread.is_alive() and not index.docstore.database.query(waiting):
        time.sleep(0.01)


def models(footnote) -> dict[str, str]:
    return {role: row.model for role, row in footnote.index("default").embedders().items()}


def first_found(footnote, word: str) -> str:
    return footnote.index("default").vector_search(word, 1)[0].chunk.text.split()[0]


def test_a_new_model_takes_over_and_the_old_one_is_kept(filled):
    index = filled.index("default")
    done = reembed(index, "other")
    assert (done.model, done.chunks) == ("other", index.docstore.count_chunks(index.collection.id))
    assert done.embedded > 0
    assert done.before == done.after > 0.8
    assert models(filled) == {"current": "other", "previous": "words"}
    assert first_found(filled, "cedar") == "cedar"
    _, _, text, vector = contents(filled)[next(iter(contents(filled)))][0]
    assert vector @ WordModel().encode_query(text) < 0  # "other" turns vectors round
    assert examine(filled.settings, open_library=word_library).problems == ()
    drop_others(index)
    assert models(filled) == {"current": "other"}
    assert examine(filled.settings, open_library=word_library).problems == ()


def test_it_goes_on_where_it_was_stopped(filled):
    index, cancel, seen = filled.index("default"), threading.Event(), []
    total = index.docstore.count_chunks(index.collection.id)

    def stop_halfway(done: int, _total: int, _waiting: str) -> None:
        seen.append(done)
        if done >= total // 2:
            cancel.set()

    with pytest.raises(Cancelled):
        reembed(index, "other", on_progress=stop_halfway, cancel=cancel)
    assert models(filled) == {"current": "words", "next": "other"}
    assert first_found(filled, "fir") == "fir"
    (status,) = filled.status()
    assert status.next_model == "other"
    left = total - seen[-1]
    done = reembed(index, "other")
    assert done.embedded == left
    assert first_found(filled, "fir") == "fir"


def test_searches_work_while_a_new_model_is_filled_and_new_documents_go_to_both(filled, tmp_path):
    late = tmp_path / "late.txt"
    late.write_text("willow grows here since today.")
    index, found, threads = filled.index("default"), [], []

    def meanwhile(done: int, _total: int, _waiting: str) -> None:
        found.append(first_found(filled, "birch"))
        if done and not threads:
            threads.append(threading.Thread(target=filled.ingest, args=([late],)))
            threads[0].start()
            wait_for_a_waiting_job(index, threads[0])

    reembed(index, "other", on_progress=meanwhile)
    threads[0].join(30)
    assert set(found) == {"birch"}
    filled.ingest([late])
    assert first_found(filled, "willow") == "willow"
    assert models(filled)["current"] == "other"
    assert examine(filled.settings, open_library=word_library).problems == ()


def test_a_model_that_finds_less_is_refused_and_can_be_forced(filled):
    index = filled.index("default")
    with pytest.raises(EmbedderMismatch, match="worse than words") as said:
        reembed(index, "blind")
    assert "--force" in str(said.value)
    assert models(filled) == {"current": "words", "next": "blind"}
    assert first_found(filled, "elm") == "elm"
    assert drop_others(index) == ["blind"]
    reembed(index, "blind", force=True)
    assert models(filled)["current"] == "blind"
    assert roll_back(index).model == "words"
    assert first_found(filled, "elm") == "elm"


def test_a_model_that_reads_less_than_the_chunks_hold_is_refused(filled):
    class Short(WordModel):
        max_tokens = 20

    with (
        quick(filled.settings, open_embedder=Short) as short,
        pytest.raises(EmbedderMismatch, match="reads at most 20 tokens"),
    ):
        reembed(short.index("default"), "other")
    assert models(filled) == {"current": "words"}


def test_a_rollback_includes_documents_added_since_the_change(filled, tmp_path):
    index = filled.index("default")
    reembed(index, "other")
    late = tmp_path / "late.txt"
    late.write_text("willow grows here since today.")
    filled.ingest([late])
    filled.remove(str(tmp_path / "docs" / "ash.txt"))
    done = roll_back(index)
    assert (done.model, done.embedded) == ("words", 1)
    assert models(filled) == {"current": "words", "previous": "other"}
    assert first_found(filled, "willow") == "willow"
    assert all(hit.chunk.text.split()[0] != "ash" for hit in index.vector_search("ash", 50))
    assert examine(filled.settings, open_library=word_library).problems == ()


def test_impossible_changes_are_explained(filled):
    index = filled.index("default")
    with pytest.raises(SourceError, match="already uses words"):
        reembed(index, "words")
    with pytest.raises(SourceError, match="has no previous model"):
        roll_back(index)
    with pytest.raises(SourceError, match="is empty"):
        reembed(filled.index("Empty"), "other")


def test_a_change_to_a_third_model_replaces_an_unfinished_change(filled):
    index, cancel = filled.index("default"), threading.Event()
    with pytest.raises(Cancelled):
        reembed(index, "blind", on_progress=lambda *_: cancel.set(), cancel=cancel)
    reembed(index, "other")
    assert models(filled) == {"current": "other", "previous": "words"}
    assert examine(filled.settings, open_library=word_library).problems == ()


def test_two_changes_of_model_do_not_mix_their_vectors(filled):
    """The second change replaces the first, which ends with a reason."""
    index, problems, threads = filled.index("default"), [], []

    def second() -> None:
        with quick(filled.settings, sizes=Sizes(part=4, most_whole=0)) as another:
            reembed(another.index("default"), "blind", force=True)

    def start_second(done: int, _total: int, _waiting: str) -> None:
        if done and not threads:
            threads.append(threading.Thread(target=second))
            threads[0].start()
            wait_for_a_waiting_job(index, threads[0])

    try:
        reembed(index, "other", on_progress=start_second)
    except SourceError as error:
        problems.append(str(error))
    threads[0].join(60)
    assert "Another process cancelled the change to other" in problems[0]
    assert models(filled) == {"current": "blind", "previous": "words"}
    blind = WordModel("blind").encode_query("anything")
    assert all(np.abs(one[3] - blind).max() <= 1e-6 for chunks in contents(filled).values() for one in chunks)
    assert examine(filled.settings, open_library=word_library).problems == ()


def test_a_change_cancelled_by_another_process_ends_with_a_reason(filled):
    index, threads = filled.index("default"), []

    def give_up(done: int, _total: int, _waiting: str) -> None:
        if done and not threads:
            threads.append(threading.Thread(target=drop_others, args=(index,)))
            threads[0].start()
            wait_for_a_waiting_job(index, threads[0])

    with pytest.raises(SourceError, match="Another process cancelled the change to other"):
        reembed(index, "other", on_progress=give_up)
    threads[0].join(30)
    assert models(filled) == {"current": "words"}


def test_a_model_that_changed_can_be_replaced(filled):
    """Without the old model, there is nothing to compare the new one with."""
    index = filled.index("default")
    with index.docstore.database.transaction() as db:
        db.execute("UPDATE embedders SET fingerprint = 'elsewhere'")
    with pytest.raises(EmbedderMismatch, match="footnote reembed --model NAME"):
        filled.search("fir", 1)
    done = reembed(index, "other")
    assert done.before is None
    assert first_found(filled, "fir") == "fir"


def test_an_unfinished_change_whose_model_is_missing_does_not_block_ingests(filled, tmp_path):
    index, cancel = filled.index("default"), threading.Event()
    with pytest.raises(Cancelled):
        reembed(index, "other", on_progress=lambda *_: cancel.set(), cancel=cancel)

    class Gone(WordModel):
        def encode_documents(self, texts):
            if self.model == "other":
                raise EmbedderError("The embedding model other is not to be found.")
            return super().encode_documents(texts)

    late = tmp_path / "late.txt"
    late.write_text("willow grows here since today.")
    with quick(filled.settings, open_embedder=Gone) as footnote:
        assert footnote.ingest([late]).count("added") == 1
    assert first_found(filled, "willow") == "willow"


def test_the_setting_alone_changes_nothing_and_names_the_command_to_run(filled):
    asked = filled.settings.model_copy(update={"embedding_model": "blind"})
    with quick(asked) as other:
        assert first_found(other, "hazel") == "hazel"
        assert "footnote reembed --model blind" in other.model_note()
        assert other.index("New").embedder.model == "blind"


@pytest.mark.slow
def test_a_real_model_from_a_folder_on_the_command_line(footnote, write, tmp_path):
    """The bundled model is replaced by a tiny one of random weights, and comes back."""
    footnote.ingest([write("a.txt", "Apples are red."), write("b.txt", "Bears are brown.")])
    vectors = contents(footnote)
    folder = save_tiny_model(tmp_path / "tiny")

    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "app", "reembed", *arguments],
            env={**os.environ, "FOOTNOTE_DATA_DIR": str(footnote.settings.data_dir)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run().returncode == 2
    done = run("--model", str(folder), "--force", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["embedded"] == 2
    assert footnote.index("default").embedders()["current"].dimensions == 32
    assert len(footnote.search("apples", 5)) == 2
    done = run("--rollback", "--json")
    assert json.loads(done.stdout)["embedded"] == 0
    after = contents(footnote)
    for source, chunks in vectors.items():
        assert np.abs(after[source][0][3] - chunks[0][3]).max() <= 1e-6
    assert json.loads(run("--drop", "--json").stdout) == {"dropped": [str(folder)]}
