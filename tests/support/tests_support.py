"""Fakes of models, and checks that several test files share."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import numpy as np
from scipy.linalg import hadamard

from app.models import Passage
from ingest.chunking import Chunker, Split
from ingest.embedding.token_vectors import EncodedText, TokenVectors
from ingest.host import fingerprint
from ingest.index import Prepared, writing
from ingest.loaders import LoaderPool, load
from ingest.models import Document
from ingest.segments import SegmentedDocument


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


# One direction a word; all signs, so that they are their own packed vectors.
DIRECTIONS = hadamard(512, np.float32) / np.sqrt(np.float32(512))


class WordEmbedder:
    """Embeds a text by its words, in vectors of unit length: equal words give near vectors."""

    dimensions = len(DIRECTIONS)

    def encode_documents(self, texts):
        return np.stack([self.encode_query(text) for text in texts])

    def encode_sentences(self, texts):
        return self.encode_documents(texts)

    def encode_query(self, text):
        vector = np.zeros(self.dimensions, dtype=np.float32)
        for word in text.casefold().split():
            vector += DIRECTIONS[sum(word.strip(".,?!:;").encode()) % self.dimensions]
        return vector / max(float(np.linalg.norm(vector)), 1e-9)

    def knows(self, text):
        return True

    pools_tokens = True

    def encode_chunks(self, texts):
        for i, text in enumerate(texts):
            tokens = self.query_tokens(text)
            yield i, EncodedText(self.encode_documents([text])[0], tokens, tokens[:0])

    def restored_tokens(self, context, text, tokens):
        """Always made again: those stored are of other vectors."""

    def query_tokens(self, text):
        """One row a word, made of the word alone: its nearest in a text is itself."""
        words = [word.strip(".,?!:;") for word in text.casefold().split()] or [""]
        rows = np.stack([np.random.default_rng(list(word.encode())).choice([-1, 1], 64) for word in words])
        return (rows / np.sqrt(64)).astype(np.float32)

    def encode_tokens(self, texts):
        return [self._tokens(text) for text in texts]

    def _tokens(self, text):
        spans = np.array([word.span() for word in re.finditer(r"\S+", text)], dtype=np.intp).reshape(-1, 2)
        rows = [self.encode_query(text[start:end]) for start, end in spans]
        return TokenVectors(np.array(rows, dtype=np.float32).reshape(-1, self.dimensions), spans)


def in_order(made) -> list[EncodedText]:
    """The vectors that `encode_chunks` yields, in the order of the texts."""
    return [one for _, one in sorted(made, key=lambda pair: pair[0])]


def chunks_of(chunker, document) -> list:
    """The chunks of a document that is in memory."""
    return list(chunker.split(SegmentedDocument.of(document)))


def whole(result):
    """Joins the segments of a document; returns an error of loading unchanged."""
    return result.whole() if isinstance(result, SegmentedDocument) else result


def counting(loaders: type[LoaderPool], taken: list[Path]) -> type[LoaderPool]:
    """Returns loaders that append the paths they read to `taken`."""

    class Counting(loaders):
        def load_all(self, *arguments):
            for loaded in super().load_all(*arguments):
                taken.append(loaded.path)
                yield loaded

    return Counting


def written_before(footnote, path: Path, chunks=None) -> None:
    """Writes a document as an older pipeline, with these chunks or the current ones."""
    index, document = footnote.index("default"), SegmentedDocument.of(load(path))
    known = fingerprint(path, 1, threading.Event())
    chunks = chunks or Split(Chunker(index.embedder), document)
    with writing(index, "test") as writer:
        writer.put([Prepared(str(path), known.content_sha, "older", known.size, document, chunks, 0.0)])


def save_tiny_model(folder, seed: int = 1, prompts: dict[str, str] | None = None, pooling: str = "mean"):
    """A sentence-transformers model of a few thousand random weights, saved as any model is."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertModel

    base = folder.with_name(folder.name + "-base")
    config = _tiny_bert(base)
    torch.manual_seed(seed)
    BertModel(config).save_pretrained(base)
    transformer = Transformer(str(base), max_seq_length=48)
    SentenceTransformer(modules=[transformer, Pooling(32, pooling)], device="cpu", prompts=prompts).save(str(folder))
    return folder


def save_static_model(folder):
    """A model that looks up a vector a token and gives their mean, saved as any model is: its tokens have no others."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    _tiny_bert(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    module = StaticEmbedding(tokenizer, embedding_dim=32)
    SentenceTransformer(modules=[module], device="cpu").save(str(folder))
    return folder


def save_tiny_cross_encoder(folder, labels: list[str], says: str):
    """A cross-encoder of random weights that gives the label `says` whatever it reads, saved as any model is."""
    import torch
    from transformers import BertForSequenceClassification

    config = _tiny_bert(folder)
    config.num_labels = len(labels)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: i for i, label in enumerate(labels)}
    torch.manual_seed(1)
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.bias[labels.index(says)] += 20
    model.save_pretrained(folder)
    return folder


def _tiny_bert(folder):
    """Saves a tokenizer of letters; gives the configuration of a model that fits it."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, PreTrainedTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    tokenizer = Tokenizer(models.WordPiece({t: i for i, t in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    return BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )


class ScriptedLLM:
    """A language model that writes these pieces, then raises `error`; it rewrites a question as `rewritten`."""

    name = "scripted:model"
    context_tokens = 8192
    closed = False

    def __init__(self, *pieces: str, error: Exception | None = None, rewritten: str | Exception = "") -> None:
        self.pieces, self.error, self.rewritten = pieces, error, rewritten
        self.prompts = []

    def stream(self, prompt, spending=None):
        self.prompts.append(prompt)
        if not prompt.passages:
            if isinstance(self.rewritten, Exception):
                raise self.rewritten
            yield self.rewritten
            return
        try:
            yield from self.pieces
            if self.error:
                raise self.error
        finally:
            self.closed = True


def passages_of(texts) -> tuple[Passage, ...]:
    """Passages with these texts, each the whole of a document of its own, best first."""
    return tuple(
        Passage(n, f"/docs/{n}.txt", "v", "", None, (), 0, len(text), text, 1 / n)
        for n, text in enumerate(texts, start=1)
    )


def assert_blocks_cover(document: Document) -> None:
    """Checks that blocks are in order and cover all of the text but white space."""
    at = 0
    for block in document.blocks:
        assert at <= block.start < block.end <= len(document.text)
        assert not document.text[at : block.start].strip()
        at = block.end
    assert not document.text[at:].strip()
