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
