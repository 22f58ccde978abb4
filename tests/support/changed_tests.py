"""Prints the tests of what changed since main: `python tests/support/changed_tests.py [BRANCH]`, for `make check`.

A changed test is one of them, and so is every test file that imports a changed module, or stands in the folder that
mirrors its package. Changes of what all tests share (conftest.py, support, pyproject.toml) mean all tests.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("tests/support/", "tests/conftest.py", "pyproject.toml", "constraints.txt")


def changed_files(branch: str) -> list[str]:
    """Lists the files that differ from where this branch left `branch`, new ones included."""
    differing = _git("diff", "--name-only", _git("merge-base", branch, "HEAD").strip())
    new = _git("ls-files", "--others", "--exclude-standard")
    return sorted({*differing.splitlines(), *new.splitlines()})


def affected(changed: Iterable[str], root: Path) -> list[str]:
    """Finds the test files for changed files, as paths below `root`."""
    changed = list(changed)
    tests = {str(path.relative_to(root)): path for path in sorted((root / "tests").rglob("test_*.py"))}
    if any(name.startswith(SHARED) for name in changed):
        return list(tests)
    sources = [Path(name) for name in changed if name.startswith(("app/", "ingest/"))]
    modules = {".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in sources}
    mirrors = tuple(f"tests/unit/{path.parent}/" for path in sources if len(path.parent.parts) > 1)
    return [
        name
        for name, path in tests.items()
        if name in changed or name.startswith(mirrors) or not modules.isdisjoint(_imported(path))
    ]


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    print(*affected(changed_files(sys.argv[1] if len(sys.argv) > 1 else "main"), ROOT), sep="\n")  # noqa: T201 - a command
