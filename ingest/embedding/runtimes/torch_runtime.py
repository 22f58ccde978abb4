"""Runs any sentence-transformers model with torch, on any device."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest.embedding.runtimes.runtime import ModelFacts, ReadText
from ingest.embedding.runtimes.transient import TransientEncoder
from ingest.embedding.token_vectors import TokenVectors, array
from ingest.errors import EmbedderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

# Sentences per forward pass; 16, 32 and 64 embedded equally fast on two cores.
BATCH_SIZE = 16


class TorchRuntime:
    """A sentence-transformers model. Thread-safe.

    Args:
        model: the model.
        label: its name or folder, for messages.
    """

    name = "torch"

    def __init__(self, model: SentenceTransformer, label: str) -> None:
        self._model, self._label = model, label
        # Two threads in one model are no faster on a CPU, and the model's own tokenizer is not thread-safe.
        self._lock = threading.Lock()

    @cached_property
    def facts(self) -> ModelFacts:
        """Returns the description of the model."""
        model = self._model
        dimensions, limit = model.get_embedding_dimension(), model.max_seq_length
        return ModelFacts(
            int(dimensions) if dimensions else None,
            None if limit is None or math.isinf(limit) else int(limit),
            {name: prompt or "" for name, prompt in model.prompts.items()},
            model.default_prompt_name,
        )

    @cached_property
    def weights(self) -> str:
        """Returns the SHA-256 (hex) over names and bytes of all tensors."""
        import torch  # noqa: PLC0415 - loaded with the model only

        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(dtype=torch.uint8).numpy())
        return digest.hexdigest()

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Returns a private tokenizer: the model's own is set to truncate.

        Raises:
            EmbedderError: it does not report the positions of tokens.
        """
        from tokenizers import Tokenizer  # noqa: PLC0415 - compiled library, loaded with the model only

        found: Any = self._model.tokenizer
        backend = getattr(found, "backend_tokenizer", found)
        if not isinstance(backend, Tokenizer):
            raise EmbedderError(
                f"The embedding model {self._label} has no tokenizer that reports the positions of tokens "
                f"({type(found).__name__}). Choose a model with a fast tokenizer in FOOTNOTE_EMBEDDING_MODEL."
            )
        own: Tokenizer = Tokenizer.from_str(backend.to_str())
        own.no_truncation()
        own.no_padding()
        return own

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeds documents: float32 [n, dimensions], rows of unit length, in the order of `texts`."""
        with self._lock:
            vectors = self._model.encode_document(
                list(texts),
                batch_size=BATCH_SIZE,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)

    def sentences(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeds at least one text as `documents` does, in half precision where that is faster."""
        return self._transient.sentences(texts)

    def tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embeds the tokens of each text without a prompt, in half precision where that is faster."""
        return self._transient.tokens(texts)

    def read(self, texts: Sequence[str], *, query: bool) -> Iterator[tuple[int, ReadText]]:
        """Yields the position of each text and what the model made of it, longest first."""
        encode: Any = self._model.encode_query if query else self._model.encode_document
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        for at in range(0, len(texts), BATCH_SIZE):
            some = order[at : at + BATCH_SIZE]
            with self._lock:
                made = encode(
                    [texts[i] for i in some], batch_size=BATCH_SIZE, output_value=None, show_progress_bar=False
                )
            yield from ((i, _read_text(one)) for i, one in zip(some, made, strict=True))

    @cached_property
    def _transient(self) -> TransientEncoder:
        return TransientEncoder(self._model, self.tokenizer, self._lock)


def _read_text(made: Mapping[str, Any]) -> ReadText:
    """Converts a result of sentence-transformers; leaves out the padding."""
    vector = array(made["sentence_embedding"])
    if not {"token_embeddings", "input_ids", "attention_mask"} <= made.keys():
        return ReadText(vector, np.zeros((0, len(vector)), dtype=np.float32), np.zeros(0, dtype=np.int64), 0)
    read = array(made["attention_mask"]) > 0
    ids = array(made["input_ids"]).astype(np.int64)
    return ReadText(vector, array(made["token_embeddings"])[read], ids[read], int(made.get("prompt_length", 0)))


def load_torch(source: str, name: str, device: str | None, *, fetch: bool = True) -> TorchRuntime:
    """Loads a model with sentence-transformers.

    Args:
        source: where to load it from: a name or a folder.
        name: how the user calls it.
        device: None for the fastest available.
        fetch: downloads a model that is not on this machine.

    Raises:
        EmbedderError: it cannot be loaded.
    """
    _quiet_libraries()
    try:
        return TorchRuntime(_construct(source, device, fetch=fetch), name)
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
