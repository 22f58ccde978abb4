"""Ingests paths into an index: finds, loads, chunks and writes documents."""

from ingest.pipeline.run import ingest

__all__ = ["ingest"]
