"""Checks that ONNX Runtime makes of texts what torch makes of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.embedding.runtimes.runtime import ModelFacts, ReadText, Runtime
from ingest.embedding.token_vectors import unit

if TYPE_CHECKING:
    from ingest.embedding.runtimes.onnx_runtime import OnnxRuntime

# Least cosine similarities of vectors and token vectors to exact ones, of graphs with weights of 32 bits and of eight.
# With eight, all-MiniLM-L6-v2 makes vectors of at least 0.980, and token vectors of at least 0.968, of texts alone. In
# company it is less, because a pass has one scale for its activations; on processors without instructions for it, too.
LEAST_SIMILARITY, LEAST_INT8 = 0.9999, 0.9
TEXTS = (
    "",
    "a",
    "The notice period is four weeks to the end of a month.",
    "WHO MAY TERMINATE, and when?\n\n\tSee clause 4.2 (b); e-mail: office@example.org",
    "Die Kündigungsfrist beträgt vier Wochen, außer für Aushilfen.",
    "Le préavis est de quatre semaines à compter de la fin du mois ; œuvre, façade.",
    "El período de preaviso es de cuatro semanas, según el artículo 12.º.",
    "Срок уведомления четыре недели.",
    "通知期限为四周。お知らせは四週間前",
    "فترة الإشعار أربعة أسابيع",
    "def f(x: int) -> int:\n    return x**2  # 1,234.56 € 😀 [MASK] [SEP]",
    "Sales rose by 12% in Q3 2023, from $89.5 million to $100.2 million. " * 4,
    "Every paragraph of this text is long enough to exceed what a model reads at once. " * 400,
)
# Token vectors of each text that a file of recorded vectors holds.
RECORDED_TOKENS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What a model makes of `TEXTS`, as documents.

    Attributes:
        facts: the description of the model.
        weights: SHA-256 (hex) over names and bytes of all tensors.
        ids: the tokens of each text.
        vectors: float32 [texts, dimensions].
        places: the positions of the tokens whose vectors follow.
        tokens: float32 [places, width] for each text.
    """

    facts: ModelFacts
    weights: str
    ids: list[NDArray[np.int64]]
    vectors: NDArray[np.float32]
    places: list[NDArray[np.int64]]
    tokens: list[NDArray[np.float32]]


def expected_of(runtime: Runtime) -> Expected:
    """Returns what a runtime makes of `TEXTS`, with the vectors of all tokens."""
    made = _read(runtime, TEXTS)
    return Expected(
        runtime.facts,
        runtime.weights,
        [one.ids for one in made],
        np.stack([one.vector for one in made]),
        [np.arange(len(one.ids)) for one in made],
        [one.tokens for one in made],
    )


def save_expected(file: Path, expected: Expected) -> None:
    """Writes a file of recorded vectors, in half precision and with a few tokens of each text."""
    few = [np.unique(np.linspace(0, len(ids) - 1, RECORDED_TOKENS).astype(np.int64)) for ids in expected.ids]
    tokens = [rows[places] for rows, places in zip(expected.tokens, few, strict=True)]
    np.savez_compressed(
        file,
        facts=np.array(json.dumps(asdict(expected.facts) | {"weights": expected.weights})),
        sizes=np.array([len(ids) for ids in expected.ids]),
        ids=np.concatenate(expected.ids).astype(np.int32),
        vectors=expected.vectors.astype(np.float16),
        places=np.stack([np.resize(places, RECORDED_TOKENS) for places in few]),
        tokens=np.stack([np.resize(rows, (RECORDED_TOKENS, rows.shape[1])) for rows in tokens]).astype(np.float16),
    )


def load_expected(file: Path) -> Expected:
    """Reads a file of recorded vectors."""
    with np.load(file, allow_pickle=False) as found:
        facts = json.loads(str(found["facts"]))
        weights = facts.pop("weights")
        ends = np.cumsum(found["sizes"])
        return Expected(
            ModelFacts(**facts),
            weights,
            np.split(found["ids"].astype(np.int64), ends[:-1]),
            found["vectors"].astype(np.float32),
            list(found["places"]),
            list(found["tokens"].astype(np.float32)),
        )


def difference(runtime: OnnxRuntime, expected: Expected, least: float = LEAST_SIMILARITY) -> str:
    """Compares a runtime with expected vectors: each text alone, all in passes, and all in one padded pass.

    Args:
        runtime: the runtime to check.
        expected: what it should make of `TEXTS`.
        least: the least cosine similarity.

    Returns:
        What differs, as the end of a sentence; "" if nothing does.
    """
    if runtime.facts != expected.facts:
        return f"limit or prompts differ: {runtime.facts}, expected {expected.facts}"
    if runtime.weights != expected.weights:
        return "the names or bytes of the weights differ"
    together = _read(runtime, TEXTS)
    for i, (one, ids) in enumerate(zip(together, expected.ids, strict=True)):
        if not np.array_equal(one.ids, ids):
            return f"the tokens of text {i} differ"
    padded = runtime.session.one_pass([one.ids.tolist() for one in together])
    for i, one in enumerate(together):
        (alone,) = _read(runtime, TEXTS[i : i + 1])
        if not _near(np.stack([one.vector, alone.vector]), expected.vectors[i], least):
            return f"the vector of text {i} differs"
        for rows in (one.tokens, alone.tokens, padded[i]):
            if not _near(rows[expected.places[i]], expected.tokens[i], least):
                return f"the token vectors of text {i} differ"
    return ""


def _read(runtime: Runtime, texts: tuple[str, ...]) -> list[ReadText]:
    return [one for _, one in sorted(runtime.read(texts, query=False), key=lambda found: found[0])]


def _near(rows: NDArray[np.float32], expected: NDArray[np.float32], least: float) -> bool:
    """Returns True if rows have the direction of the expected ones; not-a-number is near nothing."""
    return bool(((unit(rows) * unit(expected)).sum(axis=-1) >= least).all())
