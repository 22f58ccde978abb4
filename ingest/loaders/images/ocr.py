"""Recognises text in pictures with RapidOCR and the models in its package; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ingest.loaders.page_layout import Line, PageLines, Word

if TYPE_CHECKING:
    from PIL import Image

# Below this confidence, recognised text is more often wrong than right.
LEAST_CONFIDENCE = 0.5
# Minimum confidence in the orientation of a line.
SURE = 0.9
# A line this many times as high as wide is vertical.
TALL = 1.5
# Lines whose heights differ by less than this fraction have the same size.
SAME_SIZE = 0.3

# Messages of the underlying libraries when memory runs out.
OUT_OF_MEMORY = ("bad_alloc", "Insufficient memory", "Failed to allocate", "OutOfMemory")

Point = tuple[float, float]


def recognise(picture: Image.Image, width: float = 0.0, height: float = 0.0) -> PageLines:
    """Recognises the text in a picture of a page.

    Args:
        picture: in any mode.
        width: width of the page, in the unit of the result; 0 for the picture's width in pixels.
        height: height of the page.

    Returns:
        Its lines, and their mean confidence, weighted by the lines' lengths.
    """
    width, height = width or picture.width, height or picture.height
    engine = _engine()
    found = _recognised(engine, np.asarray(picture.convert("RGB"))[:, :, ::-1])
    if found.txts is None:
        return PageLines(width, height, (), read="ocr")
    across, down = width / picture.width, height / picture.height
    boxes = [[(float(x) * across, float(y) * down) for x, y in corners] for corners in found.boxes]
    turned = _turned(boxes, engine.upside_down)
    seen = (height, width) if turned % 180 else (width, height)
    lines, scores = [], []
    for text, score, corners, found_words in zip(found.txts, found.scores, boxes, _words(found), strict=True):
        if score >= LEAST_CONFIDENCE and text.strip():
            upright = [_turn(corner, width, height, turned) for corner in corners]
            shares = _shares(text.split(), found_words, across, down, corners)
            lines.append(_line(text.split(), shares, upright, seen[1]))
            scores.append((float(score), len(text)))
    if not lines:
        return PageLines(width, height, (), read="ocr")
    confidence = round(sum(score * n for score, n in scores) / sum(n for _, n in scores), 3)
    lines.sort(key=lambda line: -line.top)
    return PageLines(*seen, tuple(_evened(lines)), read="ocr", confidence=confidence, turned=turned)


def _recognised(engine: Any, pixels: npt.NDArray[np.uint8]) -> Any:
    try:
        return engine(pixels, return_word_box=True)
    except Exception as error:
        if any(sign in str(error) for sign in OUT_OF_MEMORY):
            raise MemoryError(str(error)) from error
        raise


def _turned(boxes: list[list[Point]], upside_down: float) -> int:
    """Returns the clockwise rotation, in degrees, that makes most lines of the page upright."""
    tall = sum(_extent(box, 1) > TALL * _extent(box, 0) for box in boxes) > len(boxes) / 2
    if tall:  # the engine rotates such lines left before it detects their orientation
        return 90 if upside_down > 1 / 2 else 270
    return 180 if upside_down > 1 / 2 else 0


def _extent(box: Sequence[Point], axis: int) -> float:
    values = [point[axis] for point in box]
    return max(values) - min(values)


def _turn(point: Point, width: float, height: float, turned: int) -> Point:
    """Returns the position of a point, measured from the upper left, after rotating the page clockwise."""
    x, y = point
    return {90: (height - y, x), 180: (width - x, height - y), 270: (y, width - x)}.get(turned, point)


def _words(found: Any) -> Sequence[Sequence[Any]]:
    """Returns the words of each line as (text, score, corners); empty if the engine returned none."""
    return found.word_results or [()] * len(found.txts)


def _shares(
    words: Sequence[str], found: Sequence[Any], across: float, down: float, corners: Sequence[Point]
) -> list[tuple[float, float]]:
    """Returns the start and end of each word of a line, as fractions of its length.

    The engine reports them as if every line were upright, as needed here. If its words differ from those of the text
    (in scripts without spaces), words get positions in proportion to their lengths.
    """
    if [word[0] for word in found] == list(words):
        axis, scale = (1, down) if _extent(corners, 1) > TALL * _extent(corners, 0) else (0, across)
        begin, length = min(corner[axis] for corner in corners), max(_extent(corners, axis), 1e-6)
        places = [[float(point[axis]) * scale for point in word[2]] for word in found]
        return [((min(place) - begin) / length, (max(place) - begin) / length) for place in places]
    shares, at, whole = [], 0, max(sum(map(len, words)) + len(words) - 1, 1)
    for word in words:
        shares.append((at / whole, (at + len(word)) / whole))
        at += len(word) + 1
    return shares


def _line(words: Sequence[str], shares: Sequence[tuple[float, float]], corners: Sequence[Point], height: float) -> Line:
    """Builds a line from words; `corners` are measured from the page's upper left."""
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    bottom, top = height - max(y for _, y in corners), height - min(y for _, y in corners)
    wide = right - left
    placed = (
        Word(word, left + begin * wide, left + end * wide, bottom, top)
        for word, (begin, end) in zip(words, shares, strict=True)
    )
    return Line(" ".join(words), left, right, bottom, top, round(top - bottom, 1), tuple(placed))


def _evened(lines: list[Line]) -> list[Line]:
    """Sets lines of nearly the usual height to exactly that: measured heights depend on a line's letters."""
    usual = round(median(line.size for line in lines), 1)
    return [
        Line(one.text, one.left, one.right, one.bottom, one.top, usual, one.words)
        if abs(one.size - usual) <= SAME_SIZE * usual
        else one
        for one in lines
    ]


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR  # noqa: PLC0415 - takes a second to load

    class Engine(RapidOCR):
        """Remembers the fraction of lines that it found upside down."""

        upside_down = 0.0

        def cls_and_rotate(self, img: list[Any]) -> Any:
            images, result = super().cls_and_rotate(img)
            found = [label for label, score in result.cls_res or () if score > SURE]
            self.upside_down = sum(label == "180" for label in found) / len(found) if found else 0.0
            return images, result

    one_thread = {f"EngineConfig.onnxruntime.{name}_op_num_threads": 1 for name in ("intra", "inter")}
    return Engine(params={"Global.log_level": "critical", **one_thread})
