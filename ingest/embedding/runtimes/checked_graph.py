"""Loads the graph of an encoder that was checked against torch; makes and checks it where there is none."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from ingest.embedding.model_files import OFFICIAL_DIGEST
from ingest.embedding.runtimes.bert_graph import BERT_EXPORTER, Exporter
from ingest.embedding.runtimes.encoder import Encoder
from ingest.embedding.runtimes.graph_cache import GraphCache, cache_folder
from ingest.embedding.runtimes.graph_check import LEAST_INT8, Expected, difference, load_expected
from ingest.embedding.runtimes.onnx_runtime import OnnxRuntime
from ingest.embedding.runtimes.onnx_session import GraphError
from ingest.embedding.runtimes.quantization import VERSION, quantized

logger = logging.getLogger(__name__)

# What torch makes of the bundled model, so that no one needs torch to check it.
RECORDED = Path(__file__).parent / "minilm.npz"
ATTEMPTS = 2


class CheckFailed(Exception):
    """ONNX Runtime does not make of a model what torch makes of it; the message says what differs."""


def load_checked(
    encoder: Encoder,
    expected_from_torch: Callable[[], Expected],
    exporter: Exporter = BERT_EXPORTER,
    *,
    int8: bool = False,
) -> OnnxRuntime:
    """Loads a model, from the cache if it is there.

    Args:
        encoder: the model's files.
        expected_from_torch: loads the model in torch; called for models without recorded vectors, when the graph is
            made.
        exporter: makes the graph.
        int8: with weights of eight bits.

    Raises:
        CheckFailed: the graph was made twice, and did not pass its check.
        Unsuitable: the weights or the tokenizer cannot be used.
    """
    model = _of_int8(encoder.weights_file_digest) if int8 else encoder.weights_file_digest
    cache = GraphCache(cache_folder(), model, _key(encoder, exporter))
    found = cache.read()
    if found:
        try:
            return OnnxRuntime(encoder, found.file, found.weights)
        except GraphError as error:
            logger.info("The cached graph %s cannot be loaded (%s) and is made again.", found.file, error)
    return _made(encoder, cache, expected_from_torch, exporter, int8=int8)


def _made(
    encoder: Encoder,
    cache: GraphCache,
    expected_from_torch: Callable[[], Expected],
    exporter: Exporter,
    *,
    int8: bool,
) -> OnnxRuntime:
    recorded = encoder.weights_file_digest == OFFICIAL_DIGEST
    expected, failure = None, ""
    for _ in range(ATTEMPTS):
        exported = exporter.make(encoder)  # before torch is loaded: it finds weights that are not suitable
        expected = expected or (load_expected(RECORDED) if recorded else expected_from_torch())
        try:
            runtime = OnnxRuntime(encoder, exported.graph, exported.weights)
        except GraphError as error:
            failure = str(error)
            continue
        failure = difference(runtime, expected)
        graph = exported.graph
        if int8 and not failure:
            graph = quantized(graph)
            runtime = OnnxRuntime(encoder, graph, exported.weights)
            failure = difference(runtime, expected, LEAST_INT8)
        if not failure:
            cache.write(graph, exported.weights, RECORDED.name if recorded else f"torch {version('torch')}")
            return runtime
    raise CheckFailed(failure)


def _of_int8(weights_file_digest: str) -> str:
    """Returns a digest for graphs with weights of eight bits, which are cached beside the others."""
    return hashlib.sha256(f"{weights_file_digest} int8 {VERSION}".encode()).hexdigest()


def _key(encoder: Encoder, exporter: Exporter) -> str:
    """Returns all that a graph or its check depend on, besides the weights."""
    versions = " ".join(f"{name} {version(name)}" for name in ("onnxruntime", "tokenizers"))
    return f"exporter {exporter.version} {versions} {encoder.settings_digest}"
