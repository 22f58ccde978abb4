"""Finds the clauses, sections and steps of a text by their numbers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.text.identifiers import Identifier, contains_identifier

# The start of a line that begins a numbered item: heading or list mark, a word such as "Step", the number, its mark.
ITEM = re.compile(
    r"[ \t]*+(?P<heading>#{1,6}[ \t]+)?(?:[-*+>\u2022][ \t]+)?\**(?:(?P<label>\u00a7|[^\W\d_]{2,16}\.?)[ \t]*+)?"
    r"(?P<number>\d{1,4}(?:\.\d{1,4}){0,5})(?P<mark>[.):\u2013]*+)\**(?=\s|$)"
)
# Labels of things that have numbers of their own and are no parts of a text; and of parts that have headings.
NO_PARTS = frozenset(
    {"invoice", "order", "rechnung", "facture", "factura", "fattura", "fatura", "factuur", "artikelnummer"}
    | {"article no", "part no"}
)
WITH_HEADINGS = frozenset(
    {"section", "chapter", "abschnitt", "kapitel", "chapitre", "secci\u00f3n", "cap\u00edtulo", "sezione", "capitolo"}
)
HEADING = re.compile(r"#{1,6}[ \t]")
BULLET = re.compile(r"[ \t]*+[-*+>\u2022][ \t]|[ \t]+\S")


def numbered_items(text: str, wanted: Identifier) -> list[tuple[int, int]]:
    """Returns the spans [start, end) of the items of a text that have a number: "4.2 The tenant ...", "Step 8: ...".

    A line begins an item if it begins with the number, or with the label that the question has ("Art." is the same as
    "Article") and the number. Without its label a number of one part needs a mark as in "3.", or a heading. The item
    ends at the next item that is no part of it or at the next heading; one in a list also ends at a new paragraph.
    """
    if wanted.label in NO_PARTS:
        return []
    lines = list(_lines(text))
    begun = [i for i, (_, _, line) in enumerate(lines) if _begins(line, wanted)]
    headings = [i for i in begun if HEADING.match(lines[i][2])] if wanted.label in WITH_HEADINGS else []
    return [(lines[i][0], _end(lines, i)) for i in headings or begun]


def is_about(text: str, names: str, wanted: Identifier) -> bool:
    """Returns True if a text begins the item of a labelled number, or if it or its names have another identifier."""
    if wanted.is_label:
        return bool(numbered_items(text, wanted))
    return contains_identifier(f"{names}\n{text}", wanted)


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    at = 0
    for line in text.splitlines(keepends=True):
        yield at, at + len(line), line
        at += len(line)


def _begins(line: str, wanted: Identifier) -> bool:
    found = ITEM.match(line)
    if not found or found["number"] != wanted.text:
        return False
    if found["label"]:
        said, asked = (label.casefold().rstrip(".s") for label in (found["label"], wanted.label))
        return said.startswith(asked) or asked.startswith(said)
    return bool("." in wanted.text or found["mark"] or found["heading"])


def _end(lines: list[tuple[int, int, str]], first: int) -> int:
    """Returns the end of the item that begins in a line."""
    begun = ITEM.match(lines[first][2])
    assert begun
    is_short = not begun["heading"] and "." not in begun["number"]
    end, after_gap = lines[first][1], False
    for _, following, line in lines[first + 1 :]:
        if not line.strip():
            after_gap = True
            continue
        other = ITEM.match(line)
        inside = bool(other and other["number"].startswith(f"{begun['number']}."))
        other_item = bool(other and (other["mark"] or other["label"] or other["heading"] or "." in other["number"]))
        if (other_item or HEADING.match(line)) and not inside:
            break
        if is_short and after_gap and not inside and not BULLET.match(line):
            break
        end = following
    return end
