"""Tests reranking by models and servers, and their failures."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from faults import failing
from hypothesis import given
from hypothesis import strategies as st
from llm_servers import scripted, silent
from rerank_servers import dripping, saying, scoring, scoring_as_tei
from tests_support import save_tiny_cross_encoder

from app.retrieval.rerank_server import RerankServer
from app.retrieval.reranking import CrossEncoderJudge, Reranker, as_shares
from ingest.errors import RerankerError, RerankerFailed
from ingest.settings import Settings

PASSAGES = ["Apples are red.", "Bears are brown.", "Cherries are small."]


class Saying:
    """Gives the same scores whatever it is asked."""

    def __init__(self, *scores: float) -> None:
        self.given = list(scores)

    def scores(self, question, documents):
        return self.given


def server_of(url: str, **changes) -> RerankServer:
    return RerankServer(Settings(_env_file=None, reranker_url=url, **changes))


def test_candidates_are_ordered_by_the_reranker_above_those_it_did_not_read():
    done = Reranker(Saying(0.2, 0.9), 2).rerank("q", PASSAGES[:2], [1.0, 0.8, 0.4, 0.2])
    assert done.order == (1, 0, 2, 3)
    assert done.scores == pytest.approx((0.9, 0.2, 0.2, 0.1))
    assert done.notice == ""


def test_equal_scores_keep_the_order_of_the_search():
    assert Reranker(Saying(0.5, 0.7, 0.5), 3).rerank("q", PASSAGES, [0.9, 0.8, 0.7]).order == (1, 0, 2)


def test_logits_that_are_all_one_as_shares_still_order():
    done = Reranker(Saying(60.0, 90.0, 80.0), 3).rerank("q", PASSAGES, [0.9, 0.8, 0.7])
    assert done.order == (1, 2, 0)
    assert set(done.scores) == {1.0}


@given(
    st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=30),
    st.lists(st.floats(0, 1), max_size=30).map(lambda fused: sorted(fused, reverse=True)),
)
def test_scores_are_shares_that_never_rise_and_every_candidate_is_there_once(raw, rest):
    done = Reranker(Saying(*raw), len(raw)).rerank("q", ["text"] * len(raw), [1.0] * len(raw) + rest)
    assert sorted(done.order) == list(range(len(raw) + len(rest)))
    assert all(0 <= score <= 1 for score in done.scores)
    assert list(done.scores) == sorted(done.scores, reverse=True)
    assert [raw[i] for i in done.order[: len(raw)]] == sorted(raw, reverse=True)


def test_shares_stay_and_logits_become_shares():
    assert as_shares([0.0, 0.4, 1.0]) == [0.0, 0.4, 1.0]
    assert as_shares([-2.0, 0.0, 2.0]) == pytest.approx([0.1192, 0.5, 0.8808], abs=1e-4)


@pytest.mark.parametrize("scores", [[0.1, 0.2], [0.1, math.nan, 0.2], [0.1, math.inf, 0.2], []])
def test_invalid_scores_keep_the_order_and_are_reported(scores):
    reranker = Reranker(Saying(*scores), 3)
    done = reranker.rerank("q", PASSAGES, [0.9, 0.8, 0.7])
    assert (done.order, done.scores) == ((0, 1, 2), (0.9, 0.8, 0.7))
    assert "not reranked" in done.notice
    assert reranker.notes().startswith("1 searches were not reranked: ")


@pytest.mark.slow
def test_a_cross_encoder_gives_its_own_logits_for_passages_of_any_length(tmp_path):
    folder = save_tiny_cross_encoder(tmp_path / "ranker", ["LABEL_0"], says="LABEL_0")
    judge = CrossEncoderJudge(str(folder), "cpu")
    long = ["apple " * 400, *(f"bear {i}" for i in range(40))]
    found = judge.scores("apple", long)
    assert len(found) == 41
    assert len(set(found)) > 1
    assert min(found) > 5  # no sigmoid was applied
    assert found[3] == pytest.approx(judge.scores("apple", ["bear 2"])[0], abs=1e-4)


def test_weights_that_could_run_code_are_not_read(tmp_path):
    import torch
    from safetensors.torch import load_file

    folder = save_tiny_cross_encoder(tmp_path / "ranker", ["LABEL_0"], says="LABEL_0")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(RerankerError, match="FOOTNOTE_RERANKER"):
        CrossEncoderJudge(str(folder), "cpu").scores("a", ["b"])


def test_a_missing_or_unsuitable_reranker_is_an_error_that_names_the_setting(tmp_path):
    with pytest.raises(RerankerError, match=r"none.*cannot be loaded.*FOOTNOTE_RERANKER"):
        CrossEncoderJudge(str(tmp_path / "none"), "cpu").scores("a", ["b"])
    folder = save_tiny_cross_encoder(tmp_path / "nli", ["contradiction", "entailment", "neutral"], says="neutral")
    with pytest.raises(RerankerError, match=r"gives 3 scores.*FOOTNOTE_RERANKER"):
        CrossEncoderJudge(str(folder), "cpu").scores("a", ["b"])


def test_a_model_that_breaks_while_it_reads_has_failed_this_time(tmp_path):
    from sentence_transformers import CrossEncoder

    folder = save_tiny_cross_encoder(tmp_path / "ranker", ["LABEL_0"], says="LABEL_0")
    full = failing(CrossEncoder, "predict", RuntimeError("CUDA out of memory.\nTried to allocate"))
    with full, pytest.raises(RerankerFailed, match=r"could not read the passages: CUDA out of memory\.$"):
        CrossEncoderJudge(str(folder), "cpu").scores("a", ["b"])


def test_a_server_is_asked_in_coheres_form_and_its_logits_come_in_the_order_of_the_passages():
    with scripted(scoring(lambda text: float(len(text)) - 18)) as (url, requests):
        assert server_of(url, reranker="ranker").scores("colour?", PASSAGES) == [-3.0, -2.0, 1.0]
        assert server_of(f"{url}/rerank").scores("colour?", PASSAGES) == [-3.0, -2.0, 1.0]
    assert requests[0] == {"model": "ranker", "query": "colour?", "documents": PASSAGES, "top_n": 3}
    assert "model" not in requests[1]


def test_a_server_of_the_tei_kind_is_recognised_by_its_refusal_and_queried_in_parts():
    texts = [f"passage {i}" for i in range(50)]
    with scripted(scoring_as_tei(lambda text: int(text.split()[1]) / 100)) as (url, requests):
        server = server_of(url)
        for _ in range(2):
            assert server.scores("q", texts) == [i / 100 for i in range(50)]
    assert [len(asked.get("texts", [])) for asked in requests] == [0, 32, 18, 32, 18]


BROKEN = {
    "rate": (saying({}, 429), "too many requests"),
    "error": (saying({"error": "boom"}, 500), "status 500"),
    "key": (saying({}, 401), "FOOTNOTE_RERANKER_KEY"),
    "address": (saying({}, 404), "FOOTNOTE_RERANKER_URL"),
    "422": (saying({}, 422), "status 422"),
    "html": (saying(b"<html>"), "one score for each passage"),
    "null": (saying(None), "one score for"),
    "string": (saying("results"), "one score for"),
    "other": (saying({"data": "none"}), "one score for"),
    "no score": (saying({"results": [{"index": 0}, {"index": 1}, {"index": 2}]}), "one score for"),
    "outside": (saying({"results": [{"index": i, "relevance_score": 0.5} for i in (0, 1, 3)]}), "one score for"),
    "negative": (saying({"results": [{"index": i, "relevance_score": 0.5} for i in (-1, 0, 1)]}), "one score for"),
    "twice": (saying({"results": [{"index": i, "relevance_score": 0.5} for i in (0, 1, 1, 2)]}), "one score for"),
    "few": (saying({"results": [{"index": i, "relevance_score": 0.5} for i in (0, 1)]}), "one score for"),
    "words": (saying({"results": [{"index": i, "relevance_score": "high"} for i in range(3)]}), "one score for"),
    "names": (saying({"results": [{"index": str(i), "relevance_score": 0.5} for i in range(3)]}), "one score for"),
    "endless": (
        saying({"results": [{"index": i, "relevance_score": 10**400} for i in range(3)]}),
        "one score for each",
    ),
    "deep": (saying(b"[" * 100_000), "one score for"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_empty_answer_fails_with_advice(name):
    script, said = BROKEN[name]
    with scripted(script) as (url, _), pytest.raises(RerankerFailed, match=said) as caught:
        server_of(url).scores("q", PASSAGES)
    assert url in str(caught.value)


def test_a_score_that_is_not_a_number_keeps_the_order():
    rows = ", ".join(f'{{"index": {i}, "relevance_score": NaN}}' for i in range(3))
    with scripted(saying(f'{{"results": [{rows}]}}'.encode())) as (url, _):
        done = Reranker(server_of(url), 50).rerank("q", PASSAGES, [0.9, 0.8, 0.7])
    assert done.order == (0, 1, 2)
    assert "one valid score" in done.notice


@pytest.mark.parametrize("script", [silent, dripping])
def test_a_server_that_takes_too_long_is_not_used_for_a_while(script):
    with scripted(script) as (url, requests):
        server = server_of(url, reranker_timeout=1.0)
        with pytest.raises(RerankerFailed, match=r"within 1 seconds.*FOOTNOTE_RERANKER_TIMEOUT"):
            server.scores("q", PASSAGES)
        with pytest.raises(RerankerFailed, match="recently timed out"):
            server.scores("q", PASSAGES)
    assert len(requests) == 1


def test_an_unreachable_server_is_reported():
    with scripted(silent) as (url, _):
        pass
    with pytest.raises(RerankerFailed, match=r"cannot be reached \(ConnectError\).*FOOTNOTE_RERANKER_URL"):
        server_of(url).scores("q", PASSAGES)


def test_no_message_holds_the_key_or_a_password():
    secret = "sk-very-secret"
    with scripted(saying({}, 401)) as (url, _):
        with_user = url.replace("http://", "http://me:sk-very-secret@")
        for server in (server_of(url, reranker_key=secret), server_of(f"{with_user}?key={secret}")):
            with pytest.raises(RerankerFailed) as caught:
                server.scores("q", PASSAGES)
            assert secret not in str(caught.value)
    for key in ("sk-very-secret\nx", "sk-very-secret\u20ac"):
        with pytest.raises(RerankerError, match="FOOTNOTE_RERANKER_KEY") as caught:
            server_of("http://127.0.0.1:1", reranker_key=key)
        assert secret not in str(caught.value)
    assert secret not in repr(Settings(_env_file=None, reranker_key=secret))
    assert secret not in json.dumps(Settings(_env_file=None, reranker_key=secret).model_dump(mode="json"))


def test_the_key_is_sent_as_a_bearer():
    sent = []

    def script(handler):
        sent.append(handler.headers["authorization"])
        scoring(lambda _: 0.5)(handler)

    with scripted(script) as (url, _):
        server_of(url, reranker_key="sk-1").scores("q", PASSAGES)
        server_of(url).scores("q", PASSAGES)
    assert sent == ["Bearer sk-1", None]


def test_an_address_that_is_none_is_refused_at_once():
    with pytest.raises(ValueError, match=r"reranker_url[^$]*Write http://"):
        server_of("http://[::")


def test_large_batches_are_finite_as_numpy_gives_them():
    assert as_shares(list(np.array([-800.0, 800.0]))) == pytest.approx([0.0, 1.0])
