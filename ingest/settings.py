"""Settings: FOOTNOTE_* environment variables, then a settings file, then the defaults defined here.

The settings file is `.env` in the data folder, or the one that FOOTNOTE_ENV_FILE names. A `.env` in the working
folder is never read: its author could redirect keys and passages to another server. Every field is the variable
FOOTNOTE_<FIELD> in upper case; OPENAI_API_KEY keeps its usual name.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.errors import SettingsError, SourceError
from ingest.urls import is_web_address, masked_value

PREFIX = "FOOTNOTE_"
# Names the settings file, so it is read before any settings.
ENV_FILE = PREFIX + "ENV_FILE"
# Read by the test suite and the Makefile, not settings of the product.
NOT_SETTINGS = frozenset({"FOOTNOTE_SHARED", "FOOTNOTE_CHROMIUM"})
DEFAULT_EMBEDDING_MODEL = "all-MiniLM-L6-v2"
# Ends the name of an embedding model whose weights are to have eight bits: "all-MiniLM-L6-v2:int8". A part of the name,
# because a collection keeps its model by name, and vectors of both kinds are not to be mixed.
INT8 = ":int8"
COLLECTION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$"


def _checkout() -> Path | None:
    """The source checkout this code runs from, or None when it is installed as a package."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() else None


def _default_data_dir() -> Path:
    checkout = _checkout()
    if checkout:
        return checkout / "data"
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "footnote"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


Folder = Annotated[Path, AfterValidator(_absolute)]


def _web_address(value: str) -> str:
    if value and not is_web_address(value):
        raise PydanticCustomError(
            "web_address", "Write http:// or https://, the host and the port, such as http://127.0.0.1:11434/v1"
        )
    return value


# An http or https address; "" for none.
WebAddress = Annotated[str, AfterValidator(_web_address)]


def base_model(name: str) -> str:
    """Returns the name or folder of an embedding model without INT8."""
    return name.removesuffix(INT8)


