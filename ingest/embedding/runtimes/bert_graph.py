"""Makes an ONNX graph of a BERT encoder from its weights.

The operators are ONNX Runtime's own fused ones (domain com.microsoft), because they are what its optimiser would make
of the standard ones. They compute the same as torch but for rounding: the cosine similarity of token vectors was 1
within 3e-7 for all-MiniLM-L6-v2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest.embedding.runtimes.encoder import WEIGHTS, Encoder, Unsuitable

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

OPSET, FUSED, FUSED_VERSION, IR_VERSION = 17, "com.microsoft", 1, 8
# Names of the inputs (int32 [texts, tokens] and int32 [texts]) and of the output (float32 [texts, tokens, width]).
IDS, LENGTHS, TOKENS = "ids", "lengths", "tokens"
# The name that sentence-transformers puts before the names of a transformer's tensors.
STATE_PREFIX = "0.model."
# A buffer that files of older versions contain and models no longer have.
NOT_A_WEIGHT = "embeddings.position_ids"
EMBEDDED = (
    "word_embeddings.weight",
    "position_embeddings.weight",
    "token_type_embeddings.weight",
    "LayerNorm.weight",
    "LayerNorm.bias",
)
OF_A_LAYER = tuple(
    f"{part}.{kind}"
    for part in (
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
        "attention.output.dense",
        "attention.output.LayerNorm",
        "intermediate.dense",
        "output.dense",
        "output.LayerNorm",
    )
    for kind in ("weight", "bias")
)
POOLER = ("pooler.dense.weight", "pooler.dense.bias")

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Exported:
    """A graph and the identity of its weights.

    Attributes:
        graph: the ONNX file.
        weights: SHA-256 (hex) over names and bytes of all tensors.
    """

    graph: bytes
    weights: str


def export(encoder: Encoder, *, find: Callable[[str], object | None] = find_spec) -> Exported:
    """Makes the graph of an encoder.

    Args:
        encoder: the model's files.
        find: finds an installed package by its name; returns None if it is missing.

    Raises:
        Unsuitable: the weights are not those of a BERT encoder in full precision, or the package onnx is missing.
    """
    if find("onnx") is None:
        raise Unsuitable("the package onnx is not installed")
    weights = _read_weights(encoder)
    try:
        graph = _Graph(weights, int(encoder.config["num_attention_heads"]), _epsilon(encoder)).made()
    except (ValueError, TypeError, KeyError) as error:  # tensors of other shapes, or a setting that is missing
        raise Unsuitable(f"its weights do not fit its config.json ({error})") from error
    return Exported(graph, state_digest(weights))


@dataclass(frozen=True, slots=True)
class Exporter:
    """Makes graphs of encoders.

    Attributes:
        make: makes the graph of an encoder, as `export` does.
        version: changes with every change of the graphs it makes, so that graphs of earlier versions are not used.
    """

    make: Callable[[Encoder], Exported]
    version: int


BERT_EXPORTER = Exporter(export, version=1)


def state_digest(weights: Weights) -> str:
    """Returns the SHA-256 (hex) over names and bytes of all tensors, as the model has them in sentence-transformers."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update((STATE_PREFIX + name).encode())
        digest.update(np.ascontiguousarray(weights[name]).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _read_weights(encoder: Encoder) -> Weights:
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - only when a graph is made

    expected = {f"embeddings.{name}" for name in EMBEDDED} | set(POOLER)
    for i in range(_layers(encoder)):
        expected |= {f"encoder.layer.{i}.{name}" for name in OF_A_LAYER}
    try:
        with safe_open(encoder.folder / WEIGHTS, framework="numpy") as file:
            names = set(file.keys()) - {NOT_A_WEIGHT}
            if names != expected:
                some = ", ".join(sorted(names ^ expected)[:3])
                raise Unsuitable(f"{WEIGHTS} has other tensors than BERT, such as {some}")
            if any(file.get_slice(name).get_dtype() != "F32" for name in names):
                raise Unsuitable("its weights are not in full precision")
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise Unsuitable(f"{WEIGHTS} cannot be read ({error})") from error


def _layers(encoder: Encoder) -> int:
    return int(encoder.config.get("num_hidden_layers", 0))


def _epsilon(encoder: Encoder) -> float:
    return float(encoder.config.get("layer_norm_eps", 1e-12))


class _Graph:
    """A graph in the making."""

    def __init__(self, weights: Weights, heads: int, epsilon: float) -> None:
        self._weights, self._heads, self._epsilon = weights, heads, epsilon
        self._nodes: list[NodeProto] = []
        self._tensors: list[TensorProto] = []

    def made(self) -> bytes:
        from onnx import TensorProto, helper  # noqa: PLC0415 - only when a graph is made

        width = self._weights["embeddings.LayerNorm.weight"].shape[0]
        if width % self._heads:
            raise ValueError(f"a width of {width} is not a multiple of {self._heads} heads")
        layers = 1 + max(int(name.split(".")[2]) for name in self._weights if name.startswith("encoder.layer."))
        found = self._embedded()
        for i in range(layers):
            found = self._layer(f"encoder.layer.{i}.", found, TOKENS if i == layers - 1 else f"layer.{i}")
        inputs = [
            helper.make_tensor_value_info(IDS, TensorProto.INT32, ["texts", "length"]),
            helper.make_tensor_value_info(LENGTHS, TensorProto.INT32, ["texts"]),
        ]
        output = helper.make_tensor_value_info(TOKENS, TensorProto.FLOAT, ["texts", "length", width])
        graph = helper.make_graph(self._nodes, "bert", inputs, [output], self._tensors)
        versions = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, FUSED_VERSION)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=IR_VERSION, producer_name="footnote")
        serialized: bytes = model.SerializeToString()
        return serialized

    def _embedded(self) -> str:
        """Adds the embeddings; texts have one type, whose embedding is the same at all positions."""
        words, positions, types, weight, bias = (self._weights[f"embeddings.{name}"] for name in EMBEDDED)
        tensors = [
            self._tensor("words", words),
            self._tensor("positions", positions + types[0]),
            "",
            self._tensor("embeddings.weight", weight),
            self._tensor("embeddings.bias", bias),
        ]
        return self._fused("EmbedLayerNormalization", [IDS, "", *tensors], ["embedded", "unused"], normalises=True)

    def _layer(self, prefix: str, states: str, output: str) -> str:
        attention = prefix + "attention."
        parts = [attention + f"self.{name}." for name in ("query", "key", "value")]
        weight = np.concatenate([self._weights[part + "weight"].T for part in parts], axis=1)
        bias = np.concatenate([self._weights[part + "bias"] for part in parts])
        tensors = [self._tensor(attention + "weight", weight), self._tensor(attention + "bias", bias)]
        attended = self._fused("Attention", [states, *tensors, LENGTHS], [attention + "out"], num_heads=self._heads)
        mixed = self._dense(attention + "output.dense.", attended)
        states = self._normalised(attention + "output.", mixed, states, attention + "normalised")
        wide = self._dense(prefix + "intermediate.dense.", states)
        wide_bias = self._named(prefix + "intermediate.dense.bias")
        active = self._fused("BiasGelu", [wide, wide_bias], [prefix + "active"])
        return self._normalised(prefix + "output.", self._dense(prefix + "output.dense.", active), states, output)

    def _dense(self, prefix: str, states: str) -> str:
        """Adds a product with a matrix; its bias is added by what follows."""
        from onnx import helper  # noqa: PLC0415 - only when a graph is made

        matrix = self._tensor(prefix + "weight", self._weights[prefix + "weight"].T)
        self._nodes.append(helper.make_node("MatMul", [states, matrix], [prefix + "out"]))
        return prefix + "out"

    def _normalised(self, prefix: str, states: str, before: str, output: str) -> str:
        names = ("LayerNorm.weight", "LayerNorm.bias", "dense.bias")
        tensors = [self._named(prefix + name) for name in names]
        return self._fused("SkipLayerNormalization", [states, before, *tensors], [output], normalises=True)

    def _fused(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], *, normalises: bool = False, **settings: Any
    ) -> str:
        from onnx import helper  # noqa: PLC0415 - only when a graph is made

        more: dict[str, Any] = {"epsilon": self._epsilon} if normalises else {}
        self._nodes.append(helper.make_node(kind, inputs, outputs, domain=FUSED, **more, **settings))
        return outputs[0]

    def _named(self, name: str) -> str:
        return self._tensor(name, self._weights[name])

    def _tensor(self, name: str, values: NDArray[np.float32]) -> str:
        from onnx import numpy_helper  # noqa: PLC0415 - only when a graph is made

        self._tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name
