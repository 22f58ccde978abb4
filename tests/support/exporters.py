"""Exporters of graphs that record what they make, or make it wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from ingest.embedding.runtimes.bert_graph import BERT_EXPORTER, Exported, Exporter
from ingest.embedding.runtimes.encoder import WEIGHTS, Encoder


def recording(made: list[str], exporter: Exporter = BERT_EXPORTER) -> Exporter:
    """Returns an exporter that adds the names of the models' folders to `made`."""

    def make(encoder: Encoder) -> Exported:
        made.append(encoder.folder.name)
        return exporter.make(encoder)

    return dataclasses.replace(exporter, make=make)


def wrong(folder: Path) -> Exporter:
    """Returns an exporter of graphs whose weights are not those of the model; writes these into an empty folder."""

    def make(encoder: Encoder) -> Exported:
        rng = np.random.default_rng(1)
        weights = load_file(encoder.folder / WEIGHTS)
        noisy = {name: values + rng.normal(0, 0.05, values.shape) for name, values in weights.items()}
        folder.mkdir(exist_ok=True)
        save_file({name: values.astype(np.float32) for name, values in noisy.items()}, folder / WEIGHTS)
        graph = BERT_EXPORTER.make(dataclasses.replace(encoder, folder=folder)).graph
        return Exported(graph, BERT_EXPORTER.make(encoder).weights)

    return dataclasses.replace(BERT_EXPORTER, make=make)