class Settings(BaseSettings):
    """All settings, validated. Build it with `load_settings`, which turns bad values into a SettingsError."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    data_dir: Folder = Field(default_factory=_default_data_dir)
    """Folder of the index, conversations and uploads."""
    collection: str = Field(default="default", pattern=COLLECTION_PATTERN)
    """The collection used by default."""

    host: str = Field(default="127.0.0.1", pattern=r"^(127\.0\.0\.1|localhost|::1)$")
    """Address of the chat. Only loopback is accepted, because the chat has no sign-in."""
    port: int = Field(default=8501, ge=1, le=65535)
    """Port of the chat."""

    allowed_hosts: str = Field(default="", pattern=r"^[A-Za-z0-9.,: _\[\]-]*$")
    """Additional host names that the chat answers to, comma-separated, for use behind a reverse proxy."""

    embedding_model: str = Field(default="", max_length=4096)
    """Embedding model: a sentence-transformers name or folder. A collection keeps the model it was made with; empty:
    that model, and all-MiniLM-L6-v2 for a new collection. With ":int8" at its end, a BERT model has weights of eight
    bits: many processors embed twice as fast with it, and a little less exactly."""
    embedding_device: str = Field(default="", pattern=r"^(|cpu|mps|cuda(:\d+)?)$")
    """Device of the embedding model: cpu, cuda or mps; empty: the fastest available."""
    embedding_runtime: str = Field(default="auto", pattern=r"^(auto|torch|onnx)$")
    """Runtime of the embedding model. auto: ONNX Runtime for BERT models on a CPU, where it embeds documents in half
    the time, and torch for all others; torch or onnx: always that."""
    entailment_model: str = Field(default="", max_length=4096)
    """A sentence-transformers CrossEncoder for natural language inference, by name or folder, that also checks each
    sentence of a written answer against its source; empty: none."""
    chunk_tokens: int = Field(default=256, ge=32, le=8192)
    """Largest chunk in tokens, title and headings included; the embedder's own limit still applies."""

    chroma_url: str = Field(default="", pattern=r"^(|https?://[^\s/]+(:\d+)?/?)$")
    """Address of your own Chroma server; empty: Footnote starts and stops one."""

    llm: str = ""
    """Language model: openai:MODEL or any provider:model that LangChain knows; empty: answers quote the documents."""
    llm_base_url: WebAddress = ""
    """An OpenAI-compatible server, with or without its /v1, e.g. http://127.0.0.1:11434/v1 for Ollama."""
    llm_timeout: float = Field(default=60.0, gt=0, le=3600)
    """Seconds to wait for the model's next word. Its reasoning may take 5 times as long, a whole answer 10 times."""
    llm_context_tokens: int | None = Field(default=None, ge=1024, le=2_000_000)
    """Context window of the model in tokens, for prompt, passages and answer. Not set: what the server reports (vLLM
    and SGLang do; LangChain knows OpenAI's models), else 8,192."""
    llm_retry_seconds: float = Field(default=60.0, ge=0, le=3600)
    """Total seconds that an answer may wait for a model with too many requests; 0: it is quoted at once instead."""
    llm_input_price: float | None = Field(default=None, ge=0)
    """US dollars per million tokens that the model reads; with both prices set, each answer shows its cost."""
    llm_output_price: float | None = Field(default=None, ge=0)
    """US dollars per million tokens that the model writes."""
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    """Key of the OpenAI API, or of a compatible server that requires one."""

    reranker: str = Field(default="", max_length=4096)
    """A sentence-transformers CrossEncoder, by name or folder, that orders the best candidates of a search; with
    FOOTNOTE_RERANKER_URL, the model's name on that server; empty: none."""
    reranker_url: WebAddress = ""
    """A reranking server whose /rerank has the form of Cohere's (vLLM, llama.cpp, Jina, Cohere, Infinity) or of
    text-embeddings-inference's, e.g. http://127.0.0.1:8080/v1."""
    reranker_key: SecretStr = SecretStr("")
    """Key of the reranking server, if it requires one."""
    reranker_timeout: float = Field(default=10.0, gt=0, le=600)
    """Seconds to wait for the reranking server for each question; after that the search's own order is used."""
    reranker_candidates: int = Field(default=50, ge=2, le=1000)
    """Number of candidates that are reranked."""

    passages: int | None = Field(default=None, ge=1, le=50)
    """Number of passages that an answer is based on. Not set: as many as fit into FOOTNOTE_CONTEXT_TOKENS."""
    context_tokens: int | None = Field(default=None, ge=500, le=1_000_000)
    """Tokens of passages that an answer is based on. Not set: half of the language model's context window, at least
    3,000 and at most 8,000; 8,000 without a language model."""
    ocr: bool = True
    """Recognise text in pictures and scanned pages; each page takes seconds."""
    allow_private_addresses: bool = False
    """Fetch web pages from loopback and private addresses too."""
    allow_unconfined: bool = False
    """On Linux, read files even where the kernel does not filter the system calls of reading processes."""
    workers: int = Field(default=0, ge=0, le=64)
    """Number of processes that read files; 0: one per core, at most 4."""
    load_timeout: float = Field(default=120.0, gt=0, le=86_400)
    """Seconds that reading a file may take, plus one for every MiB. Each recognised page may take as long again, up to
    10 to 100 times as long in all, depending on the file's size."""
    load_memory_mb: int = Field(default=2048, ge=256)
    """Memory limit of a reading process, in MiB; OCR needs about 1,300."""
    max_file_mb: int = Field(default=200, ge=1)
    """Largest file that is read, in MiB. Files that give more than twice as much text are refused too."""

    @property
    def allowed_host_names(self) -> tuple[str, ...]:
        """Returns the host names listed in `allowed_hosts`."""
        return tuple(name.strip() for name in self.allowed_hosts.split(",") if name.strip())

    @cached_property
    def prompts_dir(self) -> Path:
        """Returns the folder of prompt texts."""
        return Path(__file__).resolve().parents[1] / "prompts"

    @cached_property
    def sample_dir(self) -> Path:
        """Returns the folder of sample documents: data/sample in a checkout, its copy in an installed package."""
        return (Path(__file__).parent / "sample").resolve()


