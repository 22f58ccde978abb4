"""Collects every regular expression of the code, and makes texts that may be slow for one of them."""

from __future__ import annotations

import ast
import importlib
import random
import re
import re._constants as op
import re._parser as parser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "ingest")
# Functions of `re`, and after how many arguments their flags come.
FLAGS_AT = {"compile": 1, "search": 2, "match": 2, "fullmatch": 2, "finditer": 2, "findall": 2}
FLAGS_AT |= {"sub": 4, "subn": 4, "split": 3}
CALLS = FLAGS_AT.keys()
REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
GROUPS = (op.SUBPATTERN, op.ATOMIC_GROUP)
# Repeated for every pattern: white space, and characters of Markdown, markup, mail and numbers.
TYPICAL = (
    *" \n\t.,:;!?0aA_-`'\"[](){}<>|#*\\/@&=+~\u00e9\u4e2d\u2026\u3002",
    *("a ", "a\n", " \n", "\r\n", "0.", "0,", "a.", "a-", "A ", "[1]", "[1", "](", "``", "` ", "- ", "> ", "| ", "|-"),
    *("# ", "1. ", "<a", "<!--", "&#", "&a;", "\\a", "a: ", "://", "--", "aA", "0a"),
)
ENDS = ("", "\0")
# Characters tried against character sets.
TRIED = [
    *map(chr, range(0x250)),
    *"\u0660\u0e01\u1000\u1780\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u2028\u3002\u3010",
]
TRIED += [*"\u3011\u4e2d\u0430\u0410\u05d0\u0627\uac00\u3042\ue000\ufffd\ud800\udc00\U000f0000\U00010000"]


@dataclass(frozen=True)
class Use:
    """A pattern, and whether it looks for a place in a text ("search"), or only at one ("match", "fullmatch")."""

    pattern: re.Pattern[Any]
    how: str

    def __str__(self) -> str:
        return f"{self.how} {self.pattern.pattern!r:.80}"

    def encoded(self, text: str) -> Any:
        """A text as the pattern takes it: bytes where it is one of bytes."""
        return text if isinstance(self.pattern.pattern, str) else text.encode("utf-8", "surrogatepass")

    def run(self, text: Any) -> None:
        """Goes through all of a text as the code does."""
        if self.how == "search":
            for _ in self.pattern.finditer(text):
                pass
        else:
            getattr(self.pattern, self.how)(text)


