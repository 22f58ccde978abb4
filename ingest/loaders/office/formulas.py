"""Converts formulas of Office documents (OMML) to one line of text as typed: a^2 + b_i, (x + 1)/2, √(y)."""

from __future__ import annotations

from typing import Any

# Separators between the parts of an element, in order, by its name.
BETWEEN = {"sSup": ("^",), "sSub": ("_",), "sSubSup": ("_", "^"), "f": ("/",), "func": (" ",)}
DEEPEST = 60


def formula(element: Any, depth: int = 0) -> str:
    """Returns the text of a formula element."""
    name = _name(element)
    if name == "t" or depth > DEEPEST:
        return "".join(element.itertext())
    parts = [(_name(child), formula(child, depth + 1)) for child in element if not _name(child).endswith("Pr")]
    match name:
        case "rad":
            text = dict(parts)
            return f"{text.get('deg', '')}√({text.get('e', '')})"
        case "nary":
            return _with_bounds(element, dict(parts))
        case "d":
            return f"({', '.join(text for part, text in parts if part == 'e')})"
        case _ if name in BETWEEN:
            first, *more = [_held(text) for _, text in parts] or [""]
            return first + "".join(mark + text for mark, text in zip(BETWEEN[name], more, strict=False))
    return "".join(text for _, text in parts)


def _with_bounds(element: Any, parts: dict[str, str]) -> str:
    """Returns the text of a sum, product or integral."""
    signs = (value for one in element.iter() if _name(one) == "chr" for value in one.attrib.values())
    bounds = "".join(mark + _held(parts[part]) for part, mark in (("sub", "_"), ("sup", "^")) if parts.get(part))
    return f"{next(signs, '∫')}{bounds} {parts.get('e', '')}"


def _held(text: str) -> str:
    """Puts a part with several terms in brackets."""
    return f"({text})" if len(text) > 1 and any(sign in text for sign in "+-\u2212*/ =") else text


def _name(element: Any) -> str:
    """Returns an element's local name; comments count as properties, which are skipped."""
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else "Pr"
