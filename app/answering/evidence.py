"""Measures how well passages answer a question, by similar tokens and terms and how far the best stands out."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

import numpy as np
from numpy.typing import NDArray

from app.grounding import read_lines
from app.late_interaction import matches, passage_tokens, text_vector
from app.models import Passage
from app.protocols import Embeds
from app.text import content_terms, shared_language, tokenize, words_of
from ingest.embedding import TokenVectors
from ingest.text import SPACELESS_RUN

# A sentence is evidence for an answer, however dissimilar its vectors, if it has at least this many of the question's
# terms, at least this share of them, and some that are in no title above it. Embedders represent table rows poorly.
# Chosen on all questions of bench/calibration/refusal.py: of 953 put to the wrong collection, none found such a
# sentence; with three terms and three quarters, seven did.
TOLD = "told in a sentence"
LEAST_TOLD, LEAST_SHARE, LEAST_OWN = 3, 0.8, 2
# Number of best passages read. 8 separated own questions from others no better, 3 worse, and each one takes time.
MOST_READ = 5
# Similarity of a word of the question to a passage whose file or folder it names: that of a vector to its own signs.
NAMED = math.sqrt(2 / math.pi)
# The best is compared with the mean of this many that follow it.
MOST_OTHERS = 8


def evidence(
    question: str, passages: Sequence[Passage], embedder: Embeds, searched: int | None = None
) -> dict[str, float]:
    """Returns measures, by name, of how well the best passages answer the question.

    "terms in a sentence" is log(1 + the most of the question's terms in one sentence). "told in a sentence" is 1 if
    those are nearly all of the terms, else 0. "chunks searched" is log10 of the number of chunks. All others are shares
    or cosine similarities; search scores are not used, because they depend on the number of chunks. NaN: no value.
    "tokens" is the mean similarity of the question's tokens to those of one passage, "tokens in any" to those of all
    passages; "function words" covers only tokens without meaning of their own. A passage "stands out" by how much more
    similar it is to the content words than the others are; a sentence likewise, but with all tokens. "words beyond the
    title" is the similarity of the nearest passage to the content words missing from its title. The nearest passage is
    the one whose own vector is most similar.
    """
    read = passages[:MOST_READ]
    there = passage_tokens(read, embedder)
    (asked,) = embedder.encode_tokens([question])
    lines = [line for one in zip(read, there, strict=True) for line in _sentences(*one)] or there
    vector = embedder.encode_query(question)
    whole, single = (np.stack([text_vector(one) for one in some]) @ vector for some in (there, lines))
    nearest = int(whole.argmax())
    found, in_lines = (np.stack([matches(asked, one) for one in some]) for some in (there, lines))
    for passage, row in zip(read, found, strict=True):
        row[_in_words(question, asked.spans, only=_named(passage))] = NAMED
    language = shared_language(question, *texts_of(read))
    wanted, titled = content_terms(question, language), content_terms(read[nearest].name, language)
    held = _held(wanted, read, language)
    most = max(LEAST_TOLD, LEAST_SHARE * len(wanted))
    words, untitled = _in_words(question, asked.spans), _in_words(question, asked.spans, titled)
    return {
        "nearest passage": float(whole[nearest]),
        "nearest sentence": float(single.max()),
        "tokens": float(_mean(found).max()),
        "tokens in any": float(_mean(found.max(axis=0))),
        "function words": float(_mean(found[:, ~words]).max()),
        "terms in a sentence": math.log1p(max((all_held for _, all_held in held), default=0)),
        TOLD: float(any(own >= LEAST_OWN and all_held >= most for own, all_held in held)),
        "passage stands out": _stands_out(_mean(found[:, words if words.any() else ~words])),
        "sentence stands out": _stands_out(_mean(in_lines)),
        "asked in the title": _share(wanted & titled, wanted),
        "words beyond the title": float(_mean(found[nearest, untitled])),
        "chunks searched": math.nan if searched is None else math.log10(max(1, searched)),
    }


def nowhere(question: str, passages: Sequence[Passage]) -> list[str]:
    """Returns the content words of a question that are in none of the passages, as written."""
    language = shared_language(question, *texts_of(passages))
    there = set[str]().union(*(_terms(p, f"{p.header} {p.text}", language) for p in passages))
    asked = SPACELESS_RUN.findall(question) + words_of(SPACELESS_RUN.sub(" ", question))
    words = (word for word in asked if content_terms(word, language) - there)
    return list(dict.fromkeys(words))


def told_share(question: str, passages: Sequence[Passage], language: str) -> float:
    """Returns the largest share of a question's terms found in one sentence and the text above it: 0 to 1."""
    wanted = content_terms(question, language)
    held = _held(wanted, passages[:MOST_READ], language)
    return max((found for own, found in held if own), default=0) / max(1, len(wanted))


def texts_of(passages: Sequence[Passage]) -> list[str]:
    return [passage.text for passage in passages[:MOST_READ]]


def _sentences(passage: Passage, tokens: TokenVectors) -> list[TokenVectors]:
    """Returns the tokens of each sentence of a passage, as far as the model read it."""
    found = (tokens.part(line.start, line.end) for line in read_lines(passage))
    return [one for one in found if len(one.vectors)]


def _held(wanted: set[str], passages: Sequence[Passage], language: str) -> list[tuple[int, int]]:
    """Counts, for each sentence, the question's terms in it, and those in it or in the text above it.

    A table's row with any of the terms also has those of its header: a cell is asked for by its row and its column.
    """
    found = []
    for passage in passages:
        above = wanted & _terms(passage, "", language)
        for line in read_lines(passage):
            own = wanted & content_terms(line.text, language)
            named = wanted & content_terms(line.header, language)
            found.append((len(own | named) if own else 0, len(above | own | named)))
    return found


def _named(passage: Passage) -> set[str]:
    """Returns the terms of its file name, folder and page, which are not embedded with it."""
    return content_terms(passage.above) - content_terms(f"{passage.context} {passage.text}")


def _in_words(
    question: str, spans: NDArray[np.intp], but: Container[str] = (), only: Container[str] | None = None
) -> NDArray[np.bool_]:
    """Marks the tokens that are part of content words: of all but `but`, or of those in `only`: bool [tokens]."""
    inside = np.zeros(len(spans), dtype=bool)
    for word in tokenize(question):
        if word.says and word.term not in but and (only is None or word.term in only):
            inside |= (spans[:, 0] < word.end) & (spans[:, 1] > word.start)
    return inside


def _mean(nearness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the mean over the last axis; NaN if there are no tokens."""
    return nearness.mean(axis=-1) if nearness.shape[-1] else np.full(nearness.shape[:-1], math.nan, np.float32)


def _terms(passage: Passage, text: str, language: str) -> set[str]:
    return content_terms(f"{passage.above} {text}", language)


def _share(found: set[str], of: set[str]) -> float:
    return len(found) / len(of) if of else 0.0


def _stands_out(near: NDArray[np.float32]) -> float:
    """Returns how far the best exceeds the mean of the next ones; NaN if there is only one."""
    best, *others = np.sort(near)[::-1][: 1 + MOST_OTHERS]
    return float(best - np.mean(others)) if others else math.nan
