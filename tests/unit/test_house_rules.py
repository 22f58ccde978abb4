"""Rules for the tests themselves: fakes are passed to constructors, one file injects faults, no file is too long.

Also: tests keep away from the user's cache, and no file was committed half merged.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.embedding.runtimes.graph_cache import cache_folder

TESTS = Path(__file__).resolve().parents[1]
MOST_LINES = 300
FAULTS = TESTS / "support" / "faults.py"
# Functions that set or delete an attribute by name.
SETTERS = {"setattr", "delattr"}
CONFLICT = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)


def replacements(code: str) -> list[int]:
    """Returns the line numbers of a test that replace an attribute of a module, class or object.

    These are calls of `setattr` or `delattr`, built in or pytest's, `unittest.mock`, and assignments to attributes of
    imported names.
    """
    tree = ast.parse(code)
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return sorted({node.lineno for node in ast.walk(tree) if _replaces(node, imported)})


def _replaces(node: ast.AST, imported: set[str]) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in SETTERS
        case ast.Import(names=names):
            return any(one.name.startswith("unittest") for one in names)
        case ast.ImportFrom(module=str(module)):
            return module.startswith("unittest")
        case ast.Attribute(ctx=ast.Store() | ast.Del(), value=value):
            while isinstance(value, ast.Attribute):
                value = value.value
            return isinstance(value, ast.Name) and value.id in imported
    return False


@pytest.mark.parametrize(
    "line",
    [
        "monkeypatch.setattr(module, 'SECONDS', 1)",
        "setattr(owner, name, method)",
        "monkeypatch.delattr(module, 'name')",
        "from unittest import mock",
        "import unittest.mock",
        "import package.module\npackage.module.SECONDS = 1",
        "from package import module\nmodule.part.SECONDS = 1",
        "from package import Library\nLibrary.open = None",
        "from package import module\ndel module.SECONDS",
    ],
)
def test_a_replacement_is_detected_in_every_form(line):
    assert replacements(line)


def test_a_tests_own_objects_may_be_changed():
    assert replacements("from package import module\none = module.Thing()\none.name = 'x'\nself.held = {}") == []


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_replaces_attributes(path):
    found = replacements(path.read_text(encoding="utf-8"))
    if path == FAULTS:
        assert found
    else:
        assert found == [], f"{path}: use a parameter, or tests/support/faults.py"


ROOT = TESTS.parent
MODULES = sorted(path for room in ("app", "ingest", "bench", "tests") for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_300_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, f"{path}: split it by what it does"


def test_the_tests_and_their_processes_cache_graphs_in_pytests_folder(tmp_path_factory):
    code = "from ingest.embedding.runtimes.graph_cache import cache_folder; print(cache_folder())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(cache_folder())
    assert cache_folder().is_relative_to(tmp_path_factory.getbasetemp())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"one\n<<<<<<< HEAD\ntwo\n", True),
        (b"two\n>>>>>>> branch\n", True),
        (b"one\r\n>>>>>>> branch\r\n", True),
        (b"Title\n=======\n text <<<<<<< HEAD\n<<<<<<<\n>>>>>>>> deeper quote", False),
    ],
)
def test_a_mark_of_a_conflict_is_detected_at_the_start_of_a_line(content, expected):
    assert bool(CONFLICT.search(content)) is expected


def test_no_file_was_committed_half_merged():
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=True).stdout
    files = [path for name in listed.split("\0") if name and (path := TESTS.parent / name).is_file()]
    assert Path(__file__) in files
    marked = [path for path in files if b"\0" not in (content := path.read_bytes()) and CONFLICT.search(content)]
    assert marked == [], f"{marked}: finish the merge"
