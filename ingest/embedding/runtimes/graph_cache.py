"""Keeps graphs that were made and checked on this machine, in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from ingest.embedding.model_files import file_digest
from ingest.host import make_private_folder

logger = logging.getLogger(__name__)

XDG_CACHE = "XDG_CACHE_HOME"
GRAPH, RECORD = ".onnx", ".json"
# Characters of the digests that name a file.
NAMED_BY = 24
# Begins the names of files that are being written; what is left of a process that was killed is removed after a while.
UNFINISHED, UNFINISHED_SECONDS = ".new-", 3_600


def cache_folder() -> Path:
    """Returns the folder of cached graphs; it may not exist yet."""
    base = Path(os.environ.get(XDG_CACHE, ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "footnote" / "models"


@dataclass(frozen=True, slots=True)
class CachedGraph:
    """A graph that was checked.

    Attributes:
        file: the ONNX file.
        weights: SHA-256 (hex) over names and bytes of all tensors.
    """

    file: Path
    weights: str


class GraphCache:
    """The graph of one model.

    Args:
        folder: the folder of cached graphs.
        model: SHA-256 (hex) of the file of weights.
        key: everything else on which the graph and the result of its check depend.
    """

    def __init__(self, folder: Path, model: str, key: str) -> None:
        self._folder = folder
        self._model = model[:NAMED_BY]
        self._stem = f"{self._model}-{hashlib.sha256(f'{model} {key}'.encode()).hexdigest()[:NAMED_BY]}"

    def read(self) -> CachedGraph | None:
        """Returns the graph if it is there and undamaged."""
        file = self._folder / (self._stem + GRAPH)
        try:
            _require_own(self._folder)
            record = json.loads((self._folder / (self._stem + RECORD)).read_text("utf-8"))
            if file_digest(file) == record["graph"]:
                return CachedGraph(file, str(record["weights"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.info("The cached graph %s cannot be used (%s) and is made again.", file, error)
            return None
        logger.info("The cached graph %s is damaged and is made again.", file)
        return None

    def write(self, graph: bytes, weights: str, checked_with: str) -> None:
        """Stores a graph that passed its check, and removes those of other versions; logs if that fails.

        Args:
            graph: the ONNX file.
            weights: SHA-256 (hex) over names and bytes of all tensors.
            checked_with: what the graph was compared with, for people who look.
        """
        record = {"graph": hashlib.sha256(graph).hexdigest(), "weights": weights, "checked with": checked_with}
        try:
            make_private_folder(self._folder)
            _require_own(self._folder)
            # The record is last: until it is there, the graph does not count.
            self._replace(self._stem + GRAPH, graph)
            self._replace(self._stem + RECORD, json.dumps(record, indent=1).encode())
            self._clean()
        except OSError as error:
            logger.info("A graph cannot be cached in %s (%s). It is made again next time.", self._folder, error)

    def _clean(self) -> None:
        """Removes this model's graphs of other versions, and files that were never finished."""
        for other in self._folder.glob(f"{self._model}-*"):
            if other.stem != self._stem and other.suffix in {GRAPH, RECORD}:
                other.unlink(missing_ok=True)
        for other in self._folder.glob(f"{UNFINISHED}*"):
            if time.time() - other.stat().st_mtime > UNFINISHED_SECONDS:
                other.unlink(missing_ok=True)

    def _replace(self, name: str, content: bytes) -> None:
        """Writes a private file at once or not at all."""
        with NamedTemporaryFile(dir=self._folder, prefix=UNFINISHED, delete=False) as file:  # has mode 0600
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(self._folder / name)
            except OSError:
                with suppress(OSError):
                    Path(file.name).unlink()
                raise


def _require_own(folder: Path) -> None:
    """Raises PermissionError if other users may write to a folder, FileNotFoundError if there is none."""
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"other users may write to {folder}")
