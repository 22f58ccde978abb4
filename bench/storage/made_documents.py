"""Makes documents with the term frequencies of natural language, and vectors of their words in clusters.

A made text is the same on every run. A few function words come first in rank, then made-up words; a document prefers
the words of its topic. A word's vector leans towards its topic's, and a text's vector is the mean of its words', so
that texts form clusters, and a few words of a text give a vector near its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ingest.embedding.embedder import EmbedderIdentity
from ingest.embedding.token_vectors import EncodedText, TokenVectors, unit

WORDS, TOPICS = 50_000, 300
PARAGRAPHS = 20
LEAST_WORDS, MOST_WORDS, WORDS_A_SENTENCE = 55, 75, 13
# Fractions of a document's words that come from its topic, and of its paragraphs that other documents have too.
TOPICAL, SHARED, SHARED_PARAGRAPHS = 0.5, 0.05, 2_000
WORDS_A_QUESTION, REPLACED = 10, 2
# In order of frequency. With Zipf's law they are 37% of a text, as in English.
FUNCTION_WORDS = dict.fromkeys(
    word
    for line in (
        "the of and to in a is that for it was on are as with be by at this from or have an not but were which you all",
        "they can had her his there been if more when will",
    )
    for word in line.split()
)
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
WORD = re.compile(r"\w+|[^\w\s]")
FILES_A_FOLDER = 1_000

DIMENSIONS = 384
ROWS, STEP = 4_096, 1_031
# Length of a topic's part in a word's vector, where the word's own part has length 1: chunks of one topic then have a
# cosine similarity of about 0.6.
LEANING = 0.35
LETTERS_A_TOKEN = 4
WORDS_CACHED = 20_000


class MadeDocuments:
    """Documents by number, from 0: `PARAGRAPHS` paragraphs each, of `LEAST_WORDS` to `MOST_WORDS` words."""

    def __init__(self) -> None:
        made = [_made_word(number) for number in range(WORDS - len(FUNCTION_WORDS))]
        self.words = np.array([*FUNCTION_WORDS, *made])
        topic_of = np.array([topic(word) for word in made])
        # A topic's words by rank; all topics as many as the smallest has.
        fewest = int(np.bincount(topic_of, minlength=TOPICS).min())
        self._of_topic = [np.flatnonzero(topic_of == one)[:fewest] + len(FUNCTION_WORDS) for one in range(TOPICS)]
        self._zipf, self._zipf_of_topic = _zipf(WORDS), _zipf(fewest)

    def paragraphs(self, number: int) -> list[str]:
        """Returns the paragraphs of a document."""
        dice = np.random.default_rng(number)
        about = int(dice.integers(TOPICS))
        shared = dice.random(PARAGRAPHS) < SHARED
        return [self._shared(dice) if one else self._paragraph(dice, about) for one in shared]

    def write(self, folder: Path, numbers: range) -> None:
        """Writes documents as text files into new folders below `folder`."""
        for number in numbers:
            path = folder / f"{number // FILES_A_FOLDER:03}" / f"{number:07}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n\n".join(self.paragraphs(number)) + "\n", encoding="utf-8")

    def questions(self, documents: int, n: int, seed: int) -> list[str]:
        """Makes questions from consecutive words of random paragraphs of the first documents, some of them replaced."""
        dice, made = np.random.default_rng(seed), []
        for number in dice.integers(documents, size=n).tolist():
            words = re.findall(r"\w+", str(dice.choice(self.paragraphs(number))).lower())
            at = int(dice.integers(len(words) - WORDS_A_QUESTION))
            asked = words[at : at + WORDS_A_QUESTION]
            for place in dice.choice(WORDS_A_QUESTION, size=REPLACED, replace=False):
                asked[place] = str(self.words[_drawn(self._zipf, dice.random())])
            made.append(f"{' '.join(asked)}?".capitalize())
        return made

    def _shared(self, dice: np.random.Generator) -> str:
        own = np.random.default_rng((1, int(dice.integers(SHARED_PARAGRAPHS))))
        return self._paragraph(own, int(own.integers(TOPICS)))

    def _paragraph(self, dice: np.random.Generator, about: int) -> str:
        n = int(dice.integers(LEAST_WORDS, MOST_WORDS + 1))
        ranks = _drawn(self._zipf, dice.random(n))
        topical = (dice.random(n) < TOPICAL) & (ranks >= len(FUNCTION_WORDS))
        ranks[topical] = self._of_topic[about][_drawn(self._zipf_of_topic, dice.random(int(topical.sum())))]
        words = self.words[ranks].tolist()
        sentences = (words[at : at + WORDS_A_SENTENCE] for at in range(0, n, WORDS_A_SENTENCE))
        return " ".join(f"{' '.join(sentence)}.".capitalize() for sentence in sentences)


def topic(word: str) -> int:
    """Returns the topic of a made-up word."""
    return crc32(word.encode()) % TOPICS


def _made_word(number: int) -> str:
    """Writes a number in syllables, at least two: frequent words are short."""
    syllables = ""
    while number or len(syllables) < 4:  # noqa: PLR2004 - two syllables
        number, syllable = divmod(number, len(SYLLABLES))
        syllables += SYLLABLES[syllable]
    return syllables


def _zipf(n: int) -> NDArray[np.float64]:
    """Returns the cumulative frequencies of n words whose frequency is inverse to their rank."""
    frequencies = 1 / np.arange(1, n + 1)
    return np.cumsum(frequencies / frequencies.sum())


def _drawn(cumulative: NDArray[np.float64], dice: NDArray[np.float64] | float) -> NDArray[np.intp]:
    return np.minimum(np.searchsorted(cumulative, dice), len(cumulative) - 1)


class WordVectors:
    """Replaces an embedding model: text of the same words has the same vector. See the module.

    It has the attributes of `ingest.embedding.Embedder` that ingest and search use, and gives as many tokens to a text
    as a model for English does: a function word or a mark is one, and others one for every four letters.
    """

    model, ready, max_tokens, pools_tokens = "made", True, 256, True
    dimensions = DIMENSIONS
    identity = EmbedderIdentity("made", "m" * 64, DIMENSIONS)

    def __init__(self) -> None:
        dice = np.random.default_rng(0)
        self._own = unit(dice.standard_normal((ROWS, DIMENSIONS), dtype=np.float32))
        self._topics = LEANING * unit(dice.standard_normal((TOPICS, DIMENSIONS), dtype=np.float32))

    def load(self) -> None:
        """Has nothing to load."""

    def knows(self, _text: str) -> bool:
        """Returns True: every text has a vector."""
        return True

    def count_tokens(self, text: str) -> int:
        """Counts tokens, with two at the ends as models have."""
        return sum(len(_tokens(word).rows) for word in WORD.findall(text)) + 2

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Returns the character offsets [start, end) of the tokens."""
        spans: list[tuple[int, int]] = []
        for word in WORD.finditer(text):
            starts = [word.start() + LETTERS_A_TOKEN * n for n in range(len(_tokens(word[0]).rows))]
            spans += zip(starts, [*starts[1:], word.end()], strict=True)
        return spans

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns float32 [n, dimensions], rows of unit length."""
        return np.stack([made.vector for _, made in self.encode_chunks(texts)])

    def encode_chunks(self, texts: Sequence[str]) -> Iterator[tuple[int, EncodedText]]:
        """Yields the position of each text with its vector and its tokens'."""
        for at, text in enumerate(texts):
            yield at, self._encoded(text)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Returns float32 [dimensions], of unit length."""
        return self._encoded(text).vector

    def query_tokens(self, text: str) -> NDArray[np.float32]:
        """Returns the content tokens: float32 [tokens, dimensions], rows of unit length."""
        return self._encoded(text).tokens

    def restored_tokens(self, _context: str, _text: str, _tokens: tuple[bytes, bytes]) -> TokenVectors | None:
        """Returns None: only answers need them, and nothing is answered here."""
        return None

    def _encoded(self, text: str) -> EncodedText:
        words = [_tokens(word) for word in WORD.findall(text.lower())]
        others = self._own[[row for word in words if word.topic is None for row in word.rows]]
        topics = [word.topic for word in words if word.topic is not None for _ in word.rows]
        if not topics:
            return EncodedText(unit(others.sum(axis=0)), others[:0], others)
        tokens = self._own[[row for word in words if word.topic is not None for row in word.rows]]
        tokens += self._topics[topics]
        return EncodedText(unit(tokens.sum(axis=0)), unit(tokens), others)


class _Tokens(NamedTuple):
    """The tokens of a word: their rows in the table of vectors, and the word's topic unless it is a function word."""

    rows: tuple[int, ...]
    topic: int | None


@lru_cache(WORDS_CACHED)
def _tokens(word: str) -> _Tokens:
    is_content = word.isalnum() and word not in FUNCTION_WORDS
    n = -(-len(word) // LETTERS_A_TOKEN) if is_content else 1
    first = crc32(word.encode())
    return _Tokens(tuple((first + STEP * token) % ROWS for token in range(n)), topic(word) if is_content else None)
