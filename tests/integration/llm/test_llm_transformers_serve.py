"""Tests a real OpenAI-compatible server with a tiny random model, whose noise is not called supported."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.models import Answer, Token
from app.text.citation_markers import MARKER, marker_numbers

CHAT = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"


def save_tiny_llama(folder: Path) -> Path:
    """A Llama of one layer with random weights, and a tokenizer that reads bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<s>", "</s>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>", chat_template=CHAT
    )
    fast.save_pretrained(folder)
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=16_384,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(max_new_tokens=128, do_sample=False, eos_token_id=1, pad_token_id=1)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    folder = save_tiny_llama(tmp_path_factory.mktemp("llama") / "tiny-llama")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder.parent / "serve.log"
    transformers = Path(sys.executable).with_name("transformers")
    command = [str(transformers), "serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1", folder
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_real_server_streams_and_its_noise_is_not_called_supported(server, footnote, write, with_settings):
    url, folder = server
    footnote.ingest([write("a.txt", "Apples are red. A crate holds 40 apples.")])
    fields = {"llm": f"openai:{folder}", "llm_base_url": url, "llm_context_tokens": 1024, "llm_timeout": 90.0}
    *events, answer = with_settings(footnote, **fields).ask("What colour are apples?")
    tokens = [event.text for event in events if isinstance(event, Token)]
    assert isinstance(answer, Answer)
    assert answer.answerer == f"openai:{folder}", answer.notice
    assert len(tokens) > 3
    assert "".join(tokens) == answer.text
    assert all(n <= len(answer.citations) for marker in MARKER.finditer(answer.text) for n in marker_numbers(marker))
    assert not any(sentence.supported for sentence in answer.sentences)
