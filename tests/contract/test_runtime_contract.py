"""Holds both runtimes of embedding models to the same results: torch, and ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import in_order, save_tiny_model

from ingest.embedding import Embedder
from ingest.embedding.runtimes import Runtime
from ingest.embedding.token_vectors import unit

TEXTS = [
    "The committee decided it in March, and the notice period is four weeks.",
    "",
    "apples",
    "Die Kündigungsfrist beträgt vier Wochen. Le préavis est de quatre semaines.",
    "Срок уведомления четыре недели. 通知期限为四周。",
    "the of and",
    "Bears sleep in winter, and apples grow on trees that bears climb. " * 60,
    "x1 y2 [MASK] [SEP] 1,234.56 € 😀\n\ttabs",
]
PROMPTS = {"query": "look for: ", "document": "passage of text: ", "other": "unused"}
MODELS = {
    "bundled": lambda _folder: "",
    "mean, prompts": lambda folder: str(save_tiny_model(folder / "prompts", prompts=PROMPTS)),
    "cls": lambda folder: str(save_tiny_model(folder / "cls", seed=3, pooling="cls")),
}


@pytest.fixture(scope="module", params=MODELS)
def pair(request, tmp_path_factory) -> tuple[Embedder, Embedder]:
    """A model in torch and the same one in ONNX Runtime."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        model = MODELS[request.param](tmp_path_factory.mktemp("models"))
        torch, onnx = (Embedder(model, "cpu", runtime=name) for name in ("torch", "onnx"))
        assert (torch.load().name, onnx.load().name) == ("torch", "onnx")
        return torch, onnx


def assert_near(found, expected, least: float = 0.9999) -> None:
    assert (found.shape, found.dtype) == (expected.shape, np.float32)
    if expected.size:
        assert (unit(found) * unit(expected)).sum(axis=-1).min() >= least


def test_the_identity_is_the_same_so_that_collections_stay_valid(pair):
    torch, onnx = pair
    assert onnx.identity == torch.identity
    assert (onnx.max_tokens, onnx.dimensions) == (torch.max_tokens, torch.dimensions)
    assert onnx.load().facts == torch.load().facts


def test_documents_have_the_same_vectors(pair):
    torch, onnx = pair
    assert_near(onnx.encode_documents(TEXTS), torch.encode_documents(TEXTS))
    assert np.linalg.norm(onnx.encode_documents(TEXTS), axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert onnx.embed_documents(TEXTS[:1])[0] == pytest.approx(torch.embed_documents(TEXTS[:1])[0], abs=1e-4)


def test_chunks_have_the_same_vectors_and_the_same_content_tokens(pair):
    expected, found = (in_order(one.encode_chunks(TEXTS)) for one in pair)
    for ours, theirs in zip(found, expected, strict=True):
        assert_near(ours.vector, theirs.vector)
        assert_near(ours.tokens, theirs.tokens)


@pytest.mark.parametrize("text", TEXTS)
def test_questions_have_the_same_vectors(pair, text):
    torch, onnx = pair
    assert_near(onnx.encode_query(text), torch.encode_query(text))
    assert_near(onnx.query_tokens(text), torch.query_tokens(text))
    assert onnx.embed_query(text) == pytest.approx(torch.embed_query(text), abs=1e-4)


def test_sentences_and_tokens_have_the_same_vectors_but_for_half_precision(pair):
    torch, onnx = pair
    assert_near(onnx.encode_sentences(TEXTS), torch.encode_sentences(TEXTS), 0.999)
    assert_near(onnx.encode_sentences(TEXTS), torch.encode_documents(TEXTS))
    for ours, theirs in zip(onnx.encode_tokens(TEXTS), torch.encode_tokens(TEXTS), strict=True):
        assert (ours.spans == theirs.spans).all()
        assert_near(ours.vectors, theirs.vectors, 0.99)


def test_texts_are_read_as_the_same_tokens(pair):
    torch, onnx = pair
    for text in TEXTS:
        assert onnx.count_tokens(text) == torch.count_tokens(text)
        assert onnx.token_spans(text) == torch.token_spans(text)
        assert onnx.knows(text) == torch.knows(text)
    read = [{i: one.ids.tolist() for i, one in embedder.load().read(TEXTS, query=True)} for embedder in pair]
    assert read[0] == read[1]


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(max_size=80).filter(lambda text: text.isprintable()), min_size=1, max_size=5))
def test_any_texts_have_the_same_vectors(pair, texts):
    torch, onnx = pair
    assert_near(onnx.encode_documents(texts), torch.encode_documents(texts))


def test_no_text_gives_no_vectors(pair):
    for embedder in pair:
        runtime: Runtime = embedder.load()
        assert len(runtime.documents([])) == 0
        assert runtime.tokens([]) == []
        assert list(runtime.read([], query=False)) == []
