"""Generates questions without a model from headings, definitions and distinctive sentences. Pure, for English text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from app.text import content_terms, split_sentences, words_of
from ingest.models import StoredChunk

Kind = Literal["definition", "heading", "sentence"]

TERM = r"(?P<term>[^\W\d_][\w'\u2019/+.-]*(?: (?!is\b|are\b|means\b)[\w'\u2019/+.-]+){0,4})"
DEFINITION = re.compile(
    rf"(?:(?P<article>An?|The) )?{TERM} (?P<verb>is|are|means|refers to|stands for)"
    r" (?:an?|the|any|one|every|how|what)\b",
    re.IGNORECASE,
)
# A glossary entry: "Chunk: a piece of …", "**Recall** - the share of …".
ENTRY = re.compile(
    rf"(?:[-*\u2022] +)?[*_`]*{TERM}[*_`]{{0,3}} ?(?::|\u2013|\u2014|--?(?= ))[*_]* +"
    r"(?P<gloss>(?:an?|the|any|one|every|how|what|when|where|whether|to)\b.+)",
    re.IGNORECASE,
)
BULLETS = ("-", "*", "\u2022")
# Words that can begin such a sentence without naming a term.
POINTING = frozenset(
    word
    for line in (
        "it its this that these those there here he she they we you i what which who one some all each both another",
        "other such note warning tip example important see if when where while as in on at for to and but or so",
        "two three four five several many most more few every any no",
    )
    for word in line.split()
)
# Headings that occur in many documents.
USUAL_HEADINGS = frozenset(
    word
    for line in (
        "introduction overview summary contents abstract background conclusion conclusions results discussion",
        "references notes appendix example examples methods acknowledgements index preface general details description",
        "purpose",
    )
    for word in line.split()
)
MOST_HEADING_WORDS = 12
# Shorter headings and words, in characters, are not distinctive.
SHORTEST = 4
FEWEST_WORDS, MOST_WORDS = 8, 45
# A sentence is distinctive if it has FEWEST_RARE terms found in at most RARE_CHUNKS chunks; its question gets
# MOST_ASKED.
RARE_CHUNKS, FEWEST_RARE, MOST_ASKED = 2, 3, 5


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that characters [start, end) of a chunk's text answer."""

    question: str
    chunk: StoredChunk
    start: int
    end: int


Drafts = dict[Kind, list[Draft]]


def drafts(chunks: Sequence[StoredChunk]) -> Drafts:
    """Returns all questions that can be made from chunks, by kind, in the order of the chunks.

    A heading or term found in several documents is skipped, as its question would have several right answers.
    """
    common = frozenset(word for chunk in chunks for word in words_of(chunk.text) if word.islower())
    return {
        "definition": _definitions(chunks, common),
        "heading": _headings(chunks, common),
        "sentence": _distinctive(chunks),
    }


def definition(sentence: str, common: frozenset[str] = frozenset()) -> str | None:
    """Returns the question that a sentence answers by defining a term; None if it defines none.

    Args:
        sentence: the sentence, from its first word.
        common: words found in lower case, so that a term's first word may be lower-cased too.
    """
    found = DEFINITION.match(sentence)
    if found and _names_something(found["term"]):
        article = (found["article"] or "").lower()
        if article == "the" and " " not in found["term"]:
            return None  # in "The formula is the …", the formula was named elsewhere
        plural = found["verb"].lower() == "are"
        return f"What {'are' if plural else 'is'} {f'{article} ' if article else ''}{_inside(found['term'], common)}?"
    entry = ENTRY.match(sentence)
    if entry is None or not _names_something(entry["term"]) or len(entry["gloss"].split()) < FEWEST_WORDS // 2:
        return None
    if sentence.startswith(BULLETS) and " " not in entry["term"]:
        return None  # one word before a colon is a list label, with a different meaning in the next list
    return f'What does "{_inside(entry["term"], common)}" mean?'


