"""Reads reStructuredText, AsciiDoc and Org: keeps the file's text, and derives structure from line markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ingest.loaders.plain_text import decode, normalise
from ingest.loaders.source import Source
from ingest.models import Block, BlockKind, Document

DEEPEST_HEADING = 6
# One repeated character: the line under, and over, headings in reStructuredText.
RST_RULE = re.compile(r"([=\-`:.'\"~^_*+#<>])\1{2,}\s*$")
RST_TABLE = re.compile(r"\s*(?:\+[-=+]{3,}\+|={2,}(?:\s+={2,})+)\s*$")
RST_CODE = re.compile(r"\s*\.\. (?:code|code-block|sourcecode|literalinclude|parsed-literal)::|.*[^:]::\s*$|\s*::\s*$")
RST_COMMENT = re.compile(r"\.\. (?!\w[\w-]*::)(?:[^_|\[]|$)")
ADOC_HEADING = re.compile(r"(={1,6}|#{1,6})\s+(\S.*)$")
ADOC_FENCE = re.compile(r"(-{4,}|\.{4,}|\+{4,}|```+|={4,}|\*{4,}|_{4,}|/{4,}|\|={3,}|--)\s*$")
ADOC_UNDERLINE = re.compile(r"([=\-~^+])\1{2,}\s*$")
ADOC_ATTRIBUTE = re.compile(r":!?[\w-]+!?:(?:\s.*)?$|\[[^]]*\]\s*$|//")
ORG_HEADING = re.compile(r"(\*+)\s+(?:(?:TODO|DONE|NEXT|WAITING)\s+)?(?:\[#\w\]\s+)?(\S.*)$")
ORG_TAGS = re.compile(r":[\w@:]+:")
ORG_KEYWORD = re.compile(r"#\+(\w+):?\s*(.*)$", re.IGNORECASE)
ORG_BEGIN = re.compile(r"\s*#\+begin_(\w+)", re.IGNORECASE)
ITEM = re.compile(r"\s*(?:[-+*•]|\.+|\*+|\(?(?:\d+|#|[a-zA-Z])[.)])\s+\S")
TABLE_ROW = re.compile(r"\s*\|.*")
# Links: [[address][words]] in Org; `words <address>`_ in reStructuredText.
LINKED = re.compile(r"\[\[[^][]*+\]\[([^][]*+)\]\]|`([^`<]*+)(?:<[^>`]*+>)?`_{0,2}")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines [first, last) of a file that form one block."""

    kind: BlockKind
    first: int
    last: int
    level: int = 0
    title: str = ""


Reader = Callable[[Sequence[str]], Iterator[_Piece]]


def load_rst(source: Source) -> Document:
    """Reads a reStructuredText file. Raises DamagedDocument if it contains bytes that are not text."""
    return _load(source, _rst)


def load_asciidoc(source: Source) -> Document:
    """Reads an AsciiDoc file. Raises DamagedDocument if it contains bytes that are not text."""
    return _load(source, _asciidoc)


def load_org(source: Source) -> Document:
    """Reads an Org file. Raises DamagedDocument if it contains bytes that are not text."""
    return _load(source, _org)


def _load(source: Source, read: Reader) -> Document:
    text = normalise(decode(source.data, source)).lstrip("\ufeff")
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    blocks = []
    title = ""
    for piece in read(lines):
        if piece.first == piece.last:  # gives the document's title
            title = title or piece.title
            continue
        start, end = starts[piece.first], min(starts[piece.last], len(text))
        body = text[start:end]
        lead = 0 if piece.kind in {"code", "table"} else len(body) - len(body.lstrip())
        if body.strip():
            blocks.append(Block(piece.kind, start + lead, start + len(body.rstrip()), piece.level, piece.title))
    title = title or next((block.title for block in blocks if block.level == 1), "")
    return Document(text, title, tuple(blocks))


def _rst(lines: Sequence[str]) -> Iterator[_Piece]:
    styles: list[tuple[str, bool]] = []  # heading levels follow the order in which underlines first occur
    at = 0
    while (at := _skip_blank(lines, at)) < len(lines):
        line = lines[at]
        over = bool(RST_RULE.match(line)) and at + 2 < len(lines) and lines[at + 2].rstrip() == line.rstrip()
        titled = lines[at + 1] if over else line
        rule = lines[at + 2] if over else lines[at + 1] if at + 1 < len(lines) else ""
        if titled.strip() and not (titled[0].isspace() and not over) and _underlines(rule, titled):
            style = (rule[0], over)
            if style not in styles:
                styles.append(style)
            last = at + (3 if over else 2)
            yield _Piece("heading", at, last, min(styles.index(style) + 1, DEEPEST_HEADING), _plain(titled))
        elif RST_TABLE.match(line):
            last = _end_of_rst_table(lines, at)
            yield _Piece("table", at, last)
        elif RST_CODE.match(line) and (last := _indented(lines, at + 1, _indent(line))) > at + 1:
            yield _Piece("code", at, last)
        elif RST_COMMENT.match(line):
            last = _indented(lines, at + 1, 0)
            yield _Piece("metadata", at, last)
        else:
            last = _paragraph(lines, at, lambda i: RST_CODE.match(lines[i]) is not None)
            yield from _prose(lines, at, last)
        at = last


