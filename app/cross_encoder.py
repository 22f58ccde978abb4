"""Loads cross-encoders chosen by the user, from safetensors only and without running model code."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import FootnoteError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


class NotLoadable(Exception):
    """A model could not be loaded; the message is the library's reason, on one line."""


class NamedCrossEncoder(ABC):
    """A cross-encoder that is loaded on first use and runs in one thread at a time.

    A failed load is not retried: looking for a model can take long, and every question would wait for it. Later calls
    raise the same error at once until the process restarts with corrected settings.

    Args:
        model: a model name or a folder.
        device: "cpu", "cuda", "mps", or "" for the fastest available.
    """

    def __init__(self, model: str, device: str = "") -> None:
        self.model = model
        self._device = device
        self._lock = threading.Lock()
        self._loaded: CrossEncoder | None = None
        self._unusable: FootnoteError | None = None

    def load(self) -> None:
        """Loads the model if necessary, so that a wrong name is reported before any other work.

        Raises:
            FootnoteError: the model cannot be used; the subclass and message come from `_load`.
        """
        with self._in_use():
            pass

    @contextmanager
    def _in_use(self) -> Iterator[CrossEncoder]:
        with self._lock:
            yield self._once_loaded()

    def _once_loaded(self) -> CrossEncoder:
        if self._unusable is not None:
            raise type(self._unusable)(str(self._unusable))
        if self._loaded is None:
            try:
                self._loaded = self._load()
            except FootnoteError as error:
                self._unusable = error
                raise
        return self._loaded

    @abstractmethod
    def _load(self) -> CrossEncoder:
        """Returns the model, or raises an error that names its setting."""


def load_cross_encoder(name: str, device: str) -> CrossEncoder:
    """Loads a model by name or folder; files already on this machine are used without network access.

    Args:
        name: the name as the user wrote it.
        device: "cpu", "cuda", "mps", or "" for the fastest available.

    Raises:
        NotLoadable: the model cannot be loaded.
    """
    from sentence_transformers import CrossEncoder  # noqa: PLC0415 - takes seconds; only when needed

    folder = Path(name).expanduser()
    source, on = (str(folder) if folder.is_dir() else name), device or None
    safe = {"use_safetensors": True}
    try:
        try:
            model: CrossEncoder = CrossEncoder(source, device=on, model_kwargs=safe, local_files_only=True)
        except OSError:
            if folder.is_dir():
                raise
            model = CrossEncoder(source, device=on, model_kwargs=safe)
    except Exception as error:  # the libraries pass on any error of their dependencies
        raise NotLoadable((str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")) from error
    return model