def load_settings() -> Settings:
    """Reads the settings from the environment and the settings file.

    Raises:
        SettingsError: a value is invalid (the message names the variable, the value and what is accepted), or the
            file cannot be read or trusted.
    """
    file = _env_file()
    try:
        return Settings(_env_file=file)  # type: ignore[call-arg]  # pydantic-settings accepts it beside the fields
    except ValidationError as error:
        problems = [_explain(item) for item in error.errors()]
        raise SettingsError("\n".join(problems)) from error
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"The settings in {file} cannot be read: {error}. Save it as UTF-8 text.") from error


def _env_file() -> Path | None:
    """Returns the path of the settings file; None if there is none.

    Raises:
        SettingsError: the named file does not exist, or other users may write to it.
    """
    named = os.environ.get(ENV_FILE)
    folder = os.environ.get(PREFIX + "DATA_DIR")
    file = _absolute(Path(named)) if named else (_absolute(Path(folder)) if folder else _default_data_dir()) / ".env"
    try:
        found = file.stat()
    except OSError as error:
        if not named:
            return None
        raise SettingsError(
            f"{ENV_FILE}={named} cannot be read: {error.strerror}. Name a settings file, or unset it to use .env in "
            "the data folder."
        ) from error
    if found.st_uid not in {os.geteuid(), 0} or found.st_mode & stat.S_IWOTH:
        raise SettingsError(
            f"{file} is not read: another user owns it or may write to it, and could redirect your keys and documents. "
            f"Take ownership of it (chown, chmod 600), or name another file with {ENV_FILE}."
        )
    return file


def changed(settings: Settings, changes: Mapping[str, str]) -> Settings:
    """Returns a copy of the settings with some values replaced.

    Args:
        settings: the settings to copy.
        changes: new values by field name, written as in FOOTNOTE_ variables.

    Raises:
        SettingsError: a name is not a setting, or its value is invalid.
    """
    for name in changes:
        if name not in Settings.model_fields:
            near = difflib.get_close_matches(name, Settings.model_fields, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name} is not a setting of Footnote.{hint}")
    try:
        return Settings.model_validate(settings.model_dump() | dict(changes))
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(item) for item in error.errors())) from error


def ignored_settings() -> list[str]:
    """Returns a sentence for each FOOTNOTE_ variable that is not a setting, naming the nearest one.

    Adds a sentence about a `.env` in the checkout, which earlier versions read.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {ENV_FILE}
    sentences = []
    checkout = _checkout()
    if checkout and (checkout / ".env").exists() and not os.environ.get(ENV_FILE):
        sentences.append(
            f"{checkout / '.env'} is no longer read. Move it into the data folder ({_default_data_dir()} unless "
            f"FOOTNOTE_DATA_DIR names another), or name it with {ENV_FILE}."
        )
    for name in sorted(os.environ):
        if not name.startswith(PREFIX) or name in known or name in NOT_SETTINGS:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        sentences.append(f"{name} is not a setting of Footnote and is ignored.{hint}")
    return sentences


def checked_collection(name: str) -> str:
    """Returns the name of a collection.

    Raises:
        SourceError: it cannot be the name of one.
    """
    if not re.match(COLLECTION_PATTERN, name):
        raise SourceError(
            f"{name!r} cannot be the name of a collection: use 1 to 63 letters, digits, spaces, dots, dashes "
            "and underscores, the first a letter or digit."
        )
    return name


def _explain(item: ErrorDetails) -> str:
    name = str(item["loc"][0])
    field = Settings.model_fields.get(name)
    variable = name if field is None else PREFIX + name.upper()
    what_it_is = f" It is: {field.description}" if field and field.description else ""
    value = item["input"]
    shown = masked_value(value) if isinstance(value, str) and (name.endswith("_url") or "://" in value) else value
    return f"{variable}={shown!r} cannot be used: {item['msg']}.{what_it_is}"
