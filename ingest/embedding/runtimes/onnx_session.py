"""Runs a graph in ONNX Runtime, several passes at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ingest.embedding.runtimes.bert_graph import IDS, LENGTHS

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Tokens in a pass, padding included, and the fraction of them that may be padding. On one core of an AMD EPYC,
# all-MiniLM-L6-v2 read 300 chunks of 200 tokens at 7,300 tokens/s in passes of 256 or 512 tokens, at 6,800 in passes of
# 1,024, at 6,600 in passes of 4,096: what a layer makes must fit into the processor's cache. 16 sentences took 88 to
# 89 ms with at most 10% padding, 92 to 99 with 2%, 95 to 97 with 30%. All are processor seconds on a busy machine.
PASS_TOKENS, MOST_PADDING = 512, 0.1
# Passes per thread that are begun before their results are asked for.
AHEAD = 2
THREADS = "OMP_NUM_THREADS"
ERRORS_ONLY = 3

Rows: TypeAlias = NDArray[np.float32]


class GraphError(Exception):
    """ONNX Runtime cannot load a graph."""


class Session:
    """A loaded graph. Thread-safe.

    A pass runs in one thread, and as many run side by side as there are cores. Threads that share a pass wait for each
    other: on two cores that other programs used too, two threads in a pass read 3,800 to 4,700 tokens/s (6,200 to
    6,500 if they do not spin), two passes side by side 6,500 to 7,000.

    Args:
        graph: the file of the graph, or its content.
        pool: runs the passes of many texts; None for a pool of its own, of `threads()` threads.

    Raises:
        GraphError: the graph cannot be loaded.
    """

    def __init__(self, graph: Path | bytes, pool: Executor | None = None) -> None:
        self._loaded = _load(graph)
        self._threads = threads()
        self._pool = pool or ThreadPoolExecutor(self._threads, thread_name_prefix="embedding")

    def run(self, ids: Sequence[Sequence[int]]) -> Iterator[tuple[int, Rows]]:
        """Yields the position of each text and the vectors of its tokens, float32 [tokens, width], longest first.

        Args:
            ids: the tokens of each text.
        """
        groups = list(passes([len(one) for one in ids]))
        if len(groups) == 1 or self._threads == 1:  # a question does not wait for documents
            for some in groups:
                yield from zip(some, self.one_pass([ids[i] for i in some]), strict=True)
            return
        begun: deque[tuple[list[int], Future[list[Rows]]]] = deque()
        for some in groups:
            begun.append((some, self._pool.submit(self.one_pass, [ids[i] for i in some])))
            if len(begun) > AHEAD * self._threads:
                yield from _finished(*begun.popleft())
        while begun:
            yield from _finished(*begun.popleft())

    def one_pass(self, ids: Sequence[Sequence[int]]) -> list[Rows]:
        """Runs the model once.

        Args:
            ids: the tokens of each text.

        Returns:
            The vectors of each text's tokens, float32 [tokens, width].
        """
        lengths = np.array([len(one) for one in ids], dtype=np.int32)
        padded = np.zeros((len(ids), lengths.max()), dtype=np.int32)
        for row, one in zip(padded, ids, strict=True):
            row[: len(one)] = one
        (made,) = self._loaded.run(None, {IDS: padded, LENGTHS: lengths})
        return [rows[:length] for rows, length in zip(made, lengths, strict=True)]


def _finished(some: list[int], future: Future[list[Rows]]) -> Iterator[tuple[int, Rows]]:
    yield from zip(some, future.result(), strict=True)


def passes(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yields the positions of texts to run together, longest first.

    Padding is computed like text. See PASS_TOKENS for why a pass is small.

    Args:
        lengths: the lengths of the texts, in tokens.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    some: list[int] = []
    used = 0
    for i in order:
        longest = lengths[some[0]] if some else 0
        size = (len(some) + 1) * longest
        if some and (size > PASS_TOKENS or size - used - lengths[i] > MOST_PADDING * size):
            yield some
            some, used = [], 0
        some.append(i)
        used += lengths[i]
    if some:
        yield some


def threads() -> int:
    """Returns the number of threads that compute: OMP_NUM_THREADS, as torch reads it, or the cores of this process."""
    named = os.environ.get(THREADS, "").partition(",")[0].strip()
    if named.isdigit() and int(named):
        return int(named)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return cores or 1


def _load(graph: Path | bytes) -> InferenceSession:
    import onnxruntime  # noqa: PLC0415 - compiled library, loaded with the model only

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(
            graph if isinstance(graph, bytes) else str(graph), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the library raises errors of many types
        raise GraphError(str(error)) from error
