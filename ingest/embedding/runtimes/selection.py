"""Chooses the runtime of a model: ONNX Runtime where it can run the model as torch does, else torch."""

from __future__ import annotations

import logging
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from ingest.embedding.model_files import resolve
from ingest.embedding.runtimes.bert_graph import BERT_EXPORTER, Exporter
from ingest.embedding.runtimes.checked_graph import CheckFailed, load_checked
from ingest.embedding.runtimes.encoder import Encoder, Unsuitable, read_encoder
from ingest.embedding.runtimes.graph_check import expected_of
from ingest.embedding.runtimes.runtime import Runtime
from ingest.embedding.runtimes.torch_runtime import TorchRuntime, load_torch
from ingest.errors import EmbedderError
from ingest.settings import INT8, base_model

logger = logging.getLogger(__name__)

AUTO, TORCH, ONNX = "auto", "torch", "onnx"
# Devices that torch would use, by the files through which it reaches them: Nvidia's, AMD's, and both in WSL.
ACCELERATORS = ("nvidia*", "kfd", "dxg")
DEVICES = Path("/dev")
HUB_FOLDER, HUB_OWNER = "SENTENCE_TRANSFORMERS_HOME", "sentence-transformers/"
_told: set[str] = set()


def open_runtime(
    name: str,
    device: str = "",
    *,
    fetch: bool = True,
    wanted: str = AUTO,
    devices: Path = DEVICES,
    exporter: Exporter = BERT_EXPORTER,
    in_torch: Callable[..., TorchRuntime] = load_torch,
) -> Runtime:
    """Loads a model in the runtime that suits it.

    Args:
        name: a sentence-transformers name or a folder; with ":int8" at its end, with weights of eight bits.
        device: "cpu", "cuda", "mps", or "" for the fastest available.
        fetch: downloads a model that is not on this machine.
        wanted: "auto", "torch" or "onnx".
        devices: the folder of this machine's devices.
        exporter: makes the graph that ONNX Runtime runs.
        in_torch: loads a model in torch; takes the arguments of `load_torch`.

    Raises:
        EmbedderError: the model cannot be loaded, its weights are not the official ones, or it cannot be run by the
            wanted runtime.
    """
    base = base_model(name)
    source, int8 = resolve(base), name != base
    if int8:
        _require_onnx(wanted, name)
        if fetch and _folder_of(source) is None:
            in_torch(source, base, "cpu", fetch=True)
        wanted = ONNX
    if wanted != TORCH:
        try:
            _require_device(device, devices, even_with_accelerator=wanted == ONNX)
            encoder = _on_this_machine(source)
            return load_checked(
                encoder, lambda: expected_of(in_torch(source, base, "cpu", fetch=False)), exporter, int8=int8
            )
        except Unsuitable as reason:
            if wanted == ONNX:
                raise EmbedderError(
                    f"ONNX Runtime cannot run the embedding model {name}, because {reason}. {_instead(name)}"
                ) from reason
            _tell(logging.INFO, "The embedding model %s is run by torch, because %s.", name, str(reason))
        except CheckFailed as failure:
            if wanted == ONNX:
                raise EmbedderError(
                    f"ONNX Runtime does not make of the embedding model {name} what torch makes of it: {failure}. "
                    f"{_instead(name)}"
                ) from failure
            said = "ONNX Runtime does not make of the embedding model %s what torch makes of it: %s. Torch runs it."
            _tell(logging.WARNING, said, name, str(failure))
    return in_torch(source, name, device or None, fetch=fetch)


def _require_device(device: str, devices: Path, *, even_with_accelerator: bool) -> None:
    """Raises Unsuitable if the model is meant for another device than the processor."""
    if device not in {"", "cpu"}:
        raise Unsuitable(f"FOOTNOTE_EMBEDDING_DEVICE is {device}")
    if not device and not even_with_accelerator and has_accelerator(devices):
        raise Unsuitable("this machine has an accelerator")


def _require_onnx(wanted: str, name: str) -> None:
    if wanted == TORCH:
        raise EmbedderError(
            f"Only ONNX Runtime runs the embedding model {name}, with weights of eight bits. Set "
            "FOOTNOTE_EMBEDDING_RUNTIME to auto or onnx."
        )


def _instead(name: str) -> str:
    """Says what to do if ONNX Runtime has to run a model and cannot."""
    base = base_model(name)
    return f"Name it without {INT8}: {base}" if name != base else "Set FOOTNOTE_EMBEDDING_RUNTIME to auto or torch."


def _folder_of(source: str) -> Path | None:
    return Path(source) if Path(source).is_dir() else _in_hub_cache(source)


def _on_this_machine(source: str) -> Encoder:
    folder = _folder_of(source)
    if folder is None:
        raise Unsuitable("it is not on this machine")
    return read_encoder(folder)


def has_accelerator(devices: Path = DEVICES) -> bool:
    """Returns True if torch may find a device that is faster than the processor; does not import torch.

    Args:
        devices: the folder of this machine's devices.
    """
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return any(True for pattern in ACCELERATORS for _ in devices.glob(pattern))


def _in_hub_cache(name: str) -> Path | None:
    """Returns the folder of a model that was downloaded by name."""
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 - takes a tenth of a second
    from huggingface_hub.errors import HFValidationError  # noqa: PLC0415 - as above

    repository = name if "/" in name else HUB_OWNER + name
    try:
        found = try_to_load_from_cache(repository, "modules.json", cache_dir=os.environ.get(HUB_FOLDER))
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def _tell(level: int, message: str, *facts: str) -> None:
    """Logs once in this process."""
    if (said := message % facts) not in _told:
        _told.add(said)
        logger.log(level, said)
