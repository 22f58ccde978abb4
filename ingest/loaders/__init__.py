"""Converts the bytes of a file to a Document."""

from ingest.loaders.detection import is_readable
from ingest.loaders.loading import LOADER_FINGERPRINT, load, load_source, open_source, supported_suffixes
from ingest.loaders.registry import is_ignored
from ingest.loaders.sandbox.pool import Loaded, LoaderPool, OpenLoaders
from ingest.loaders.sandbox.worker_process import confinement_of
from ingest.loaders.source import Source

__all__ = [
    "LOADER_FINGERPRINT",
    "Loaded",
    "LoaderPool",
    "OpenLoaders",
    "Source",
    "confinement_of",
    "is_ignored",
    "is_readable",
    "load",
    "load_source",
    "open_source",
    "supported_suffixes",
]
