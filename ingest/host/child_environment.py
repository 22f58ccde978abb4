"""The environment of child processes: only the variables that they need, without keys, tokens or passwords."""

from __future__ import annotations

import os

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def without_keys(**added: str) -> dict[str, str]:
    """Returns the variables passed on to children, and further ones."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | added
