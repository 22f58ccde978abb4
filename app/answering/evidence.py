"""What speaks for passages answering a question: how near its tokens and terms come, and what stands out. Pure."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

import numpy as np
from numpy.typing import NDArray

from app.grounding import read_lines
from app.late_interaction import matches, text_vector
from app.models import Passage
from app.protocols import Embeds
from app.text import content_terms, shared_language, tokenize, words_of
from ingest.embedding import TokenVectors
from ingest.text import SPACELESS_RUN

# A sentence with so many of a question's terms, with this share of them and with some that no title above it has, says
# something of what is asked, however far its vectors are: a row of a table is no sentence to an embedder. Chosen on all
# of bench/calibration/refusal.py's questions: of 953 that were put to the wrong collection none found one such, and
# with three terms and three quarters seven did.
TOLD = "told in a sentence"
LEAST_TOLD, LEAST_SHARE, LEAST_OWN = 3, 0.8, 2
# Passages that are read, the best ones: 8 told own questions from others no better, 3 worse, and each costs its time.
MOST_READ = 5
# Characters of a document's name that are read.
MOST_NAME = 80
# What stands out does so among the best that follow it.
MOST_OTHERS = 8


def evidence(
    question: str, passages: Sequence[Passage], embedder: Embeds, searched: int | None = None
) -> dict[str, float]:
    """What speaks for the first passages answering a question, by name.

    "terms in a sentence" is the logarithm of one more than their number, "told in a sentence" whether these are nearly
    all that are asked (1 or 0); all others are shares or cosine similarities. None is a score of the search: those
    depend on how many chunks there are. "chunks searched" is the common logarithm of that number. NaN stands for what
    there is none of. "tokens" is how near the question's tokens come to those of a passage, on average, and "tokens in
    any" to those of all passages; "function words" are those that carry no meaning. A passage "stands out" by how much
    nearer the words that carry meaning come to it than to the others, a sentence by how much nearer all tokens come to
    it. "words beyond the title" is how near those that the title of the nearest passage lacks come to that passage; the
    nearest is the one whose own vector is.
    """
    read = passages[:MOST_READ]
    (asked,) = embedder.encode_tokens([question])
    titles = [_title(question, passage) for passage in read]
    there = embedder.encode_tokens([f"{title}{one.text}" for title, one in zip(titles, read, strict=True)])
    lines = [
        line
        for passage, title, one in zip(read, titles, there, strict=True)
        for line in _sentences(passage, len(title), one)
    ] or there
    vector = embedder.encode_query(question)
    whole, single = (np.stack([text_vector(one) for one in some]) @ vector for some in (there, lines))
    nearest = int(whole.argmax())
    found, in_lines = (np.stack([matches(asked, one) for one in some]) for some in (there, lines))
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
    """The words of a question that carry meaning and stand in none of the passages, as written."""
    language = shared_language(question, *texts_of(passages))
    there = set[str]().union(*(_terms(p, f"{p.header} {p.text}", language) for p in passages))
    asked = SPACELESS_RUN.findall(question) + words_of(SPACELESS_RUN.sub(" ", question))
    words = (word for word in asked if content_terms(word, language) - there)
    return list(dict.fromkeys(words))


def told_share(question: str, passages: Sequence[Passage], language: str) -> float:
    """The greatest share of a question's terms that a sentence has, with what stands above it: 0 to 1."""
    wanted = content_terms(question, language)
    held = _held(wanted, passages[:MOST_READ], language)
    return max((found for own, found in held if own), default=0) / max(1, len(wanted))


def texts_of(passages: Sequence[Passage]) -> list[str]:
    return [passage.text for passage in passages[:MOST_READ]]


def _title(question: str, passage: Passage) -> str:
    """What is read before a passage: what its document is called, with words of the question that only its place has.

    A file's name was not counted when the chunk was made to fit the model: a long one would push out its end.
    """
    name = passage.name[:MOST_NAME]
    said = content_terms(f"{name} {passage.header} {passage.text}")
    asked = content_terms(question) - said
    place = [word for word in words_of(passage.above) if content_terms(word) & asked]
    header = f"{passage.header}\n" if passage.header else ""
    return f"{' '.join([name, *dict.fromkeys(place)])}: {header}"


def _sentences(passage: Passage, before: int, tokens: TokenVectors) -> list[TokenVectors]:
    """The tokens of each sentence of a passage that begins at `before`, of those that the model has read."""
    found = (tokens.part(before + line.start, before + line.end) for line in read_lines(passage))
    return [one for one in found if len(one.vectors)]


def _held(wanted: set[str], passages: Sequence[Passage], language: str) -> list[tuple[int, int]]:
    """How many terms of a question each sentence holds: itself, and with what is said above it."""
    found = []
    for passage in passages:
        above = wanted & _terms(passage, "", language)
        for line in read_lines(passage):
            own = wanted & content_terms(line.text, language)
            found.append((len(own), len(above | own | (wanted & content_terms(line.header, language)))))
    return found


def _in_words(question: str, spans: NDArray[np.intp], but: Container[str] = ()) -> NDArray[np.bool_]:
    """Which tokens are part of words that carry meaning, but for these terms: bool [tokens]."""
    inside = np.zeros(len(spans), dtype=bool)
    for word in tokenize(question):
        if word.says and word.term not in but:
            inside |= (spans[:, 0] < word.end) & (spans[:, 1] > word.start)
    return inside


def _mean(nearness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the last axis; NaN where there are no tokens."""
    return nearness.mean(axis=-1) if nearness.shape[-1] else np.full(nearness.shape[:-1], math.nan, np.float32)


def _terms(passage: Passage, text: str, language: str) -> set[str]:
    return content_terms(f"{passage.above} {text}", language)


def _share(found: set[str], of: set[str]) -> float:
    return len(found) / len(of) if of else 0.0


def _stands_out(near: NDArray[np.float32]) -> float:
    """How much the best is above the mean of those after it; NaN where it is alone."""
    best, *others = np.sort(near)[::-1][: 1 + MOST_OTHERS]
    return float(best - np.mean(others)) if others else math.nan
