"""Writes the parts of a formula on one line, with the brackets that keep its meaning.

In a formula, place shows what belongs together: what stands over a fraction bar, or raised. On a line only brackets do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# "bracketed" parts, such as a matrix, need no brackets around them.
Kind = Literal["", "fraction", "script", "bracketed"]
SUMS = frozenset("+-\u2212±∓=≠<>≤≥≈≡∼~∝→⇒⇔∈,;:|")
PRODUCTS = frozenset("·⋅×*∗")
OPENING, CLOSING = frozenset("([{⟨⌊⌈"), frozenset(")]}⟩⌋⌉")
# Neighbours that no fraction reaches across.
APART_BEFORE, APART_AFTER = SUMS | PRODUCTS | OPENING, SUMS | CLOSING | frozenset(".")
GROUP = "\uffff"
ATOM = re.compile(rf"[√∛∜]?{GROUP}|\d+(?:[.,]\d+)*|\w['′\u0300-\u036f\u20d0-\u20ff]*")
WORD = re.compile(r"[\w'′\u0300-\u036f\u20d0-\u20ff]+")
SCRIPTED = re.compile(rf"(?:{ATOM.pattern})(?:[_^](?:{ATOM.pattern}))+")
DIFFERENTIAL = re.compile(r"[d∂]\w")
# Invisible signs: function application, times, separator, plus.
INVISIBLE = str.maketrans({"\u2061": " ", "\u2062": "", "\u2063": ", ", "\u2064": " ", "\u200b": ""})
ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a formula; its kind is that of a lone element, which its neighbours may change."""

    text: str
    kind: Kind = ""


def row(parts: Sequence[Part]) -> Part:
    """Joins neighbours; a fraction that another factor touches gets brackets."""
    filled = [part for part in parts if part.text]
    seen = [part for part in filled if part.text.strip()]
    if len(seen) == 1:
        return seen[0]
    text, before, at = "", "", 0
    for part in filled:
        own = part.text
        if not own.strip():
            text += own
            continue
        at += 1
        following = seen[at].text.lstrip()[0] if at < len(seen) else ""
        if part.kind == "fraction" and not (_apart(before, APART_BEFORE) and _apart(following, APART_AFTER)):
            own = f"({own.strip()})"
        text += own
        before = own.rstrip()[-1]
        if part.kind == "script" and following and (following.isalnum() or following in OPENING):
            text += " "
    return Part(text)


def fraction(over: Part, under: Part) -> Part:
    """Writes a fraction: (x+1)/2, a/(2b), dy/dx."""
    flat = _flat(over.text)
    top = _bracketed(over.text) if set(flat) & (SUMS | {"/", " "}) else over.text.strip()
    forms = (ATOM, SCRIPTED, DIFFERENTIAL) if flat[:1] in {"d", "∂"} else (ATOM, SCRIPTED)
    return Part(f"{top}/{_held(under.text, *forms)}", "fraction")


def binomial(over: Part, under: Part) -> Part:
    """Writes a binomial coefficient, or other parts above each other without a bar."""
    return Part(f"({over.text.strip()} over {under.text.strip()})", "bracketed")


def script(base: Part, below: Part | None = None, above: Part | None = None) -> Part:
    """Writes a base with its indices: x_i^2, v_max, a^(n+1)."""
    text = base.text.strip()
    if len(text) > 1 and not _is_one(text, WORD, ATOM):
        text = _bracketed(text)
    if below is not None and below.text.strip():
        text += f"_{_held(below.text, WORD, ATOM)}"
    if above is not None and above.text.strip():
        text += f"^{_held(above.text, ATOM)}"
    return Part(text, "script")


def root(content: Part, degree: Part | None = None) -> Part:
    """Writes a root: √(x), ∛(x), √[n](x)."""
    of = degree.text.strip() if degree is not None else ""
    sign = ROOTS.get(of) or f"√[{of}]"
    return Part(f"{sign}({content.text.strip()})")


def operator(sign: str, below: Part | None, above: Part | None, content: Part) -> Part:
    """Writes a sum, product or integral with its bounds: ∑_(i=1)^n x_i."""
    bounds = script(Part(""), below, above).text
    of = content.text.strip()
    return Part(f"{sign}{bounds} {_bracketed(of) if set(_flat(of)) & SUMS else of}".rstrip())


def fenced(contents: Sequence[Part], opening: str = "(", closing: str = ")", between: str = ", ") -> Part:
    """Writes parts in brackets or between bars."""
    if len(contents) == 1 and contents[0].kind == "bracketed" and opening in {"(", "["}:
        return contents[0]
    return Part(f"{opening}{between.join(part.text.strip() for part in contents)}{closing}")


def matrix(rows: Sequence[Sequence[Part]]) -> Part:
    """Writes a matrix row by row: [a, b; c, d]."""
    return Part(f"[{'; '.join(', '.join(part.text.strip() for part in one) for one in rows)}]", "bracketed")


def function(name: Part, argument: Part) -> Part:
    """Writes a function and its argument: log x, sin(a+b)."""
    of = argument.text.strip()
    apart = " " if _is_one(of, WORD, ATOM, SCRIPTED) else ""
    return Part(f"{name.text.strip()}{apart}{of if apart or of.startswith('(') else _bracketed(of)}")


def _apart(neighbour: str, marks: frozenset[str]) -> bool:
    return not neighbour or neighbour in marks


def _held(text: str, *forms: re.Pattern[str]) -> str:
    text = text.strip()
    return text if len(text) == 1 or _is_one(text, *forms) else _bracketed(text)


def _bracketed(text: str) -> str:
    text = text.strip()
    return text if _flat(text) == GROUP and text.startswith("(") else f"({text})"


def _is_one(text: str, *forms: re.Pattern[str]) -> bool:
    flat = _flat(text)
    return any(form.fullmatch(flat) for form in forms)


def _flat(text: str) -> str:
    """Returns a text with one sign for each outermost pair of brackets."""
    flat, depth = [], 0
    for c in text.strip():
        depth += c in OPENING
        if not depth:
            flat.append(c)
        if c in CLOSING and depth:
            depth -= 1
            flat.extend(GROUP if not depth else "")
    return "".join(flat) if not depth else text.strip()
