"""The environment of processes that Footnote starts: what they need of this one's, and no keys, tokens or passwords."""

from __future__ import annotations

import os

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def without_keys(**added: str) -> dict[str, str]:
    """The variables that are passed on, with others that are added."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | added