def _definitions(chunks: Sequence[StoredChunk], common: frozenset[str]) -> list[Draft]:
    made = []
    for chunk in chunks:
        for start, end in split_sentences(chunk.text):
            question = definition(chunk.text[start:end], common)
            if question:
                made.append(Draft(question, chunk, start, end))
    return _told_apart(made)


def _headings(chunks: Sequence[StoredChunk], common: frozenset[str]) -> list[Draft]:
    made, seen = [], set()
    for chunk in chunks:
        heading = chunk.heading[-1] if chunk.heading else ""
        if (chunk.version_id, chunk.heading) in seen or not _tells(heading):
            continue
        seen.add((chunk.version_id, chunk.heading))
        if body := _first_prose(chunk.text, heading):
            question = (
                heading if heading.endswith("?") else f"What do the documents say about {_inside(heading, common)}?"
            )
            made.append(Draft(question, chunk, *body))
    return _told_apart(made)


def _distinctive(chunks: Sequence[StoredChunk]) -> list[Draft]:
    known = Counter(term for chunk in chunks for term in content_terms(chunk.text))
    made = []
    for chunk in chunks:
        for start, end in _prose(chunk.text):
            asked = _rare_words(chunk.text[start:end], known)
            if len(asked) >= FEWEST_RARE:
                question = f"What is said about {', '.join(asked[:-1])} and {asked[-1]}?"
                made.append(Draft(question, chunk, start, end))
    return _told_apart(made)


def _rare_words(sentence: str, known: Counter[str]) -> list[str]:
    """Returns the rarest of a sentence's words that few chunks have, as written."""
    rare: dict[str, str] = {}
    for word in words_of(sentence):
        for term in content_terms(word):
            if known[term] <= RARE_CHUNKS and len(word) >= SHORTEST and not word[0].isdigit():
                rare.setdefault(term, word)
    chosen = sorted(rare, key=lambda term: (known[term], -len(term), term))[:MOST_ASKED]
    return [word for term, word in rare.items() if term in chosen]


def _first_prose(text: str, heading: str) -> tuple[int, int] | None:
    return next(((s, e) for s, e in _prose(text) if text[s:e].strip("# ") != heading), None)


def _prose(text: str) -> Iterator[tuple[int, int]]:
    """Yields sentences of a suitable length, without headings, table rows and code."""
    for start, end in split_sentences(text):
        sentence = text[start:end]
        if (
            FEWEST_WORDS <= len(sentence.split()) <= MOST_WORDS
            and sentence[0] not in "#|`~"
            and sentence[-1] in '.!?\u201d")'
        ):
            yield start, end


def _told_apart(made: list[Draft]) -> list[Draft]:
    """Returns the drafts whose question occurs only once."""
    asked = Counter(" ".join(draft.question.casefold().split()) for draft in made)
    return [draft for draft in made if asked[" ".join(draft.question.casefold().split())] == 1]


def _tells(heading: str) -> bool:
    words = heading.split()
    numbered = re.sub(r"^[\d.()\s]+", "", heading)
    return (
        len(words) <= MOST_HEADING_WORDS
        and len(numbered) >= SHORTEST
        and numbered.casefold().strip(" .:") not in USUAL_HEADINGS
        and bool(content_terms(numbered))
    )


def _names_something(term: str) -> bool:
    words = term.casefold().split()
    numbered = any(word[0].isdigit() for word in words)
    return words[0] not in POINTING and not numbered and len(term) > 1 and bool(content_terms(term))


def _inside(text: str, common: frozenset[str]) -> str:
    """Returns a heading or term for use inside a sentence: its first word in lower case if it is a common word."""
    text = re.sub(r"^[\d.()]+\s+", "", text).strip(" *_`")
    first, _, rest = text.partition(" ")
    is_common = first.lower() in common and first[1:].islower() and rest == rest.lower()
    return text[:1].lower() + text[1:] if is_common else text
