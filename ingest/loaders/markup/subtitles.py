"""Reads subtitles (WebVTT, SubRip) as paragraphs labelled with their times."""

from __future__ import annotations

import html
import re

from ingest.loaders.document_builder import Builder
from ingest.loaders.plain_text import decode, normalise
from ingest.loaders.source import Source
from ingest.models import Document

MOMENT = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
CUE = re.compile(rf"^[^\S\n]*+{MOMENT}\s*+-->\s*+{MOMENT}.*$", re.MULTILINE)
VOICE = re.compile(r"<v(?:\.[^\s<>]*+)?\s++([^<>]++)>")
TAG = re.compile(r"</?[a-z0-9.:/ _-]*+>|\{\\[^{}]*+\}", re.IGNORECASE)
# Cues that begin within this many seconds form one paragraph.
PARAGRAPH_SECONDS = 60


def load_subtitles(source: Source) -> Document:
    """Reads a .vtt or .srt file.

    Raises:
        DamagedDocument: it contains bytes that are not text.
    """
    text = normalise(decode(source.data, source))
    cues = list(CUE.finditer(text))
    builder = Builder(source.output)
    gathered: list[str] = []
    began = 0.0
    for i, cue in enumerate(cues):
        at = _seconds(cue)
        if not gathered or at - began >= PARAGRAPH_SECONDS:
            builder.add("paragraph", "\n".join(gathered))
            gathered, began = [], at
            builder.begin_page(f"at {_clock(at)}")
        end = cues[i + 1].start() if i + 1 < len(cues) else len(text)
        said = _said(text[cue.end() : end])
        if said and said not in gathered[-1:]:
            gathered.append(said)
    builder.add("paragraph", "\n".join(gathered))
    first = text.split("\n", 1)[0].removeprefix("WEBVTT").strip(" -\ufeff") if text.startswith("WEBVTT") else ""
    return builder.build(first)


def _said(block: str) -> str:
    """Returns a cue's words on one line, without the next cue's number or name on the last line."""
    paragraph = block.strip("\n").split("\n\n")[0]
    words = VOICE.sub(r"\1: ", paragraph)
    return " ".join(html.unescape(TAG.sub("", words)).split())


def _seconds(cue: re.Match[str]) -> float:
    hours, minutes, seconds, parts = cue.group(1, 2, 3, 4)
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(parts.ljust(3, "0")) / 1000


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
