"""Reads the words of OpenDocument's elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest.loaders.containers.zip_package import Package
from ingest.loaders.formulas import mathml_text
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


P, H, SPACES = map(q, ("text:p", "text:h", "text:s"))
MARKS = {q("text:tab"): "\t", q("text:line-break"): "\n"}
NOTE, BOX, TABLE, LIST_NUMBER = map(q, ("text:note", "draw:text-box", "table:table", "text:number"))
COUNT, STYLE_NAME, DISPLAY = map(q, ("text:c", "text:style-name", "text:display"))
OBJECT, ADDRESS = q("draw:object"), "{http://www.w3.org/1999/xlink}href"
MATH = "{http://www.w3.org/1998/Math/MathML}math"
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


class Words:
    """Reads the words of elements without notes, comments, deletions, text boxes, inner tables and hidden text.

    Args:
        hidden_styles: names of styles whose text is hidden.
        formula_at: returns the text of the formula at an address inside the package.

    Attributes:
        hidden: number of characters of hidden text left out so far.
    """

    def __init__(
        self, hidden_styles: frozenset[str] = frozenset(), formula_at: Callable[[str], str] = lambda _: ""
    ) -> None:
        self.hidden = 0
        self._hidden_styles = hidden_styles
        self._formula_at = formula_at

    def of(self, element: Any) -> str:
        """Returns an element's words."""
        parts: list[str] = []
        if self.is_hidden(element):
            self.hidden += len("".join(element.itertext()).strip())
        else:
            self._walk(element, element.tag in {P, H}, parts, 0)
        return "".join(parts)

    def is_hidden(self, element: Any) -> bool:
        """Returns True if an element's own style or section hides it."""
        return element.get(STYLE_NAME) in self._hidden_styles or element.get(DISPLAY) == "none"

    def _walk(self, here: Any, in_paragraph: bool, parts: list[str], depth: int) -> None:
        if here.text:
            parts.append(here.text)
        for child in here:
            if child.tag == SPACES:
                parts.append(" " * min(number_of(child, COUNT), MOST_REPEATED))
            elif child.tag in MARKS:
                parts.append(MARKS[child.tag])
            elif child.tag == MATH:
                parts.append(mathml_text(child))
            elif child.tag == OBJECT and (address := child.get(ADDRESS)):
                parts.append(self._formula_at(address))
            elif self.is_hidden(child):
                self.hidden += len("".join(child.itertext()).strip())
            elif depth < DEEPEST and not _is_apart(child, in_paragraph):
                parts.append("\n" if child.tag in {P, H} and parts else "")
                self._walk(child, in_paragraph, parts, depth + 1)
            if child.tail:
                parts.append(child.tail)


def _is_apart(element: Any, in_paragraph: bool) -> bool:
    """Returns True for what is read separately, or not at all; a text box only in a paragraph."""
    return element.tag in {NOTE, TABLE, *LEFT_OUT} or (element.tag == BOX and in_paragraph)


def text_of(element: Any) -> str:
    """Returns an element's words without notes, comments, deletions, text boxes and inner tables."""
    return Words().of(element)
