"""Takes every file and folder from a process but some that it may read, by Linux's Landlock, for good.

Nothing can be written, made, removed or started. Descriptors that are open already go on working.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from ingest.errors import NotConfined

# The same numbers on every machine.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, PATH_BENEATH = 1, 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# By version of Landlock: how many rights on files it knows, on networks (TCP), and scopes (abstract sockets, signals).
RIGHTS = {1: (13, 0, 0), 2: (14, 0, 0), 3: (15, 0, 0), 4: (15, 2, 0), 5: (16, 2, 0), 6: (16, 2, 2)}
# The kernel's `landlock_ruleset_attr` is longer in later versions.
LENGTHS = {1: 8, 2: 8, 3: 8, 4: 16, 5: 16, 6: 24}


def allow_reading(paths: Iterable[Path]) -> None:
    """Leaves the calling thread, and those that it starts, these folders and files to read, and nothing else.

    Args:
        paths: folders with all that is in them, and files; those that are not there are left out.

    Raises:
        NotConfined: the kernel has no Landlock, or it is off; nothing was taken away.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def call(number: int, *arguments: object) -> int:
        status = int(libc.syscall(ctypes.c_long(number), *arguments))
        if status < 0:
            raise NotConfined(f"the kernel has no Landlock for it: {os.strerror(ctypes.get_errno())}")
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
                continue  # what is not there, or not ours to open, needs no permission
            try:
                rights = READ_FILE | READ_DIR if path.is_dir() else READ_FILE
                call(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", rights, target), 0)
            finally:
                os.close(target)
        call(RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
