"""Cross-encoders that the user names, loaded from safetensors and never with code of their own."""

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
    """A model could not be loaded; the text says why, in the library's words, on one line."""


class NamedCrossEncoder(ABC):
    """A cross-encoder that is loaded at first use, and runs for one thread at a time.

    One that cannot be loaded is not tried again: looking for it can take long, and each question would wait for that.
    Whoever uses it gets the same error at once, until the process is started anew with a setting that was mended.

    Args:
        model: a name, or a folder.
        device: "cpu", "cuda", "mps", or "" for the fastest there is.
    """

    def __init__(self, model: str, device: str = "") -> None:
        self.model = model
        self._device = device
        self._lock = threading.Lock()
        self._loaded: CrossEncoder | None = None
        self._unusable: FootnoteError | None = None

    def load(self) -> None:
        """Loads it, if that was not done yet, so that whoever names it wrongly hears of it before any other work.

        Raises:
            FootnoteError: it cannot be used; of the class and in the words of `_load`.
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
        """The model; where it cannot be used, an error that names its setting."""


def load_cross_encoder(name: str, device: str) -> CrossEncoder:
    """The model of a name or folder; what is on this machine already is taken without asking the network.

    Args:
        name: as the user wrote it.
        device: "cpu", "cuda", "mps", or "" for the fastest there is.

    Raises:
        NotLoadable: it cannot be loaded.
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
    except Exception as error:  # the libraries raise whatever their parts raise
        raise NotLoadable((str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")) from error
    return model
