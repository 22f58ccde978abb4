"""Reads structured data: JSON, JSON Lines, notebooks, XML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ingest.errors import DamagedDocument
from ingest.loaders.containers.zip_package import parse_xml
from ingest.loaders.document_builder import Builder
from ingest.loaders.markup.html import read_html
from ingest.loaders.markup.markdown import read_markdown
from ingest.loaders.plain_text import decode, normalise
from ingest.loaders.source import Source
from ingest.models import Document

XHTML = "{http://www.w3.org/1999/xhtml}html"
LINES_SUFFIXES = frozenset({".ndjson", ".jsonl"})
# Records with more fields, or longer values, are more readable one by one than as rows of a table.
MOST_COLUMNS = 12
MOST_CELL = 200
FEWEST_ROWS = 2
DEEPEST = 200
MARKUP = re.compile(r"<(?:p|br|div|a|b|i|em|strong|ul|li|img|span|h\d)\b[^<>]*+>", re.IGNORECASE)
DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# Fields that name a record.
NAMES = ("title", "name", "headline", "subject", "id", "_id", "key")


def load_json(source: Source) -> Document:
    """Reads JSON or JSON Lines: uniform records as a table, other data as an outline of names and values.

    Raises:
        DamagedDocument: it is neither.
    """
    text = decode(source.data, source).lstrip("\ufeff")
    builder = Builder(source.output)
    _add_value(builder, _values(text, source), level=1)
    return builder.build()


def load_notebook(source: Source) -> Document:
    """Reads a Jupyter notebook: its prose, code and printed output.

    Raises:
        DamagedDocument: it is not a notebook.
    """
    notebook = _parsed(decode(source.data, source).lstrip("\ufeff"), source)
    sheets = notebook.get("worksheets") if isinstance(notebook, dict) else None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(sheets, list):  # format 3
        cells = [cell for sheet in sheets for cell in sheet.get("cells", [])]
    if not isinstance(cells, list):
        raise DamagedDocument(f"{source} is not a notebook: it has no cells. Correct its file extension.")
    builder = Builder(source.output)
    for cell in cells:
        if isinstance(cell, dict):
            _add_cell(builder, cell)
    return builder.build(builder.first_heading())


def load_xml(source: Source) -> Document:
    """Reads the text of XML elements, each leaf with its name, under their parent elements.

    Raises:
        DamagedDocument: it is not well-formed, or declares entities or external references.
    """
    data = source.data
    if b"\0" in data:  # UTF-16 or UTF-32, regardless of its declaration
        data = DECLARATION.sub("", decode(data, source).lstrip("\ufeff")).encode()
    root = parse_xml(data, source, "XML")
    if root.tag == XHTML:
        return read_html(source.data, source.output)
    builder = Builder(source.output)
    _Outline(builder).add(root, 0)
    return builder.build(_feed_title(root))


def _values(text: str, source: Source) -> Any:
    if source.suffix not in LINES_SUFFIXES:
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            lines = [line for line in _lines_of(text) if line.strip()]
            if len(lines) < FEWEST_ROWS or not all(line.lstrip().startswith(("{", "[")) for line in lines[:3]):
                raise _not_json(source, error) from error
        except RecursionError as error:
            raise DamagedDocument(f"{source} is nested too deeply to be read.") from error
    return [_parsed(line, source, number) for number, line in enumerate(_lines_of(text), start=1) if line.strip()]


def _lines_of(text: str) -> list[str]:
    """Splits text into lines as JSON Lines does: other Unicode line ends, such as U+2028, may occur in a value."""
    return text.replace("\r\n", "\n").split("\n")


def _parsed(text: str, source: Source, line: int = 0) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _not_json(source, error, line) from error
    except RecursionError as error:
        raise DamagedDocument(f"{source} is nested too deeply to be read.") from error


def _not_json(source: Source, error: json.JSONDecodeError, line: int = 0) -> DamagedDocument:
    at = f"line {line or error.lineno}, column {error.colno}"
    return DamagedDocument(f"{source} is not valid JSON: {error.msg} at {at}. Correct it there, or get an intact copy.")


def _add_value(builder: Builder, value: Any, level: int) -> None:
    """Adds a value as a table if possible, else record by record."""
    if isinstance(value, list) and _is_table(value):
        builder.add_table(_as_rows(value))
    elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
        for number, record in enumerate(value, start=1):
            name = next((str(record[key]) for key in NAMES if isinstance(record.get(key), str | int)), "")
            builder.add_heading(min(level, 6), name[:MOST_CELL] or f"Record {number}")
            _add_record(builder, record, level + 1)
    elif isinstance(value, dict):
        _add_record(builder, value, level)
    else:
        builder.add("paragraph", "\n".join(_lines(value, 0)))


def _add_record(builder: Builder, record: dict[str, Any], level: int) -> None:
    """Adds plain fields as lines, and fields that hold records under headings of their own."""
    gathered: list[str] = []
    for key, value in record.items():
        inner = isinstance(value, dict | list) and value and not _is_plain(value)
        if inner and level <= 6:  # noqa: PLR2004 - headings go no deeper
            builder.add("paragraph", "\n".join(gathered))
            gathered = []
            builder.add_heading(level, str(key))
            _add_value(builder, value, level + 1)
        else:
            gathered.extend(_lines({key: value}, 0))
    builder.add("paragraph", "\n".join(gathered))


def _is_plain(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return not any(isinstance(one, dict | list) for one in items)


def _is_table(records: Sequence[Any]) -> bool:
    if len(records) < FEWEST_ROWS or not all(isinstance(one, dict) and one and _is_plain(one) for one in records):
        return False
    columns = {key for one in records for key in one}
    filled = sum(len(one) for one in records) / (len(columns) * len(records))
    short = all(len(str(value)) <= MOST_CELL for one in records for value in one.values())
    return len(columns) <= MOST_COLUMNS and filled > 1 / 2 and short


def _as_rows(records: Sequence[dict[str, Any]]) -> list[list[str]]:
    columns = list(dict.fromkeys(key for one in records for key in one))
    return [columns, *([_scalar(one.get(key)) for key in columns] for one in records)]


def _lines(value: Any, depth: int) -> Iterator[str]:
    """Yields an outline: a line per value, the values of a group indented under its name."""
    if depth > DEEPEST:
        yield "…"
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, list) and inner and _is_plain(inner):
                yield f"{'  ' * depth}{key}: {', '.join(map(_scalar, inner))}"
            elif isinstance(inner, dict | list) and inner:
                yield f"{'  ' * depth}{key}:"
                yield from _lines(inner, depth + 1)
            else:
                yield f"{'  ' * depth}{key}: {_scalar(inner)}"
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list):
                yield from _lines(inner, depth + 1)
            else:
                yield f"{'  ' * depth}- {_scalar(inner)}"
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or value in ({}, []) else json.dumps(value, ensure_ascii=False)


def _add_cell(builder: Builder, cell: dict[str, Any]) -> None:
    text = _joined(cell.get("source", cell.get("input", "")))
    kind = cell.get("cell_type")
    if kind == "markdown":
        builder.insert(read_markdown(normalise(text)))
    elif kind == "heading":
        builder.add_heading(min(int(cell.get("level") or 1), 6), text)
    elif kind == "code":
        builder.add("code", f"```\n{text.strip()}\n```" if text.strip() else "")
        for output in cell.get("outputs") or []:
            if isinstance(output, dict):
                builder.add("paragraph", _output(output))
    else:
        builder.add("paragraph", text)


def _output(output: dict[str, Any]) -> str:
    """Returns a cell's printed output, or its result as text; pictures are skipped."""
    data = output.get("data") if isinstance(output.get("data"), dict) else output
    text = output.get("text") or (data or {}).get("text/plain") or ""
    if output.get("output_type") in {"error", "pyerr"}:
        text = f"{output.get('ename', '')}: {output.get('evalue', '')}"
    return _joined(text).strip()


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


