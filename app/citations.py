"""Footnotes: markers read from an answer, sentences verified against the passages they cite. Pure.

The test of support is simple and strict where it counts: every number and every name of a sentence stands in the
passages it cites (or in their title and headings), and so do most of its other terms. It knows nothing of negation
or of who did what to whom; what it marks as supported is worded from the passage, not proven by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app import sentences, terms
from app.markers import CODE, MARKER, marked, unmarked
from app.models import Citation, Passage, Sentence

# Share of a sentence's content terms that its passages must hold.
ENOUGH_TERMS = 0.6
HEADING = re.compile(r"\s*#{1,6}\s")
RULE = re.compile(r"[\s|:*_-]*$")


def verify(text: str, cited: Mapping[int, Passage]) -> tuple[Sentence, ...]:
    """The sentences of an answer, each with its verdict.

    Args:
        text: the answer, its markers numbered as footnotes.
        cited: footnote number -> the passage it stands for.
    """
    return tuple(_verdict(text, start, end, cited) for start, end in sentences.split(text))


def cite(found: Sequence[Sentence], cited: Mapping[int, Passage]) -> tuple[Citation, ...]:
    """The footnotes: of each passage the part that says what the sentences citing it say, or all of it.

    `quote == document text[start:end]`, always.
    """
    footnotes = []
    for n, passage in sorted(cited.items()):
        start, end = _quoted(passage, [s.text for s in found if n in s.citations])
        footnotes.append(passage.cite(n, start, end))
    return tuple(footnotes)


def _verdict(text: str, start: int, end: int, cited: Mapping[int, Passage]) -> Sentence:
    raw = text[start:end]
    outside_code = CODE.sub(lambda code: " " * len(code.group()), raw)
    found = dict.fromkeys(n for marker in MARKER.finditer(outside_code) for n in marked(marker) if n in cited)
    words = unmarked(raw).strip()
    if not _is_claim(words):
        return Sentence(words, tuple(found), None, start, end)
    if not found:
        return Sentence(words, (), supported=False, start=start, end=end, reason="cites nothing")
    reason = _unsupported(words, [cited[n] for n in found])
    return Sentence(words, tuple(found), not reason, start, end, reason)


def _is_claim(words: str) -> bool:
    """Whether a sentence says something that could be true or false of the documents."""
    if HEADING.match(words) or RULE.match(words) or words.rstrip("*_ ").endswith((":", "?")):
        return False
    return bool(terms.content_terms(words))


def _unsupported(words: str, passages: Sequence[Passage]) -> str:
    """Why the passages do not support the words; "" where they do."""
    held = "\n".join(part for p in passages for part in (p.title, *p.heading, p.text))
    if missing := sorted(terms.numbers(words) - terms.numbers(held)):
        return f"{', '.join(missing)} is not in the passage"
    known = {token.casefold().removesuffix("'s") for token in terms.tokens(held)}
    if missing := sorted(terms.names(words) - known):
        return f"“{', '.join(missing)}” is not in the passage"
    wanted, there = terms.content_terms(words), terms.content_terms(held)
    if len(wanted & there) < ENOUGH_TERMS * len(wanted):
        return f"most of its words ({', '.join(sorted(wanted - there)[:4])} …) are not in the passage"
    return ""


def _quoted(passage: Passage, claims: Sequence[str]) -> tuple[int, int]:
    """The part of a passage, in characters of its text, from the first to the last sentence that bears a claim out."""
    spans = sentences.split(passage.text)
    if not claims or not spans:
        return 0, len(passage.text)
    held = [terms.content_terms(passage.text[start:end]) for start, end in spans]
    best = [max(range(len(spans)), key=lambda i: _share(terms.content_terms(claim), held[i])) for claim in claims]
    if any(_share(terms.content_terms(claim), held[i]) < ENOUGH_TERMS for claim, i in zip(claims, best, strict=True)):
        return 0, len(passage.text)  # no one sentence says it: the passage as a whole must be read
    return spans[min(best)][0], spans[max(best)][1]


def _share(wanted: set[str], held: set[str]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 0.0
