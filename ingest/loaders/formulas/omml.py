"""Converts formulas of Office documents (OMML) to a line of text."""

from __future__ import annotations

from typing import Any

from ingest.loaders.formulas.notation import (
    INVISIBLE,
    Part,
    binomial,
    fenced,
    fraction,
    function,
    matrix,
    operator,
    root,
    row,
    script,
)

DEEPEST = 60
INTEGRAL = "∫"
EMPTY = Part("")


def omml_text(element: Any) -> str:
    """Returns the text of a formula element."""
    return _part(element, 0).text.strip()


def _part(element: Any, depth: int) -> Part:  # noqa: C901, PLR0911 - a table of elements
    name = _name(element)
    if name == "t" or depth > DEEPEST:
        return Part("".join(element.itertext()).translate(INVISIBLE))
    children = [child for child in element if not _name(child).endswith("Pr")]
    if name == "m":
        return matrix([[_part(cell, depth + 1) for cell in line] for line in children])
    contents = [_part(child, depth + 1) for child in children]
    parts = dict(zip(map(_name, children), contents, strict=True))
    first = parts.get("e", EMPTY)
    match name:
        case "f":
            write = binomial if _setting(element, "type", "") == "noBar" else fraction
            return write(parts.get("num", EMPTY), parts.get("den", EMPTY))
        case "sSup" | "sSub" | "sSubSup":
            return script(first, parts.get("sub"), parts.get("sup"))
        case "sPre":
            return row([script(EMPTY, parts.get("sub"), parts.get("sup")), first])
        case "limLow" | "limUpp":
            limit = parts.get("lim")
            return script(first, *((limit, None) if name == "limLow" else (None, limit)))
        case "rad":
            return root(first, parts.get("deg"))
        case "nary":
            sign = _setting(element, "chr", INTEGRAL)
            return operator(sign, parts.get("sub"), parts.get("sup"), first)
        case "func":
            return function(parts.get("fName", EMPTY), first)
        case "d":
            opening, closing = _setting(element, "begChr", "("), _setting(element, "endChr", ")")
            return fenced(contents, opening, closing, _separator(element))
        case "eqArr":
            return Part("; ".join(part.text.strip() for part in contents))
    return row(contents)


def _separator(element: Any) -> str:
    mark = _setting(element, "sepChr", ",")
    return f"{mark} " if mark == "," else mark


def _setting(element: Any, name: str, usual: str) -> str:
    """Returns a property of an element, as "chr" of a sum; the usual one if it is not set."""
    properties = next((child for child in element if _name(child).endswith("Pr")), ())
    found = next((child for child in properties if _name(child) == name), None)
    return usual if found is None else next(iter(found.attrib.values()), "")


def _name(element: Any) -> str:
    """Returns an element's local name; comments count as properties, which are skipped."""
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else "Pr"
