"""Restricts a process to reading given files and folders with Linux's Landlock, permanently.

Nothing can be written, created, deleted or executed. Descriptors that are already open remain usable.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from ingest.errors import NotConfined

# System call numbers, equal on all architectures.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, PATH_BENEATH = 1, 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# By Landlock version: number of rights on files, on networks (TCP), and of scopes (abstract sockets, signals).
RIGHTS = {1: (13, 0, 0), 2: (14, 0, 0), 3: (15, 0, 0), 4: (15, 2, 0), 5: (16, 2, 0), 6: (16, 2, 2)}
# Size of the kernel's `landlock_ruleset_attr`, which grew with versions.
LENGTHS = {1: 8, 2: 8, 3: 8, 4: 16, 5: 16, 6: 24}


def allow_reading(paths: Iterable[Path]) -> None:
    """Restricts the calling thread, and threads that it starts, to reading these files and folders.

    Args:
        paths: folders, including their contents, and files; missing ones are ignored.

    Raises:
        NotConfined: the kernel lacks Landlock or has it disabled; nothing was changed.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def call(number: int, *arguments: object) -> int:
        status = int(libc.syscall(ctypes.c_long(number), *arguments))
        if status < 0:
            raise NotConfined(f"Landlock is unavailable: {os.strerror(ctypes.get_errno())}")
        return status

    version = min(call(CREATE_RULESET, None, ctypes.c_size_t(0), ASK_VERSION), max(RIGHTS))
    masks = ((1 << count) - 1 for count in RIGHTS[version])
    asked = struct.pack("QQQ", *masks)[: LENGTHS[version]]
    rules = call(CREATE_RULESET, asked, ctypes.c_size_t(len(asked)), 0)
    try:
        for path in paths:
            try:
                target = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # missing or inaccessible paths need no rule
            try:
                rights = READ_FILE | READ_DIR if path.is_dir() else READ_FILE
                call(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", rights, target), 0)
            finally:
                os.close(target)
        call(RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
