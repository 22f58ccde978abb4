"""Validates archived rows against the requirements of current readers, so that restored data can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from ingest.maintenance.archived_conversations import check_answer, check_earlier, check_filter
from ingest.models import Page
from ingest.reports import Reading
from ingest.settings import COLLECTION_PATTERN
from ingest.text import period_of
from ingest.word_boxes import check as check_places

# Columns with a restricted form: parts of file names, or paths and addresses.
PATTERNS = {
    ("collections", "uid"): re.compile(r"[0-9a-f]{12,32}"),
    ("collections", "name"): re.compile(COLLECTION_PATTERN),
    ("embedders", "fingerprint"): re.compile(r"[0-9A-Za-z_.-]{1,128}"),
    ("documents", "source"): re.compile(r"[^\0]+"),
    ("failures", "source"): re.compile(r"[^\0]+"),
}
TIMES = {"created", "updated", "asked", "at", "seconds"}
# Largest time in seconds since the epoch that dates can represent: up to the year 9987.
MOST_SECONDS = 253_000_000_000
MOST_DIMENSIONS = 65_536
VECTOR = np.dtype("<f4")
STRINGS, PAGES, READING = TypeAdapter(list[str]), TypeAdapter(list[Page]), TypeAdapter(Reading)

Row = Mapping[str, Any]


class NotOurs(Exception):
    """An archived database contains something that Footnote would not have written; the message names it."""


class Checks:
    """Validates rows in the order of their tables; remembers facts that later rows refer to."""

    def __init__(self) -> None:
        self._characters: dict[str, int] = {}
        self._dimensions: dict[int, int] = {}
        self._fits: Mapping[str, Callable[[Row], bool]] = {
            "embedders": self._embedder_fits,
            "periods": _period_fits,
            "segments": self._segment_fits,
            "chunks": self._chunk_fits,
            "unembedded": lambda row: min(row["chunks"], row["asked"]) >= 0,
            "vectors": self._vector_fits,
        }

    def check(self, table: str, row: Row) -> None:
        """Validates the values of a row, given by column and already of the columns' types.

        Raises:
            NotOurs: Footnote would not have written a value, or values are inconsistent.
        """
        for column, value in row.items():
            if value is not None:
                _check_value(table, column, value)
        try:
            fits = table not in self._fits or self._fits[table](row)
        except (ValueError, KeyError) as error:  # a column may be missing
            raise NotOurs(f"{table} contains an invalid row ({error})") from error
        if not fits:
            raise NotOurs(f"{table} contains a row with inconsistent values")

    def _embedder_fits(self, row: Row) -> bool:
        if "id" in row:  # formats before 3 have neither ids nor vectors
            self._dimensions[row["id"]] = row["dimensions"]
        return 1 <= int(row["dimensions"]) <= MOST_DIMENSIONS

    def _segment_fits(self, row: Row) -> bool:
        """Checks that a segment follows the previous one: rows come in the order in which they were written."""
        start, stop, characters = row["start"], row["stop"], len(row["text"])
        follows = start == self._characters.get(row["version"], 0) and stop == start + characters
        self._characters[row["version"]] = stop
        pages = [Page(**page) for page in json.loads(row["page_spans"])]
        check_places(row["places"], characters, pages[-1].number if pages else 0)
        return follows and all(0 <= page.start <= page.end <= characters for page in pages)

    def _chunk_fits(self, row: Row) -> bool:
        start, stop = int(row["start"]), int(row["stop"])
        return (
            0 <= start <= stop <= self._characters.get(row["version"], stop)
        )  # a missing version is reported at the end

    def _vector_fits(self, row: Row) -> bool:
        vector = np.frombuffer(row["vector"], VECTOR)
        return len(vector) == self._dimensions.get(row["embedder"], len(vector)) and bool(np.isfinite(vector).all())


def _period_fits(row: Row) -> bool:
    return bool(period_of(row["period"]) == row["period"])


def _check_value(table: str, column: str, value: Any) -> None:
    place = (table, column)
    if place in PATTERNS and not PATTERNS[place].fullmatch(value):
        raise NotOurs(f"{table}.{column} contains an invalid name")
    if column in TIMES and not 0 <= value < MOST_SECONDS:
        raise NotOurs(f"{table}.{column} contains an invalid time")
    if place in JSON:
        _check_json(place, value)


def _check_json(place: tuple[str, str], value: str) -> None:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise NotOurs(f"{'.'.join(place)} contains invalid JSON") from error
    try:
        JSON[place](found)
    except Exception as error:
        raise NotOurs(f"{'.'.join(place)} contains JSON of an unexpected form") from error


def _check_strings(found: Any) -> None:
    "".join(STRINGS.validate_python(found, strict=True)).encode()


def _check_pages(found: Any) -> None:
    PAGES.validate_json(json.dumps(found), strict=True)
    for page in found:
        Page(**page)


def _check_reading(found: Any) -> None:
    READING.validate_json(json.dumps(found), strict=True)
    Reading(**found)


JSON: Mapping[tuple[str, str], Callable[[Any], None]] = {
    ("versions", "warnings"): _check_strings,
    ("versions", "reading"): _check_reading,
    ("segments", "page_spans"): _check_pages,
    ("chunks", "heading"): _check_strings,
    ("conversations", "filter"): check_filter,
    ("exchanges", "answer"): check_answer,
    ("exchanges", "earlier"): check_earlier,
}
