"""Reads a page's lines with word positions, and the rules drawn on it, with PDFium."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ingest.loaders.page_layout import Line, Rule, Word
from ingest.loaders.pdf.fonts import Fonts

# Line ends, and words; a word may end in PDFium's marker for hyphenation at a line's end.
TOKEN = re.compile(r"[\r\n]+|[^\s\0\x02\ufffe]*[\x02\ufffe]|[^\s\0\x02\ufffe]+")
DIVIDING_HYPHENS = {"\x02": "\u00ad", "\ufffe": "\u00ad"}
LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
INVISIBLE = [*range(0x200B, 0x2010), 0x2060, 0xFEFF, 0xAD, *range(0xD800, 0xE000)]  # and lone surrogates
REPLACED = {**dict.fromkeys(INVISIBLE), **{ord(c): words for c, words in (LIGATURES | DIVIDING_HYPHENS).items()}}
INK, UNKNOWN = re.compile(r"[^\0-\x20]+"), re.compile("[\ufffd\ue000-\uf8ff]")
# A word with a glyph that has no usable character beside a letter; one alone is a bullet or another sign.
LOSSY_WORD = re.compile(r"[^\W\d_][\0\ufffd\ue000-\uf8ff]|[\0\ufffd\ue000-\uf8ff][^\W\d_]")
LOST = str.maketrans(dict.fromkeys([0, *range(0xE000, 0xF900)], "\ufffd"))
# Words further apart than this many line heights belong to different columns or cells.
CELL_GAP = 0.65
# A drawn shape thinner than this, in points, is a rule; shorter ones than the minimum are other marks.
THIN = 3.0
SHORTEST_RULE = 12.0
MOST_OBJECTS = 20_000
QUARTER, HALF = 90, 180

Point = tuple[float, float]
ToPoint = Callable[[float, float], Point]


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's content. Positions in points from the lower left of the displayed page of size `width` by `height`.

    `characters` counts text characters; `unknown` counts those without a Unicode mapping. `lossy` is the fraction of
    words in which a letter has none; such letters are U+FFFD in the text. `pictures` is the fraction of the page
    covered by pictures; `drawn` is True if anything is drawn on it.
    """

    width: float
    height: float
    lines: tuple[Line, ...]
    rules: tuple[Rule, ...]
    characters: int
    unknown: int
    lossy: float
    pictures: float
    drawn: bool


def read_page(page: pdfium.PdfPage) -> PageText:
    """Reads one page. Raises PdfiumError if it is damaged."""
    view = _view(page)
    textpage = page.get_textpage()
    try:
        raw, code_at = textpage.raw, pdfium_c.FPDFText_GetUnicode
        codes = [code_at(raw, i) for i in range(textpage.count_chars())]
        text = "".join([chr(code) if code < 0x110000 else "\ufffd" for code in codes])  # noqa: PLR2004 - the last code
        text = LOSSY_WORD.sub(lambda found: found.group().translate(LOST), text)
        lines = tuple(_lines(textpage.raw, text, view.point, Fonts(textpage.raw)))
    finally:
        textpage.close()
    rules, pictures, drawn = _drawn(page, view.point)
    written = sum(map(len, INK.findall(text)))
    area = max(view.width * view.height, 1.0)
    unknown = len(UNKNOWN.findall(text))
    lossy = [word for line in lines for word in line.words if "\ufffd" in word.text]
    share = len(lossy) / max(sum(len(line.words) for line in lines), 1)
    return PageText(view.width, view.height, lines, rules, written, unknown, share, min(pictures / area, 1.0), drawn)


@dataclass(frozen=True, slots=True)
class _View:
    """The transformation from positions in the file to positions on the displayed page."""

    width: float
    height: float
    point: ToPoint


def _view(page: pdfium.PdfPage) -> _View:
    left, bottom, right, top = page.get_cropbox()
    rotation = page.get_rotation()
    wide, high = abs(right - left), abs(top - bottom)
    turns: dict[int, ToPoint] = {
        0: lambda x, y: (x - left, y - bottom),
        QUARTER: lambda x, y: (y - bottom, right - x),
        HALF: lambda x, y: (right - x, top - y),
    }
    turn = turns.get(rotation, lambda x, y: (top - y, x - left))
    return _View(high, wide, turn) if rotation % HALF else _View(wide, high, turn)


