"""The embedding model: trusted only with its published weights, counted with its own tokenizer."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from tests_support import save_tiny_model

from ingest.embedding import Embedder, bundled_model_dir, check_official_weights
from ingest.errors import EmbedderError


def test_the_bundled_weights_are_the_published_ones():
    check_official_weights(bundled_model_dir())


def test_other_weights_under_the_models_name_are_refused(tmp_path):
    folder = shutil.copytree(bundled_model_dir(), tmp_path / "model")
    weights = next(folder.rglob("model.safetensors"))
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(EmbedderError, match=r"model\.safetensors"):
        check_official_weights(folder)


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(EmbedderError, match="no-such-model"):
        Embedder("no-such-model").load()


def test_any_model_folder_is_loaded_by_the_same_code(tmp_path):
    embedder = Embedder(str(save_tiny_model(tmp_path / "tiny")))
    vectors = embedder.encode_documents(["apples", "bears and more"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (2, 32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert embedder.embed_query("apples") == pytest.approx(vectors[0].tolist(), abs=1e-5)
    assert embedder.max_tokens == 48
    assert embedder.count_tokens("abc") == 2 + 3
    assert [("abc de"[a:b]) for a, b in embedder.token_spans("abc de")] == ["a", "b", "c", "d", "e"]


def test_the_identity_tells_weights_apart_and_nothing_else(tmp_path):
    first, same, other = (
        Embedder(str(save_tiny_model(tmp_path / where / "tiny", seed=seed))).identity.fingerprint
        for where, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == same
    assert first != other
