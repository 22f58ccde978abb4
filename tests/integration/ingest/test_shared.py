"""Tests real documents: no text is lost, and every footnote agrees with the source file."""

from __future__ import annotations

import json
import tarfile
from functools import cache
from pathlib import Path

import pytest
from tests_support import chunks_of, whole

from app.bootstrap import open_footnote
from app.models import Answer
from bench.loaders import reading as loaders
from ingest.chunking import Chunker
from ingest.embedding.embedder import Embedder
from ingest.errors import LoadError, LoaderStopped
from ingest.loaders import load
from ingest.settings import Settings

pytestmark = pytest.mark.shared

# Facts of the filings, read in the PDFs: question, file, pages, words that stand in one row there.
FACTS = (
    ("Which segment had net sales of 35,383 against 37,472?", "2023 Q3 AAPL.pdf", {18}, "Americas | $35,383 | $37,472"),
    ("iPhone net sales of 39,669 and 40,665 by category", "2023 Q3 AAPL.pdf", {10, 19}, "iPhone | $39,669 | $40,665"),
    ("NVIDIA net income of 9,243 and comprehensive income", "2023 Q3 NVDA.pdf", {3, 4}, "Net income | $9,243 | $680"),
)


@pytest.fixture(scope="module")
def filings(shared) -> list[Path]:
    return sorted((shared / "eval" / "filings" / "docs").glob("*.pdf"))


@pytest.fixture(scope="module")
def pages(shared, tmp_path_factory) -> list[Path]:
    """500 pages of the C++ documentation, spread evenly over the archive."""
    folder = tmp_path_factory.mktemp("cpp")
    with tarfile.open(shared / "corpora" / "cpp-docs.tar.gz") as archive:
        members = sorted((m for m in archive.getmembers() if m.name.endswith(".md")), key=lambda m: m.name)
        chosen = members[:: max(1, len(members) // 500)][:500]
        archive.extractall(folder, members=chosen, filter="data")
    return sorted(folder.rglob("*.md"))


@pytest.fixture(scope="module")
def ingested(filings, pages, tmp_path_factory):
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"))
    with open_footnote(settings) as footnote:
        report = footnote.ingest([*filings, *pages])
        assert report.count("failed") == 0, [d.error for d in report.documents if d.error]
        yield footnote


def test_no_text_exceeds_the_length_that_the_model_reads(filings, pages):
    embedder = Embedder()
    chunker = Chunker(embedder)
    for path in (*filings, *pages):
        document = load(path)
        covered = bytearray(len(document.text))
        for chunk in chunks_of(chunker, document):
            assert document.text[chunk.start : chunk.end] == chunk.text
            assert embedder.count_tokens(chunk.embedded_text) <= embedder.max_tokens == 256
            covered[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
        for block in document.blocks:
            if block.kind == "heading":  # embedded with every chunk below it
                covered[block.start : block.end] = b"\1" * (block.end - block.start)
        lost = [c for c, seen in zip(document.text, covered, strict=True) if not seen and not c.isspace()]
        assert not lost, path


def test_every_footnote_holds_against_its_source_file(ingested, shared):
    questions = (shared / "eval" / "filings" / "questions.jsonl").read_text().splitlines()
    texts = [json.loads(line) for line in questions]
    checked, loaded = 0, cache(load)
    for question in texts[::3]:
        words = question.get("question") or question.get("text")
        *_, answer = ingested.ask(words)
        assert isinstance(answer, Answer)
        for note in (*answer.citations, *answer.nearest):
            document = loaded(Path(note.document))
            assert document.text[note.start : note.end] == note.quote
            if note.page is not None:
                page = document.page_at(note.start)
                assert page.number >= note.page
            checked += 1
    assert checked > 20


@pytest.mark.parametrize(("question", "file", "on", "words"), FACTS)
def test_facts_of_the_filings_are_found_where_they_stand(ingested, question, file, on, words):
    found = [hit.chunk for hit in ingested.search(question, 5) if words in hit.chunk.text]
    assert found
    assert found[0].source.endswith(file)
    document = load(Path(found[0].source))
    assert document.page_at(found[0].start + found[0].text.index(words)).number in on


def test_a_second_run_over_real_files_embeds_nothing(ingested, filings, pages):
    report = ingested.ingest([*filings, *pages])
    assert (report.count("unchanged"), report.embedded) == (len(filings) + len(pages), 0)


@pytest.fixture(scope="module")
def read(shared) -> dict[str, loaders.Measured]:
    return {Path(name).name: loaders.measure(sorted((shared / name).iterdir())) for name in loaders.FOLDERS}


def test_files_of_all_formats_yield_their_text(read):
    have_text, failed = loaders.with_text(read["normal"])
    assert have_text > 250
    assert len(failed) <= 0.03 * have_text, failed


def test_facts_noted_by_opening_the_files_are_found_where_they_stand(read):
    assert loaders.fact_count() >= 25
    assert loaders.facts_not_found(read["normal"], read["docs"]) == []


def test_hostile_files_end_in_text_or_an_error_that_names_them(read, shared):
    results = read["hostile"].results
    assert set(results) == {path.name for path in (shared / "files" / "hostile").iterdir()}
    for name, one in results.items():
        if isinstance(one.result, LoadError):
            assert name in str(one.result)
            assert not isinstance(one.result, LoaderStopped)
        assert one.seconds < loaders.TIMEOUT
    assert max(one.peak for one in read.values()) <= loaders.MEMORY_MB * loaders.MIB


def test_blocks_of_real_files_are_in_order_and_apart(read):
    for one in (one for measured in read.values() for one in measured.results.values()):
        at, document = 0, whole(one.result)
        for block in getattr(document, "blocks", ()):
            assert at <= block.start < block.end <= len(document.text)
            assert not document.text[at : block.start].strip()
            at = block.end


def test_cases_of_refusal_quotes_and_languages_come_out_right(shared):
    from bench.answers.cases import CONVERSATIONS, OURS, outcomes

    found = [one for one in outcomes(shared / "cases", OURS) if one.case != CONVERSATIONS]
    assert [(one.case, one.question, one.text) for one in found if not one.right] == []