@dataclass(frozen=True)
class Pumped:
    """A text of any length: `piece` again and again between a beginning and an end."""

    begin: str
    piece: str
    end: str

    def text(self, n: int) -> str:
        """About `n` characters of it."""
        return self.begin + self.piece * max(1, n // len(self.piece)) + self.end


def modules() -> list[Path]:
    """The files of the packages."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def uses() -> tuple[dict[Use, str], set[str]]:
    """Returns the patterns of all files with their positions, and the functions that build patterns from arguments.

    A pattern whose use is not seen, as it stands in a tuple, is taken to be used in every way that its file knows.
    """
    found: dict[Use, str] = {}
    unseen: dict[Use, str] = {}
    functions: set[str] = set()
    for path in modules():
        file = _File(path)
        found.update(file.uses)
        unseen.update(file.unseen)
        functions |= file.functions
    used = {use.pattern for use in found}
    return {**{use: where for use, where in unseen.items() if use.pattern not in used}, **found}, functions


class _File:
    """The patterns of one file."""

    def __init__(self, path: Path) -> None:
        self.uses: dict[Use, str] = {}
        self.unseen: dict[Use, str] = {}
        self.functions: set[str] = set()
        self._where = str(path.relative_to(ROOT))
        self._tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.Name) and node.id == "re" for node in ast.walk(self._tree)):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            self._names = dict(vars(importlib.import_module(name.removesuffix(".__init__"))))
            self._read()

    def _read(self) -> None:
        compiled = list(inside(self._names))
        ways = set()
        for node in ast.walk(self._tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            method, on = node.func.attr, node.func.value
            if isinstance(on, ast.Name) and on.id == "re" and method in CALLS:
                patterns = list(self._written(node))
                if not patterns and (name := self._function(node.lineno)):
                    self.functions.add(f"{self._where}:{name}")
                if method == "compile":
                    compiled += patterns
                else:
                    self._note(node, method, patterns)
            elif method in CALLS and isinstance(value := self._value(on), re.Pattern):
                self._note(node, method, [value])
            elif method in CALLS - {"split"} and value is None:
                ways.add(_how(method))
        for pattern in compiled:
            for how in sorted(ways) or ("fullmatch", "search"):
                self.unseen[Use(pattern, how)] = self._where

    def _note(self, node: ast.Call, method: str, patterns: Sequence[re.Pattern[Any]]) -> None:
        for pattern in patterns:
            self.uses[Use(pattern, _how(method))] = f"{self._where}:{node.lineno}"

    def _written(self, call: ast.Call) -> Iterator[re.Pattern[Any]]:
        """The pattern that a call of `re` names; of a choice, both."""
        method = ast.unparse(call.func).removeprefix("re.")
        keyword = [one.value for one in call.keywords if one.arg == "flags"]
        flags = [self._value(node) for node in [*keyword, *call.args[FLAGS_AT[method] :]]]
        first = call.args[0]
        for node in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
            value = self._value(node)
            if isinstance(value, re.Pattern):
                yield value
            elif isinstance(value, str | bytes):
                yield re.compile(value, flags[0] if flags else 0)

    def _value(self, node: ast.expr) -> Any:
        """Returns the value of an expression over the module's own names; None if it uses others."""
        try:
            return eval(compile(ast.Expression(node), self._where, "eval"), self._names)
        except NameError:
            return None

    def _function(self, line: int) -> str:
        """The innermost function around a line; "" outside of all, where what is made is among the module's names."""
        defined = [node for node in ast.walk(self._tree) if isinstance(node, ast.FunctionDef)]
        around = [node for node in defined if node.lineno <= line <= (node.end_lineno or 0)]
        return max(around, key=lambda node: node.lineno).name if around else ""


def inside(value: Any, depth: int = 3) -> Iterator[re.Pattern[Any]]:
    """The patterns in a value and the containers and dataclasses that it holds."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict):
        for one in list(value.values()):
            yield from inside(one, depth - 1)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from inside(one, depth - 1)
    elif depth and hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            yield from inside(getattr(value, name, None), depth - 1)


def _how(method: str) -> str:
    return method if method in {"match", "fullmatch"} else "search"


def inputs(pattern: re.Pattern[Any], seed: int = 0) -> list[Pumped]:
    """Texts that may be slow for a pattern: made of what its repeats accept, and of what is typical."""
    rng = random.Random(seed)
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = parser.parse(
        text, pattern.flags & ~re.UNICODE & ~re.LOCALE if isinstance(pattern.pattern, bytes) else pattern.flags
    )
    maker = _Maker(rng)
    pairs: dict[tuple[str, str], None] = {("", piece): None for piece in TYPICAL}
    for _ in range(2):
        maker.walk(tree, "", pairs)
        whole = maker.sample(tree)
        if whole:
            pairs["", whole] = None
    return [Pumped(begin, piece, end) for begin, piece in pairs if piece for end in ENDS]


class _Maker:
    """Makes texts of the parts of a parsed pattern."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._groups: dict[int, str] = {}

    def walk(self, items: Any, before: str, pairs: dict[tuple[str, str], None]) -> str:
        """Notes, for each repeat, a text of what stands before it and one of what it repeats."""
        for item in items:
            code, value = item
            if code in REPEATS:
                body = value[2]
                if value[1] > 2:
                    pieces = self.pieces(body)
                    for piece in pieces:
                        pairs[before, piece] = None
                        pairs["", before + piece] = None
                    pairs["", before] = None
                    if len(pieces) > 1:
                        pairs[before, "".join(pieces)] = None
                self.walk(body, before, pairs)
            elif code in GROUPS:
                self.walk(value[-1] if code is op.SUBPATTERN else value, before, pairs)
            elif code is op.BRANCH:
                for one in value[1]:
                    self.walk(one, before, pairs)
            elif code in (op.ASSERT, op.ASSERT_NOT):
                self.walk(value[1], before, pairs)
            before += self.sample([item])
        return before

    def pieces(self, body: Any) -> list[str]:
        """Some texts that a repeat's body accepts."""
        if len(body) == 1 and body[0][0] is op.IN:
            found = members(body[0][1])
            spread = [c for c in "a0 \n.-A,_" if c in found]
            return list(dict.fromkeys([*spread, *self._rng.sample(found, min(2, len(found)))]))
        if len(body) == 1 and body[0][0] is op.ANY:
            return ["a", " "]
        return list(dict.fromkeys(filter(None, (self.sample(body) for _ in range(4)))))

    def sample(self, items: Any) -> str:
        """A text that the items accept, but for what they look at before and after."""
        return "".join(self._one(code, value) for code, value in items)

    def _one(self, code: Any, value: Any) -> str:  # noqa: C901, PLR0911 - a case for each kind of node
        if code is op.LITERAL:
            return chr(value)
        if code is op.NOT_LITERAL:
            return "a" if value != ord("a") else "b"
        if code is op.ANY:
            return "a"
        if code is op.IN:
            found = members(value)
            likely = [c for c in "a0 A.-" if c in found]
            return self._rng.choice(likely or found) if likely or found else ""
        if code in REPEATS:
            times = max(value[0], 1 if value[1] and self._rng.random() < 0.7 else 0)
            return "".join(self.sample(value[2]) for _ in range(min(times, 300)))
        if code is op.SUBPATTERN:
            text = self.sample(value[-1])
            if value[0] is not None:
                self._groups[value[0]] = text
            return text
        if code is op.ATOMIC_GROUP:
            return self.sample(value)
        if code is op.BRANCH:
            return self.sample(self._rng.choice(value[1]))
        if code is op.GROUPREF:
            return self._groups.get(value, "")
        if code is op.ASSERT and value[0] == 1:
            return self.sample(value[1])
        return ""


CATEGORIES: dict[Any, Callable[[str], bool]] = {
    op.CATEGORY_DIGIT: str.isdecimal,
    op.CATEGORY_NOT_DIGIT: lambda c: not c.isdecimal(),
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    op.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    op.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}


def members(items: Sequence[Any]) -> list[str]:
    """Characters that a set accepts, of those that are tried and those that it names."""
    negated = items[0][0] is op.NEGATE
    named = [chr(v if c is op.LITERAL else v[0]) for c, v in items if c in (op.LITERAL, op.RANGE)]
    has = lambda c: any(_has(code, value, c) for code, value in items if code is not op.NEGATE)  # noqa: E731
    return [c for c in dict.fromkeys([*named, *TRIED]) if has(c) != negated]


def _has(code: Any, value: Any, c: str) -> bool:
    if code is op.LITERAL:
        return ord(c) == value
    if code is op.RANGE:
        return value[0] <= ord(c) <= value[1]
    return CATEGORIES[value](c)
