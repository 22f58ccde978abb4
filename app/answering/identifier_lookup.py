"""Finds the part of each passage about the things that a question names by their identifiers. Pure.

An identifier's entry runs from the line that names it to the line that names the next identifier of its kind: a row
of a price list, an article of a code, the section under a heading. In a document with no other identifier of that
kind, such as an invoice, the entry is the whole document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.models import Passage
from app.text import (
    CHAIN,
    Identifier,
    contains_identifier,
    file_names,
    identifier_mentions,
    identifier_shape,
    is_about,
    normalized_identifier,
    numbered_items,
)

LETTERS = re.compile(r"[^\W\d_]*")
# Leading characters of a shape that identifiers of a kind share: "a-0" of a-0a and a-0, "0.0" of 0.0.0.
KIND = 3


@dataclass(frozen=True, slots=True)
class Entries:
    """Spans [start, end) of passages' texts, by `Passage.n`, about the things a question names."""

    spans: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, passages: Sequence[Passage], wanted: Sequence[Identifier]) -> Entries:
        """Finds the entries of all identifiers; an identifier in no passage has none.

        The entry of a labelled number, such as "clause 4.2", is the item with that number, in entries of the others.
        """
        kinds = [_Kind.of(one, passages) for one in wanted if not one.is_label]
        labelled = [one for one in wanted if one.is_label]
        things = {p.n: tuple(span for kind in kinds for span in kind.entries(p)) for p in passages}
        items = {
            p.n: tuple(
                (start, end)
                for one in labelled
                for start, end in numbered_items(p.text, one)
                if not kinds or any(first < end and start < last for first, last in things[p.n])
            )
            for p in passages
        }
        spans = items if any(items.values()) else things
        return cls({n: found for n, found in spans.items() if found})

    def around(self, passage: Passage, at: int) -> tuple[int, int] | None:
        """Returns the entry around a position in a passage; None if it is in none."""
        return next((span for span in self.spans.get(passage.n, ()) if span[0] <= at < span[1]), None)

    def hold(self, passage: Passage, start: int, end: int) -> bool:
        """Returns True if a part of a passage is in an entry."""
        return any(first <= start and end <= last for first, last in self.spans.get(passage.n, ()))


def named(passages: Sequence[Passage], wanted: Sequence[Identifier]) -> bool:
    """Returns True if each identifier is in a passage, or in the title, headings or file name of one.

    A labelled number needs an item with that number.
    """
    return bool(wanted) and all(any(is_about(p.text, _above(p), one) for p in passages) for one in wanted)


@dataclass(frozen=True, slots=True)
class _Kind:
    """An identifier with what marks others of its kind; `begun` is the text before it in the lines that name it."""

    wanted: Identifier
    begun: frozenset[str]
    alone: frozenset[str]

    @classmethod
    def of(cls, wanted: Identifier, passages: Sequence[Passage]) -> _Kind:
        begun = frozenset(begin for p in passages for begin in _beginnings(p.text, wanted))
        kind = cls(wanted, begun, frozenset())
        holding = {p.version_id for p in passages if contains_identifier(_words(p), wanted)}
        lines = ((p, line) for p in passages for line in (p.above, *p.text.splitlines()))
        shared = {p.version_id for p, line in lines if kind.names_another(line)}
        return cls(wanted, begun, frozenset(holding - shared))

    def entries(self, passage: Passage) -> Iterator[tuple[int, int]]:
        """Yields the spans of a passage that are about the identifier."""
        if passage.version_id in self.alone:
            yield 0, len(passage.text)
            return
        inside = contains_identifier(_above(passage), self.wanted)
        begin = 0 if inside else -1
        at = 0
        for line in passage.text.splitlines(keepends=True):
            names = any(True for _ in identifier_mentions(line, self.wanted))
            if begin < 0 and names:
                begin = at
            elif begin >= 0 and not names and self.names_another(line):
                yield begin, at
                begin = -1
            at += len(line)
        if begin >= 0:
            yield begin, at

    def names_another(self, line: str) -> bool:
        """Returns True if a line names another identifier of the kind, by its letters or by the start of the line."""
        letters, pattern = LETTERS.match(self.wanted.text), identifier_shape(self.wanted.text)[:KIND]
        for found in CHAIN.finditer(line):
            if normalized_identifier(found[0]) != self.wanted.key and identifier_shape(found[0])[:KIND] == pattern:
                same = letters and letters[0] and found[0].casefold().startswith(letters[0].casefold())
                if same or line[: found.start()].strip().casefold() in self.begun:
                    return True
        return False


def _beginnings(text: str, wanted: Identifier) -> Iterator[str]:
    return (line[:at].strip().casefold() for line in text.splitlines() for at, _ in identifier_mentions(line, wanted))


def _above(passage: Passage) -> str:
    return f"{passage.above} {file_names(passage.document)}"


def _words(passage: Passage) -> str:
    return f"{_above(passage)}\n{passage.text}"
