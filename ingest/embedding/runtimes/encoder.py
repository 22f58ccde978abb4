"""Reads the files of a sentence-transformers model that is a BERT encoder with pooling."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ingest.embedding.model_files import file_digest
from ingest.embedding.runtimes.runtime import ModelFacts

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
CONFIG, MODULES, PROMPTS = "config.json", "modules.json", "config_sentence_transformers.json"
TRANSFORMER, TOKENIZER_CONFIG = "sentence_bert_config.json", "tokenizer_config.json"
# Largest weights: a file of the format ONNX without external data holds less than 2 GiB.
MOST_BYTES = 1_900_000_000
# The values that the settings of each file may have. A setting that is missing has the first; one that is not listed
# does not matter, except in sentence_bert_config.json.
BERT: dict[str, tuple[Any, ...]] = {
    "model_type": ("", "bert"),
    "hidden_act": ("gelu",),
    "position_embedding_type": ("absolute", None),
    "is_decoder": (False,),
    "add_cross_attention": (False,),
}
READING: dict[str, tuple[Any, ...]] = {
    "do_lower_case": (False, None),
    "transformer_task": ("feature-extraction",),
    "modality_config": (None, {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}),
    "module_output_name": ("token_embeddings",),
}
SENTENCES: dict[str, tuple[Any, ...]] = {"model_type": ("SentenceTransformer",), "truncate_dim": (None,)}
SIDES: dict[str, tuple[Any, ...]] = {"padding_side": ("right",), "truncation_side": ("right",)}
# Names of pooling modes before sentence-transformers 6, each True or False.
OLD_POOLING = "pooling_mode_"


class Unsuitable(Exception):
    """A model cannot be run by ONNX Runtime here; the message completes the sentence 'because ...'."""


@dataclass(frozen=True)
class Encoder:
    """The files of a BERT encoder.

    Attributes:
        folder: where they are.
        config: the architecture, from config.json.
        pooling: "mean" or "cls".
        facts: limit and prompts.
    """

    folder: Path
    config: dict[str, Any]
    pooling: str
    facts: ModelFacts

    @cached_property
    def weights_file_digest(self) -> str:
        """Returns the SHA-256 (hex) of the file of weights."""
        return file_digest(self.folder / WEIGHTS)

    @cached_property
    def settings_digest(self) -> str:
        """Returns the SHA-256 (hex) of the tokenizer and all settings."""
        names = (CONFIG, MODULES, PROMPTS, TRANSFORMER, TOKENIZER, TOKENIZER_CONFIG, "1_Pooling/config.json")
        digest = hashlib.sha256(self.pooling.encode())
        for path in (self.folder / name for name in names):
            digest.update(path.read_bytes() if path.is_file() else b"")
            digest.update(b"\0")
        return digest.hexdigest()


def read_encoder(folder: Path) -> Encoder:
    """Reads the description of a model.

    Raises:
        Unsuitable: it is not a BERT encoder with mean or CLS pooling, or a file is missing or cannot be read.
    """
    _require(folder, MODULES)
    pooling_folder = _modules(_read(folder, MODULES))
    _require(folder, CONFIG, TOKENIZER, WEIGHTS)
    if (folder / WEIGHTS).stat().st_size > MOST_BYTES:
        raise Unsuitable(f"{WEIGHTS} is larger than 1.9 GB")
    config = _read(folder, CONFIG)
    _check(CONFIG, config, BERT)
    return Encoder(folder, config, _pooling(_read(folder, f"{pooling_folder}/config.json")), _facts(folder, config))


def _require(folder: Path, *names: str) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise Unsuitable(f"it has no {name}")


def _read(folder: Path, name: str) -> Any:
    """Returns the content of a JSON file, {} if it does not exist."""
    try:
        return json.loads((folder / name).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Unsuitable(f"{name} cannot be read ({error})") from error


def _check(name: str, found: Any, accepted: dict[str, tuple[Any, ...]]) -> None:
    if not isinstance(found, dict):
        raise Unsuitable(f"{name} is not an object")
    for key, values in accepted.items():
        value = found.get(key, values[0])
        if value not in values or value == "":
            raise Unsuitable(f"{key} is {value!r} in {name}")


def _modules(modules: Any) -> str:
    """Checks the modules, and returns the folder of the pooling."""
    try:
        kinds = [one["type"].rpartition(".")[2] for one in modules]
        ours = all(one["type"].startswith("sentence_transformers.") and not one.get("kwargs") for one in modules)
        folders = [str(one["path"]) for one in modules]
    except (TypeError, KeyError, AttributeError) as error:
        raise Unsuitable(f"{MODULES} is not a list of modules") from error
    if not ours or kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]) or folders[0]:
        raise Unsuitable(f"its modules are {', '.join(kinds)}")
    return folders[1]


def _pooling(config: Any) -> str:
    _check("the pooling's config.json", config, {"include_prompt": (True,)})
    mode = config.get("pooling_mode")
    if mode is None:
        modes = [key for key, value in config.items() if key.startswith(OLD_POOLING) and value]
        mode = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}.get("".join(modes) or "", modes)
    if mode not in ("mean", "cls"):
        raise Unsuitable(f"its pooling is {mode}")
    return str(mode)


def _facts(folder: Path, config: dict[str, Any]) -> ModelFacts:
    """Reads limit and prompts as sentence-transformers 6 does."""
    reading, sentences, tokenizer = (_read(folder, name) for name in (TRANSFORMER, PROMPTS, TOKENIZER_CONFIG))
    for name, found, accepted in (
        (TRANSFORMER, reading, READING),
        (PROMPTS, sentences, SENTENCES),
        (TOKENIZER_CONFIG, tokenizer, SIDES),
    ):
        _check(name, found, accepted)
    others = {key for key, value in reading.items() if value is not None} - READING.keys() - {"max_seq_length"}
    if others:
        raise Unsuitable(f"{TRANSFORMER} sets {', '.join(sorted(others))}")
    try:
        positions = int(config["max_position_embeddings"])
        limit = reading.get("max_seq_length")
        limit = int(min(tokenizer.get("model_max_length", positions), positions) if limit is None else limit)
        prompts = {"query": "", "document": ""} | {
            name: prompt or "" for name, prompt in sentences.get("prompts", {}).items()
        }
        dimensions = int(config["hidden_size"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unsuitable(f"a setting is missing or is not of its type ({error!r})") from error
    if not 0 < limit <= positions:
        raise Unsuitable(f"it reads {limit} tokens and has {positions} positions")
    return ModelFacts(dimensions, limit, prompts, sentences.get("default_prompt_name"))
