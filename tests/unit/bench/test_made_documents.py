"""Made documents are the same on every run, have natural frequencies, and vectors in clusters."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain

import numpy as np
import pytest

from bench.storage.made_documents import DIMENSIONS, PARAGRAPHS, MadeDocuments, WordVectors
from ingest.chunking import Chunker
from ingest.embedding import packed
from ingest.loaders import load
from ingest.segments import SegmentedDocument

DOCUMENTS = 200


@pytest.fixture(scope="module")
def made() -> MadeDocuments:
    return MadeDocuments()


@pytest.fixture(scope="module")
def texts(made) -> list[list[str]]:
    return [made.paragraphs(number) for number in range(DOCUMENTS)]


def test_a_document_is_the_same_on_every_run(made, texts):
    assert MadeDocuments().paragraphs(7) == texts[7]
    assert texts[7] != texts[8]


def test_words_have_the_frequencies_of_natural_language(texts):
    counts = Counter(re.findall(r"\w+", " ".join(chain.from_iterable(texts)).lower()))
    ranked = [n for _, n in counts.most_common()]
    total = sum(ranked)
    assert counts.most_common(1)[0][0] == "the"
    assert 0.06 < ranked[0] / total < 0.12
    assert 0.3 < sum(ranked[:40]) / total < 0.45
    assert sum(n == 1 for n in ranked) > len(ranked) / 5


def test_some_paragraphs_are_in_several_documents(texts):
    counts = Counter(chain.from_iterable(texts))
    repeated = sum(n for n in counts.values() if n > 1)
    assert 0 < repeated < 0.05 * DOCUMENTS * PARAGRAPHS


def test_each_paragraph_becomes_a_chunk(made, tmp_path):
    made.write(tmp_path, range(3, 4))
    (path,) = tmp_path.rglob("*.txt")
    chunks = Chunker(WordVectors()).split(SegmentedDocument.of(load(path)))
    assert [chunk.text for chunk in chunks] == made.paragraphs(3)


def test_tokens_have_the_spans_of_the_text(texts):
    model, text = WordVectors(), texts[0][0]
    spans = model.token_spans(text)
    assert len(spans) + 2 == model.count_tokens(text)
    assert "".join(text[start:end] for start, end in spans) == text.replace(" ", "")


def test_the_tokens_of_a_text_have_the_size_that_a_model_gives_them(texts):
    ((_, encoded),) = WordVectors().encode_chunks([texts[0][0]])
    content, others = len(encoded.tokens), len(encoded.others)
    assert content + others + 2 == WordVectors().count_tokens(texts[0][0])
    assert 35 <= content <= 75
    assert len(packed(encoded.tokens)) == content * DIMENSIONS // 8


def test_texts_of_one_document_are_nearer_than_others(texts):
    model = WordVectors()
    first, other = (model.encode_documents(one) for one in texts[:2])
    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    assert np.median(first @ first.T) > 0.4
    assert np.median(first @ other.T) < 0.2


def test_the_vector_of_a_text_is_the_same_on_every_run(texts):
    assert np.array_equal(WordVectors().encode_query(texts[0][0]), WordVectors().encode_query(texts[0][0]))


def test_a_question_is_near_the_text_that_it_was_made_of(made, texts):
    model = WordVectors()
    all_texts = [*chain.from_iterable(texts)]
    asked = made.questions(DOCUMENTS, 20, seed=1)
    assert asked == made.questions(DOCUMENTS, 20, seed=1)
    assert len(set(asked)) == 20
    scores = np.stack([model.encode_query(one) for one in asked]) @ model.encode_documents(all_texts).T
    assert np.median(scores.max(axis=1)) > 0.4
    assert np.median(scores) < 0.2


@pytest.mark.parametrize("text", ["the of and.", "the", "?"])
def test_a_text_of_function_words_has_a_vector_and_no_content_tokens(text):
    model = WordVectors()
    assert np.linalg.norm(model.encode_query(text)) == pytest.approx(1, abs=1e-5)
    assert model.query_tokens(text).shape == (0, DIMENSIONS)
