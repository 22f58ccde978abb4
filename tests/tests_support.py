"""Stand-ins for models, for tests that need none."""

from __future__ import annotations

import numpy as np


class WordTokenizer:
    """Counts a token a word and two around each text, as a stand-in where no model is needed."""

    max_tokens = 64

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        spans, at = [], 0
        for word in text.split():
            start = text.index(word, at)
            at = start + len(word)
            spans.append((start, at))
        return spans


class WordEmbedder:
    """Vectors of unit length that say which words a text has: equal words, near vectors."""

    dimensions = 512

    def encode_documents(self, texts):
        return np.stack([self.encode_query(text) for text in texts])

    def encode_query(self, text):
        vector = np.zeros(self.dimensions, dtype=np.float32)
        for word in text.casefold().split():
            vector[sum(word.strip(".,?!:;").encode()) % self.dimensions] += 1
        return vector / max(float(np.linalg.norm(vector)), 1e-9)


def counting_loads(monkeypatch) -> list:
    """The paths that are given to loaders from now on."""
    from ingest import pipeline

    taken = []

    class Counting(pipeline.LoaderPool):
        def load_all(self, paths, cancel=None):
            for loaded in super().load_all(paths, cancel):
                taken.append(loaded.path)
                yield loaded

    monkeypatch.setattr(pipeline, "LoaderPool", Counting)
    return taken


def save_tiny_model(folder, seed: int = 1):
    """A sentence-transformers model of a few thousand random weights, saved as any model is."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    tokenizer = Tokenizer(models.WordPiece({t: i for i, t in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    base = folder.with_name(folder.name + "-base")
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(base)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(base)
    transformer = Transformer(str(base), max_seq_length=48)
    SentenceTransformer(modules=[transformer, Pooling(32)], device="cpu").save(str(folder))
    return folder