class _Outline:
    """Converts XML to an outline: an element with children becomes a group of lines, one with groups a heading."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._lines: list[str] = []

    def add(self, element: Any, depth: int) -> None:
        groups = [child for child in element if isinstance(child.tag, str) and len(child)]
        name = _own_name(element)
        if (groups or name) and 0 < depth <= 6:  # noqa: PLR2004 - headings go no deeper
            self._flush()
            self._builder.add_heading(depth, name or _tag(element))
        self._say(element, leaf=False)
        for child in element:
            if isinstance(child.tag, str):
                if len(child) and depth < DEEPEST:
                    self.add(child, depth + 1)
                elif len(child):
                    self._lines.append(" ".join("".join(child.itertext()).split()))
                else:
                    self._say(child, leaf=True)
            if child.tail and child.tail.strip():
                self._lines.append(" ".join(child.tail.split()))
        self._flush()

    def _say(self, element: Any, *, leaf: bool) -> None:
        said = [f"{_local(key)}: {value}" for key, value in element.attrib.items() if value.strip()]
        text = " ".join((element.text or "").split())
        if MARKUP.search(text):
            with self._builder.output.apart():
                page = read_html(f"<html><body>{text}</body></html>", self._builder.output)
            text = " ".join(page.text.split())
        if text:
            said.append(f"{_tag(element)}: {text}" if leaf else text)
        self._lines.extend(said)

    def _flush(self) -> None:
        self._builder.add("paragraph", "\n".join(self._lines))
        self._lines = []


def _own_name(element: Any) -> str:
    """Returns an element's name from a title or name element in it, as in the entries of a feed."""
    named = {_tag(child): (child.text or "").strip() for child in element if isinstance(child.tag, str)}
    return next((named[name] for name in NAMES[:4] if named.get(name)), "")[:MOST_CELL]


def _feed_title(root: Any) -> str:
    channel = next((child for child in root if isinstance(child.tag, str) and _tag(child) == "channel"), root)
    return _own_name(channel)


def _tag(element: Any) -> str:
    return _local(element.tag)


def _local(name: str) -> str:
    return name.rsplit("}", 1)[-1]
