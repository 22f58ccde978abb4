"""What a process that reads strangers' files gives up before it reads one: files, programs, network, memory, time.

Limits of the system hold on every Unix. On Linux a filter in the kernel also refuses the calls that open sockets or
start programs, and everywhere Python's own audit hook refuses what asks for them, or to write a file.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from contextlib import suppress

MIB = 1024 * 1024
# A loader writes no files; this is for what libraries say on standard error.
MOST_WRITTEN = MIB
MOST_OPEN_FILES = 256
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 13  # EACCES
AT_CALL, AT_MACHINE = 0, 4
# By machine: how the kernel names it, and its numbers of socket, execve, execveat and io_uring_setup.
CALLS = {
    "x86_64": (0xC000003E, (41, 59, 322, 425)),
    "aarch64": (0xC00000B7, (198, 221, 281, 425)),
}
REFUSED_EVENTS = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "os.fork", "ftplib.", "urllib.")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = frozenset(
    {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate"}
)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_void_p))


def confine(memory_mb: int) -> None:
    """Gives up what reading needs not, for good. Call it once, after imports and before the first file.

    Args:
        memory_mb: address space that the process may take, in MiB.
    """
    limits = {
        resource.RLIMIT_AS: memory_mb * MIB,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: MOST_WRITTEN,
        resource.RLIMIT_NOFILE: MOST_OPEN_FILES,
    }
    for which, value in limits.items():
        with suppress(ValueError, OSError):  # a stricter limit is set already
            resource.setrlimit(which, (value, value))
    sys.dont_write_bytecode = True
    _refuse_calls()
    sys.addaudithook(_refuse_events)


def allow_seconds(seconds: float) -> None:
    """The kernel ends the process when it has computed for so many seconds more."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 1
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _refuse_calls() -> None:
    """Sets the kernel's filter where it is known how; elsewhere the audit hook alone holds."""
    known = CALLS.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return
    machine, calls = known
    steps = [(LOAD_WORD, 0, 0, AT_MACHINE), (JUMP_EQUAL, 1, 0, machine), (RETURN, 0, 0, ALLOW)]
    steps.append((LOAD_WORD, 0, 0, AT_CALL))
    for i, call in enumerate(calls):
        steps.append((JUMP_EQUAL, len(calls) - i, 0, call))
    steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    filters = _Filter(len(steps), ctypes.cast(program, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filters), 0, 0)  # refused by some containers


def _refuse_events(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        _, mode, flags = arguments
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        if writes or (isinstance(flags, int) and flags & WRITING):
            raise PermissionError("a process that reads documents writes no files")
    elif event.startswith(REFUSED_EVENTS) or event in CHANGES:
        raise PermissionError(f"a process that reads documents may not do this: {event}")
