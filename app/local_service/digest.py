"""Computes a digest of all that answers depend on besides documents and question: code, settings, environment."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ingest.settings import Settings, base_model

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "ingest", "prompts")
# Settings of the chat's page and of reading documents; all others may change an answer.
NOT_OF_ANSWERS = frozenset(
    {
        "host",
        "port",
        "allowed_hosts",
        "ocr",
        "allow_private_addresses",
        "allow_unconfined",
        "workers",
        "load_timeout",
        "load_memory_mb",
        "max_file_mb",
    }
)
# Settings that may name a model's folder, relative to the working folder.
FOLDERS = ("embedding_model", "entailment_model", "reranker")
# Variables that models on this machine, HTTP clients and dates read: devices, caches, certificates, proxies, and the
# zone of --since and --until.
OF_ALL = re.compile(r"TZ|(?:CUDA|HF|SSL)_\w+|(?:\w+_)?PROXY", re.IGNORECASE)
# Those that packages of language models read, in addition: keys, addresses, accounts. The key of OpenAI is a setting.
# Terminals set others of such names, which differ between two windows.
OF_LANGUAGE_MODELS = re.compile(
    r"(?!(?:FOOTNOTE|VSCODE|SSH|GIT\w*)_|OPENAI_API_KEY$)"
    r"(?:(?:AWS|AZURE|GOOGLE|OPENAI)_\w+|(?:\w+_)?(?:KEY|TOKEN|SECRET|CREDENTIALS|URL|BASE|ENDPOINT|HOST))",
    re.IGNORECASE,
)


def identity(settings: Settings, environment: Mapping[str, str], code: Path = ROOT) -> str:
    """Returns a digest of what a server and its client must have in common.

    Model folders that are relative to the working folder are compared by their full path. FOOTNOTE_ variables count by
    the settings that they make.

    Args:
        settings: the settings of the server or the client.
        environment: the variables of its process.
        code: the folder that holds Footnote's packages; a change of any module changes the digest.

    Returns:
        A SHA-256 in hex.
    """
    read = (OF_ALL, OF_LANGUAGE_MODELS) if settings.llm else (OF_ALL,)
    variables = {name: value for name, value in environment.items() if any(one.fullmatch(name) for one in read)}
    facts = {"settings": _settings(settings), "environment": variables, "code": list(_modules(code))}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _settings(settings: Settings) -> dict[str, Any]:
    values = {name: _plain(value) for name, value in settings if name not in NOT_OF_ANSWERS}
    folders = {name: str(Path(values[name]).absolute()) for name in FOLDERS if Path(base_model(values[name])).is_dir()}
    return values | {name: folder for name, folder in folders.items() if values[name]}


def _plain(value: object) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if isinstance(value, Path) else value


def _modules(code: Path) -> Iterator[tuple[str, int, int]]:
    """Yields each module's path, time of change in nanoseconds and size in bytes."""
    for package in PACKAGES:
        for folder, folders, files in os.walk(code / package):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(files):
                if name.endswith(".py"):
                    path = os.path.join(folder, name)  # noqa: PTH118 - a Path for each module takes longer
                    found = os.stat(path)  # noqa: PTH116 - see above
                    yield path, found.st_mtime_ns, found.st_size
