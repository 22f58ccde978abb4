"""Tests random sequences of adding, changing, removing, pruning, crashing and reopening against a dictionary."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from durability import contents, quick, rest, word_library
from faults import failing
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ingest.docstore.collections import Catalog
from ingest.docstore.unembedded import Unembedded
from ingest.docstore.versions import Versions
from ingest.index.reembedding import reembed, roll_back
from ingest.lexical.writer import LexicalWriter
from ingest.maintenance.doctor import examine
from ingest.settings import Settings
from ingest.vectors.store import VectorStore

NAMES = st.sampled_from(["ant", "bee", "cat", "dog"])
WORDS = st.sampled_from(["red", "green", "blue"])
CRASHES = st.sampled_from(
    [
        (Versions, "add_pending"),
        (LexicalWriter, "commit"),
        (VectorStore, "upsert"),
        (VectorStore, "delete"),
        (Versions, "activate"),
        (Unembedded, "done"),
        (Catalog, "add_garbage"),
        (Versions, "delete"),
    ]
)


class Killed(BaseException):
    """Simulates the end of the process: no code of Footnote catches it."""


class Machine(RuleBasedStateMachine):
    """`held` maps a name to the words that its document has in the index; `files` to those on disk."""

    @initialize()
    def start(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="stateful-"))
        self.docs = self.root / "docs"
        self.docs.mkdir()
        self.settings = Settings(_env_file=None, data_dir=self.root / "data")
        self.footnote = quick(self.settings)
        self.held: dict[str, str] = {}
        self.files: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "footnote"):
            self.footnote.ingest([self.docs], prune=True)
            assert self.seen() == self.files
            assert examine(self.settings, open_library=word_library).problems == ()
            self.footnote.close()
            rest(self.settings)
            shutil.rmtree(self.root)

    def path(self, name: str) -> Path:
        return self.docs / f"{name}.txt"

    def seen(self) -> dict[str, str]:
        return {Path(source).stem: chunks[0][2].split()[1] for source, chunks in contents(self.footnote).items()}

    @rule(name=NAMES, word=WORDS)
    def write(self, name: str, word: str) -> None:
        self.files[name] = word
        self.path(name).write_text(f"{name} {word} and {' '.join(f'{name}{i}' for i in range(80))}")

    @rule(name=NAMES)
    def delete_file(self, name: str) -> None:
        self.files.pop(name, None)
        self.path(name).unlink(missing_ok=True)

    @rule(prune=st.booleans())
    def ingest(self, prune: bool) -> None:
        self.footnote.ingest([self.docs], prune=prune)
        self.held = dict(self.files) if prune else self.held | self.files

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def remove(self, data) -> None:
        name = data.draw(st.sampled_from(sorted(self.held)))
        assert self.footnote.remove(str(self.path(name))) == 1
        del self.held[name]

    @rule(crash=CRASHES, after=st.booleans(), prune=st.booleans())
    def crash(self, crash, after: bool, prune: bool) -> None:
        wanted = dict(self.files) if prune else self.held | self.files
        with failing(*crash, Killed(), after=after), suppress(Killed):
            self.footnote.ingest([self.docs], prune=prune)
        self.reopen()
        seen = self.seen()
        for one in {*self.held, *wanted, *seen}:  # each document is as it was, or as it was to be
            assert seen.get(one) in {self.held.get(one), wanted.get(one)}
        self.held = seen

    @rule()
    def reopen(self) -> None:
        self.footnote.close()
        self.footnote = quick(self.settings)

    @precondition(lambda self: self.held)
    @rule(back=st.booleans())
    def change_model(self, back: bool) -> None:
        index = self.footnote.index("default")
        rows = index.embedders()
        if back and "previous" in rows:
            roll_back(index)
        elif rows:
            reembed(index, "other" if rows["current"].model == "words" else "words", force=True)

    @invariant()
    def every_document_is_found_once_in_both_legs(self) -> None:
        if not hasattr(self, "footnote"):
            return
        index = self.footnote.index("default")
        for leg in (index.keyword_search, index.vector_search):
            for name in ("ant", "bee", "cat", "dog"):
                hits = [hit.chunk.text.split()[1] for hit in leg(name, 20) if hit.chunk.text.split()[0] == name]
                wanted = [self.held[name]] if name in self.held else []
                by_words_only = leg == index.vector_search and index.count_unembedded()
                assert hits == wanted or (by_words_only and not hits), (leg.__name__, name)
        assert self.seen() == self.held


def run(examples: int, steps: int) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=checks,
            database=None,
            phases=[Phase.generate],  # a failing order of thirty steps is read sooner than it is shrunk
        ),
    )


@pytest.mark.slow
def test_any_order_of_events():
    run(examples=8, steps=15)


@pytest.mark.soak
def test_many_orders_of_events():
    run(examples=100, steps=30)
