"""Reads the words of OpenDocument's elements."""

from __future__ import annotations

from typing import Any

from ingest.loaders.containers.zip_package import Package
from ingest.loaders.source import Source

NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
MANIFEST = "META-INF/manifest.xml"
DEEPEST = 100
# White space and cells may be declared as repeated many times.
MOST_REPEATED = 64


def q(name: str) -> str:
    """Converts `text:p` to ElementTree's form."""
    prefix, local = name.split(":")
    return f"{{{NAMESPACE.format({'draw': 'drawing'}.get(prefix, prefix))}}}{local}"


P, H, SPACES, TAB, BREAK = map(q, ("text:p", "text:h", "text:s", "text:tab", "text:line-break"))
NOTE, BOX, TABLE, LIST_NUMBER = map(q, ("text:note", "draw:text-box", "table:table", "text:number"))
COUNT = q("text:c")
DESCRIPTION = "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}desc"
LEFT_OUT = frozenset(
    {
        DESCRIPTION,
        LIST_NUMBER,
        *map(q, ("text:tracked-changes", "office:annotation", "text:sequence-decls", "office:forms")),
    }
)


def check_unlocked(package: Package, source: Source) -> None:
    """Checks that a package can be read without a password.

    Raises:
        EncryptedDocument: a password is needed.
    """
    if MANIFEST in package.names and b"encryption-data" in package.read(MANIFEST):
        raise source.locked()


def number_of(element: Any, name: str, default: int = 1) -> int:
    """Returns an attribute that is a whole number."""
    value = element.get(name) or ""
    return int(value) if value.isdecimal() else default


def text_of(element: Any) -> str:
    """Returns an element's words without notes, comments, deletions, text boxes and inner tables."""
    parts: list[str] = []

    def walk(here: Any, depth: int) -> None:
        if here.text:
            parts.append(here.text)
        for child in here:
            if child.tag == SPACES:
                parts.append(" " * min(number_of(child, COUNT), MOST_REPEATED))
            elif child.tag == TAB:
                parts.append("\t")
            elif child.tag == BREAK:
                parts.append("\n")
            elif child.tag in {P, H} and parts:
                parts.append("\n")
                walk(child, depth + 1)
            elif child.tag not in {NOTE, TABLE, *LEFT_OUT} and not _is_box(child, element) and depth < DEEPEST:
                walk(child, depth + 1)
            if child.tail:
                parts.append(child.tail)

    walk(element, 0)
    return "".join(parts)


def _is_box(child: Any, element: Any) -> bool:
    """Returns True for a text box in a paragraph, which is read separately."""
    return bool(child.tag == BOX and element.tag in {P, H})
