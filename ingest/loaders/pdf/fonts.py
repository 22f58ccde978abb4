"""Tells bold and italic type in a PDF page by the fonts' names and flags."""

from __future__ import annotations

import ctypes
import re

import pypdfium2.raw as pdfium_c

BOLD = re.compile(r"bold|black|heavy|demi|(?<![a-z])medi$|^(?:[a-z]{6}\+)?(?:cm|sf|ec)(?:b|ssb)[a-z]*\d", re.IGNORECASE)
ITALIC = re.compile(r"ital|obli|slant|-it$|^(?:[a-z]{6}\+)?(?:cm|sf|ec)(?:ti|sl|bxti)\d", re.IGNORECASE)
# Flags of a font's descriptor: PDF 32000-1, table 123.
ITALIC_FLAG, FORCE_BOLD_FLAG = 1 << 6, 1 << 18
LONGEST_NAME = 256

Style = tuple[bool, bool]


class Fonts:
    """The fonts of one page."""

    def __init__(self, textpage: pdfium_c.FPDF_TEXTPAGE) -> None:
        self._textpage = textpage
        self._styles: dict[int, Style] = {}
        self._name = ctypes.create_string_buffer(LONGEST_NAME)
        self._flags = ctypes.c_int()

    def style_at(self, index: int) -> Style:
        """Returns whether the character at `index` is bold, and whether it is italic."""
        drawn = pdfium_c.FPDFText_GetTextObject(self._textpage, index)
        font = pdfium_c.FPDFTextObj_GetFont(drawn) if drawn else None
        if not font:
            return False, False
        address = ctypes.addressof(font.contents)
        if address not in self._styles:
            self._styles[address] = self._style(index)
        return self._styles[address]

    def _style(self, index: int) -> Style:
        size = pdfium_c.FPDFText_GetFontInfo(self._textpage, index, self._name, LONGEST_NAME, self._flags)
        name = self._name.value.decode("utf-8", "replace") if 0 < size <= LONGEST_NAME else ""
        flags = self._flags.value if size else 0
        return bool(BOLD.search(name) or flags & FORCE_BOLD_FLAG), bool(ITALIC.search(name) or flags & ITALIC_FLAG)
