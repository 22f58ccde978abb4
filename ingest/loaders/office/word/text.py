"""Reads the text of Word's paragraphs: links, fields and insertions, without deletions and hidden text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docx.document import Document as WordDocument
from docx.oxml.ns import qn

from ingest.loaders.formulas import omml_text

FORMULA = "{http://schemas.openxmlformats.org/officeDocument/2006/math}oMath"
RUN, TEXT = qn("w:r"), qn("w:t")
LEFT_OUT = frozenset(
    map(qn, ("w:del", "w:pPr", "w:rPr", "w:txbxContent", "w:instrText", "w:moveFrom", "w:delText", "w:rt"))
)
BLOCKS = frozenset({qn("w:p"), qn("w:tbl")})
WRAPPERS = frozenset(map(qn, ("w:sdt", "w:sdtContent", "w:ins", "w:customXml", "w:smartTag", "w:moveTo")))
MARKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
OFF = frozenset({"0", "false", "off"})


class TextReader:
    """Reads paragraphs.

    Attributes:
        hidden: number of characters of hidden text left out so far.
    """

    def __init__(self, word: WordDocument) -> None:
        self.hidden = 0
        self._hidden_styles = frozenset(style.style_id for style in word.styles if _hides(style))

    def paragraph(self, paragraph: Any) -> str:
        """Returns a paragraph's text without that of its text boxes."""
        parts: list[str] = []
        styled = self._is_styled(paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}"))
        pending = list(reversed(paragraph))
        while pending:
            element = pending.pop()
            if element.tag in LEFT_OUT or is_fallback(element):
                continue
            if element.tag == RUN and self._is_hidden(element, styled):
                self.hidden += sum(len((text.text or "").strip()) for text in element.iter(TEXT))
            elif element.tag == TEXT:
                parts.append(element.text or "")
            elif element.tag == FORMULA:
                parts.append(omml_text(element))
            elif element.tag in MARKS:
                parts.append(MARKS[element.tag])
            else:
                pending.extend(reversed(element))
        return "".join(parts)

    def all_words(self, part: Any) -> str:
        """Returns all words of an element, on one line."""
        return " ".join(" ".join(self.paragraph(p).split()) for p in part.iter(qn("w:p"))).strip()

    def _is_hidden(self, run: Any, styled: bool) -> bool:
        properties = run.find(qn("w:rPr"))
        if properties is None:
            return styled
        own = properties.find(qn("w:vanish"))
        if own is not None:
            return own.get(qn("w:val")) not in OFF
        return styled or self._is_styled(properties.find(qn("w:rStyle")))

    def _is_styled(self, style: Any) -> bool:
        return style is not None and style.get(qn("w:val")) in self._hidden_styles


def blocks(parent: Any) -> Iterator[Any]:
    """Yields paragraphs and tables of an element, including those in content controls and tracked insertions."""
    for child in parent:
        if child.tag in BLOCKS:
            yield child
        elif child.tag in WRAPPERS:
            yield from blocks(child)


def text_boxes(paragraph: Any) -> Iterator[Any]:
    """Yields the contents of a paragraph's text boxes."""
    for box in paragraph.iter(qn("w:txbxContent")):
        above = list(box.iterancestors())
        inside = above[: above.index(paragraph)]
        if not any(is_fallback(one) or one.tag == box.tag for one in inside):
            yield box


def is_fallback(element: Any) -> bool:
    """Returns True for the copy of a drawing that older programs show."""
    return isinstance(element.tag, str) and element.tag.endswith("}Fallback")


def _hides(style: Any) -> bool:
    at = style
    while at is not None:
        vanish = at.element.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
        if vanish is not None:
            return vanish.get(qn("w:val")) not in OFF
        at = getattr(at, "base_style", None)
    return False