def _underlines(rule: str, title: str) -> bool:
    return bool(RST_RULE.match(rule)) and len(rule.rstrip()) >= len(title.strip()) and not RST_RULE.match(title)


def _end_of_rst_table(lines: Sequence[str], at: int) -> int:
    """Returns the end of a table: a grid ends at a blank line, a simple table at its last rule before one."""
    last = at + 1
    if lines[at].lstrip().startswith("+"):
        return _paragraph(lines, at, lambda _: False)
    while last < len(lines) and not (RST_TABLE.match(lines[last]) and _is_blank(lines, last + 1)):
        last += 1
    return min(last + 1, len(lines))


def _asciidoc(lines: Sequence[str]) -> Iterator[_Piece]:
    at = 0
    while (at := _skip_blank(lines, at)) < len(lines):
        line = lines[at]
        heading = ADOC_HEADING.match(line)
        under = lines[at + 1].rstrip() if at + 1 < len(lines) else ""
        if heading:
            last = at + 1
            yield _Piece("heading", at, last, len(heading.group(1)), _plain(heading.group(2)))
        elif line.strip() and ADOC_UNDERLINE.match(under) and abs(len(under) - len(line.rstrip())) <= 2:  # noqa: PLR2004
            last = at + 2
            yield _Piece("heading", at, last, "=-~^+".index(under[0]) + 1, _plain(line))
        elif fence := ADOC_FENCE.match(line):
            last = next((i + 1 for i in range(at + 1, len(lines)) if lines[i].rstrip() == fence.group(1)), len(lines))
            kind = _fenced_kind(fence.group(1))
            if kind:
                yield _Piece(kind, at, last)
            else:  # an example, quote or side note: its content is read
                inner = _asciidoc(lines[at + 1 : last - 1])
                yield from (_Piece(p.kind, p.first + at + 1, p.last + at + 1, p.level, p.title) for p in inner)
        elif ADOC_ATTRIBUTE.match(line):
            last = at + 1
            yield _Piece("metadata", at, last)
        else:
            last = _paragraph(lines, at, lambda i: bool(ADOC_FENCE.match(lines[i]) or ADOC_HEADING.match(lines[i])))
            yield from _prose(lines, at, last)
        at = last


def _fenced_kind(fence: str) -> BlockKind | None:
    if fence.startswith("|"):
        return "table"
    if fence.startswith("/"):
        return "metadata"
    return "code" if fence[0] in "-.`+" and fence != "--" else None


def _org(lines: Sequence[str]) -> Iterator[_Piece]:
    at = 0
    while (at := _skip_blank(lines, at)) < len(lines):
        line = lines[at]
        if heading := ORG_HEADING.match(line):
            last = at + 1
            yield _Piece("heading", at, last, min(len(heading.group(1)), DEEPEST_HEADING), _org_title(heading.group(2)))
        elif begin := ORG_BEGIN.match(line):
            end = f"#+end_{begin.group(1)}".casefold()
            ends = (i + 1 for i in range(at + 1, len(lines)) if lines[i].strip().casefold().startswith(end))
            last = next(ends, len(lines))
            yield _Piece("code" if begin.group(1).lower() in {"src", "example"} else "paragraph", at, last)
        elif keyword := ORG_KEYWORD.match(line):
            last = at + 1
            if keyword.group(1).lower() == "title":
                yield _Piece("metadata", at, at, title=keyword.group(2).strip())
            yield _Piece("metadata", at, last)
        else:
            last = _paragraph(lines, at, lambda i: bool(ORG_HEADING.match(lines[i]) or ORG_BEGIN.match(lines[i])))
            yield from _prose(lines, at, last)
        at = last


def _prose(lines: Sequence[str], first: int, last: int) -> Iterator[_Piece]:
    """Yields a table, list or paragraph from lines up to a blank one."""
    if all(TABLE_ROW.match(line) for line in lines[first:last] if line.strip()):
        yield _Piece("table", first, last)
    elif ITEM.match(lines[first]) and not lines[first].startswith(".. "):
        yield _Piece("list", first, last)
    else:
        yield _Piece("paragraph", first, last)


def _skip_blank(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _paragraph(lines: Sequence[str], at: int, ends: Callable[[int], bool]) -> int:
    """Returns the line after the run that begins at `at`: a blank line, or the start of another block."""
    last = at + 1
    while last < len(lines) and lines[last].strip() and not ends(last):
        last += 1
    return last


def _indented(lines: Sequence[str], at: int, indent: int) -> int:
    """Returns the line after those indented deeper than `indent`, including blank ones between them."""
    last = at
    for i in range(at, len(lines)):
        if lines[i].strip():
            if _indent(lines[i]) <= indent:
                break
            last = i + 1
    return last


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_blank(lines: Sequence[str], at: int) -> bool:
    return at >= len(lines) or not lines[at].strip()


def _org_title(heading: str) -> str:
    """Returns an Org heading without its tags."""
    words, *tags = heading.rsplit(maxsplit=1)
    return _plain(words if tags and ORG_TAGS.fullmatch(tags[0]) else heading)


def _plain(title: str) -> str:
    """Returns a heading without markup of emphasis, code and links."""
    title = LINKED.sub(lambda found: found[1] or (found[2] or "").rstrip(), title)
    return " ".join(title.replace("``", "").strip(" *=#`").split())
