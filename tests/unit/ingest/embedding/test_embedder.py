"""The embedding model: trusted only with its published weights, counted with its own tokenizer."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from tests_support import in_order, save_static_model, save_tiny_model

from ingest.embedding import packed
from ingest.embedding.embedder import Embedder
from ingest.embedding.model_files import bundled_model_dir, check_official_weights
from ingest.embedding.runtimes.torch_runtime import TorchRuntime
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


def test_a_missing_model_is_named():
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


def test_a_question_asked_again_is_not_embedded_again_and_its_vector_cannot_be_changed(tmp_path):
    embedder = Embedder(str(save_tiny_model(tmp_path / "tiny")))
    vector = embedder.encode_query("apples")
    assert embedder.encode_query("apples") is vector
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 0


def test_tokens_have_a_vector_and_a_place_each_as_far_as_the_model_reads(tmp_path):
    embedder = Embedder(str(save_tiny_model(tmp_path / "tiny")))
    short, long, none = embedder.encode_tokens(["abc de", "a " * 100, ""])
    assert ["abc de"[start:end] for start, end in short.spans] == ["a", "b", "c", "d", "e"]
    assert (short.vectors.shape, short.vectors.dtype) == ((5, 32), np.float32)
    assert len(long.vectors) == len(long.spans) == embedder.max_tokens - 2
    assert (none.vectors.shape, none.spans.shape) == ((0, 32), (0, 2))


def test_the_identity_depends_on_the_weights_and_nothing_else(tmp_path):
    first, same, other = (
        Embedder(str(save_tiny_model(tmp_path / where / "tiny", seed=seed))).identity.fingerprint
        for where, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == same
    assert first != other


def test_chunks_get_vectors_of_their_content_tokens_from_the_same_pass():
    embedder = Embedder()
    texts = ["The committee decided it.", "A budget", "of the"]
    made = in_order(embedder.encode_chunks(texts))
    assert np.abs(np.stack([one.vector for one in made]) - embedder.encode_documents(texts)).max() < 1e-6
    # Words alone: without "the", "it" and the stop; all of them where nothing tells.
    assert [len(one.tokens) for one in made] == [2, 1, 2]
    assert all(np.abs(np.linalg.norm(one.tokens, axis=1) - 1).max() < 1e-5 for one in made)


def test_tokens_are_the_same_in_any_company_and_order(tmp_path):
    embedder = Embedder(str(save_tiny_model(tmp_path / "tiny")))
    texts = [f"apples {'and bears ' * n}" for n in (0, 40, 3, 17)] * 20
    made = in_order(embedder.encode_chunks(texts))
    for i in (0, 1, 2, 3, 41):
        ((_, alone),) = embedder.encode_chunks([texts[i]])
        assert np.abs(alone.vector - made[i].vector).max() < 1e-5
        assert np.abs(alone.tokens - made[i].tokens).max() < 1e-5


@pytest.mark.parametrize("prompts", [{}, {"document": "passage: "}])
def test_tokens_of_a_chunk_are_restored_from_their_signs(tmp_path, prompts):
    embedder = Embedder(str(save_tiny_model(tmp_path / "tiny", prompts=prompts)) if prompts else "")
    context, text = "Rules\n\n", "The club [SEP] is it"
    ((_, made),) = embedder.encode_chunks([context + text])
    signs = packed(made.tokens), packed(made.others)
    found = embedder.restored_tokens(context, text, signs)
    (read,) = embedder.encode_tokens([context + text])
    assert found.spans[:, 0].min() == -len(context)
    starts = {int(start) for start in read.spans[:, 0] - len(context)} - {text.index("[SEP]")}
    assert starts == {int(start) for start in found.spans[:, 0]}
    first = found.part(0, 3), read.part(len(context), len(context) + 3)  # "The" is no word of content
    if not prompts:  # which the tokens of a text alone have not read
        assert np.array_equal(np.sign(first[0].vectors), np.where(first[1].vectors > 0, 1, -1))
    assert np.abs(np.linalg.norm(found.vectors, axis=1) - 1).max() < 1e-5


def test_a_model_without_token_vectors_restores_none(tmp_path):
    embedder = Embedder(str(save_static_model(tmp_path / "static")))
    ((_, made),) = embedder.encode_chunks(["apples and bears"])
    assert embedder.restored_tokens("", "apples and bears", (packed(made.tokens), packed(made.others))) is None
    assert not embedder.pools_tokens


@pytest.mark.parametrize("wrong", [(b"", b""), (b"x", b""), (bytes(48), bytes(48))])
def test_signs_of_other_tokens_restore_nothing(wrong):
    assert Embedder().restored_tokens("", "The committee decided it.", wrong) is None


def test_a_model_whose_tokens_are_wider_than_its_vectors_pools_none(tmp_path):
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    model = SentenceTransformer(str(save_tiny_model(tmp_path / "tiny")), device="cpu")
    model.append(Dense(32, 16, activation_function=torch.nn.Identity()))
    model.save(str(tmp_path / "dense"))
    embedder = Embedder(str(tmp_path / "dense"))
    assert embedder.dimensions == 16
    assert not embedder.pools_tokens


@pytest.mark.parametrize(("pooling", "pools"), [("mean", True), ("cls", False)])
def test_only_a_model_that_averages_its_tokens_pools_them(tmp_path, pooling, pools):
    assert Embedder(str(save_tiny_model(tmp_path / "tiny", pooling=pooling))).pools_tokens is pools


def test_a_questions_tokens_come_with_its_vector():
    embedder = Embedder()
    tokens = embedder.query_tokens("When did the committee decide?")
    assert tokens.shape == (2, 384)
    assert embedder.query_tokens("When did the committee decide?") is tokens
    with pytest.raises(ValueError, match="read-only"):
        tokens[0, 0] = 1.0


def test_the_prompt_of_a_model_is_no_part_of_a_texts_tokens(tmp_path):
    prompts = {"query": "look for: ", "document": "passage: "}
    embedder = Embedder(str(save_tiny_model(tmp_path / "tiny", prompts=prompts)))
    plain = Embedder(str(save_tiny_model(tmp_path / "plain")))
    texts = ["bcd ef", "longer texts of many letters"]
    made = in_order(embedder.encode_chunks(texts))
    assert [len(one.tokens) for one in made] == [len(one.tokens) for one in in_order(plain.encode_chunks(texts))]
    assert len(embedder.query_tokens("bcd ef")) == len(plain.query_tokens("bcd ef")) == 5
    assert np.abs(np.stack([one.vector for one in made]) - embedder.encode_documents(texts)).max() < 1e-6


def test_a_model_without_vectors_of_tokens_says_so(tmp_path):
    from sentence_transformers import SentenceTransformer

    class Unmeasured(SentenceTransformer):
        def get_embedding_dimension(self):
            return None

    def open_model(name, *_arguments, **_options):
        return TorchRuntime(Unmeasured(name, device="cpu"), name)

    embedder = Embedder(str(save_static_model(tmp_path / "static")), open_model=open_model)
    assert embedder.load().facts.dimensions is None
    assert embedder.dimensions == 32
    made = in_order(embedder.encode_chunks(["abc de", "f"]))
    assert np.abs(np.stack([one.vector for one in made]) - embedder.encode_documents(["abc de", "f"])).max() < 1e-6
    assert [len(one.tokens) for one in made] == [0, 0]
    assert len(embedder.query_tokens("abc")) == 0