def _lines(textpage: pdfium_c.FPDF_TEXTPAGE, text: str, point: ToPoint, fonts: Fonts) -> Iterator[Line]:
    """Yields lines in file order, divided where words are far apart."""
    words: list[Word] = []
    for found in TOKEN.finditer(text):
        token = found.group()
        if token[0] in "\r\n":
            yield from _segments(words)
            words = []
            continue
        shown = token if token.isascii() and token.isprintable() else _shown(token)
        if shown:
            divided = shown[-1] == "\u00ad" and len(token) > 1
            box = _box(textpage, found.start(), found.end() - 1 - divided, point)
            words.append(Word(shown, *box, *fonts.style_at(found.start())))
    yield from _segments(words)


def _shown(token: str) -> str:
    """Removes invisible characters from a word, and expands its ligatures."""
    return "".join(c for c in token.translate(REPLACED) if c.isprintable() or c == "\u00ad")


def _box(textpage: pdfium_c.FPDF_TEXTPAGE, first: int, last: int, point: ToPoint) -> tuple[float, float, float, float]:
    """Returns left, right, bottom and top of the characters from `first` to `last`, using the font's height."""
    box = pdfium_c.FS_RECTF()
    corners: list[Point] = []
    for index in {first, last}:
        pdfium_c.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(box))
        corners += [point(box.left, box.bottom), point(box.right, box.top)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), max(xs), min(ys), max(ys)


def _segments(words: Sequence[Word]) -> Iterator[Line]:
    run: list[Word] = []
    for word in words:
        if run and _is_apart(run[-1], word):
            yield _line(run)
            run = []
        run.append(word)
    if run:
        yield _line(run)


def _is_apart(before: Word, word: Word) -> bool:
    """Returns True if a word is in another cell or column, or on the next line, which PDFium joins at a hyphen."""
    wide = word.left - before.right > CELL_GAP * max(before.top - before.bottom, 1.0)
    return wide or (before.text.endswith("\u00ad") and word.left < before.left)


def _line(words: Sequence[Word]) -> Line:
    first, middle, last = words[0], words[len(words) // 2], words[-1]
    sizes = sorted(word.top - word.bottom for word in (first, middle, last))
    return Line(
        text=" ".join(word.text for word in words),
        left=min(word.left for word in words),
        right=max(word.right for word in words),
        bottom=min(first.bottom, last.bottom),
        top=max(first.top, last.top),
        size=round(sizes[1], 1),
        words=tuple(words),
    )


def _drawn(page: pdfium.PdfPage, point: ToPoint) -> tuple[tuple[Rule, ...], float, bool]:
    """Returns the rules on a page, the area covered by pictures, and True if anything is drawn."""
    rules: list[Rule] = []
    pictures, drawn = 0.0, False
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    for i in range(min(pdfium_c.FPDFPage_CountObjects(page.raw), MOST_OBJECTS)):
        drawing = pdfium_c.FPDFPage_GetObject(page.raw, i)
        kind = pdfium_c.FPDFPageObj_GetType(drawing)
        drawn = True
        if kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
            continue
        if not pdfium_c.FPDFPageObj_GetBounds(drawing, left, bottom, right, top):
            continue
        corners = point(left.value, bottom.value), point(right.value, top.value)
        (x0, x1), (y0, y1) = sorted(x for x, _ in corners), sorted(y for _, y in corners)
        if kind in {pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_FORM}:
            pictures += (x1 - x0) * (y1 - y0) if kind == pdfium_c.FPDF_PAGEOBJ_IMAGE else 0.0
        elif kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            rules.extend(_rules(x0, x1, y0, y1, drawing))
    return tuple(rules), pictures, drawn


def _rules(x0: float, x1: float, y0: float, y1: float, path: object) -> Iterator[Rule]:
    """Yields a thin shape as one rule, and each side of an outlined rectangle as a rule."""
    wide, high = x1 - x0, y1 - y0
    if high <= THIN and wide >= SHORTEST_RULE:
        yield Rule(x0, x1, (y0 + y1) / 2, (y0 + y1) / 2)
    elif wide <= THIN and high >= SHORTEST_RULE:
        yield Rule((x0 + x1) / 2, (x0 + x1) / 2, y0, y1)
    elif wide >= SHORTEST_RULE and high >= THIN and pdfium_c.FPDFPath_CountSegments(path) in {4, 5}:
        shade = not _is_stroked(path)
        yield from (Rule(x0, x1, y0, y0, shade), Rule(x0, x1, y1, y1, shade))
        yield from (Rule(x0, x0, y0, y1, shade), Rule(x1, x1, y0, y1, shade))


def _is_stroked(path: object) -> bool:
    """Returns True if a path's outline is drawn; a path that is only filled is shading."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    return bool(pdfium_c.FPDFPath_GetDrawMode(path, fill, stroke) and stroke.value)
