"""Filters a process's system calls in the kernel: a permanent allow-list for Linux on x86_64 and aarch64.

A call through another instruction set (the 32-bit entry, x32) kills the process. A call that is not on the list fails
with EPERM, or with ENOSYS if it is newer than the list, so that the C library falls back to an older one. No listed
call starts a program or a process, opens a socket or a file for writing, or affects another process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ingest.errors import NotConfined

SET_NO_NEW_PRIVILEGES, SET_MODE_FILTER, ON_ALL_THREADS = 38, 1, 1
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, JUMP, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, JUMP_IF_BITS, RETURN = 0x20, 0x05, 0x15, 0x35, 0x45, 0x06
# Offsets in the kernel's `seccomp_data`: call number, instruction set, low half of the first argument.
AT_CALL, AT_MACHINE, AT_ARGUMENTS = 0, 4, 16
X32_BIT = 0x40000000
# From this number on, calls have the same number on all architectures; they appeared in Linux 5.1 and later.
FIRST_RECENT_CALL = 424

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
WRITABLE, EXECUTABLE, ANONYMOUS = 0x2, 0x4, 0x20
CLONE_THREAD = 0x00010000
# fcntl: duplicate, flags of the descriptor and of the file. Excluded: signal owner, locks, leases.
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1030)
# ioctl: terminal check, close on exec. prctl: thread name.
IOCTL_REQUESTS = (0x5401, 0x5450, 0x5451)
PRCTL_OPTIONS = (15, 16)


class Machine(NamedTuple):
    """An instruction set: the kernel's constant for it, and its column in the call tables."""

    audit_arch: int
    column: int


MACHINES = {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}
# Numbers by name on x86_64 and aarch64 (the kernel's asm-generic table); None if the call does not exist.
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "seccomp": (317, 277),
    "open": (2, None),
    "openat": (257, 56),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "clone": (56, 220),
    "ioctl": (16, 29),
    "fcntl": (72, 25),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "kill": (62, 129),
    "tgkill": (234, 131),
}
# Allowed with any arguments.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "readv": (19, 65),
    "pread64": (17, 67),
    "recvmsg": (47, 212),
    "write": (1, 64),
    "writev": (20, 66),
    "lseek": (8, 62),
    "close": (3, 57),
    "close_range": (436, 436),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "stat": (4, None),
    "lstat": (6, None),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "fstatfs": (138, 44),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    "brk": (12, 214),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "rseq": (334, 293),
    "membarrier": (324, 283),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getcpu": (309, 168),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getppid": (110, 173),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "times": (100, 153),
    "time": (201, None),
    "gettimeofday": (96, 169),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "getrandom": (318, 278),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "restart_syscall": (219, 128),
    "exit": (60, 93),
    "exit_group": (231, 94),
}


class _Step(NamedTuple):
    """An instruction of the kernel's packet filter: its code, jump offsets if true and if false, and operand."""

    code: int
    if_true: int
    if_false: int
    operand: int


class _Check(NamedTuple):
    """A condition on the low half of an argument: it is one of `values`, or has no bit of `forbidden`.

    It must have at least one bit of `required`. The kernel reads all checked arguments as 32 bits.
    """

    argument: int
    values: tuple[int, ...] = ()
    forbidden: int = 0
    required: int = 0


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def keep_privileges_out() -> None:
    """Prevents programs started by this process from gaining privileges, as the filter and Landlock require.

    Raises:
        NotConfined: the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise NotConfined(f"the kernel refuses no_new_privs: {os.strerror(ctypes.get_errno())}")


def filter_calls() -> None:
    """Installs the filter permanently on every thread of this process, after `keep_privileges_out`.

    Raises:
        NotConfined: there is no filter for this machine, or the kernel refuses it.
    """
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise NotConfined(f"there is no system call filter for {platform.machine()}")
    steps = list(_filter(machine, os.getpid()))
    packed = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.cast(packed, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_long(NUMBERS["seccomp"][machine.column] or 0)
    status = libc.syscall(number, SET_MODE_FILTER, ON_ALL_THREADS, ctypes.byref(program))
    if status:
        reason = os.strerror(ctypes.get_errno()) if status < 0 else f"thread {status} cannot be filtered"
        raise NotConfined(f"the kernel refuses the system call filter: {reason}")


def _conditions(own_pid: int) -> dict[str, Sequence[Sequence[_Check]]]:
    """Returns the calls allowed with certain arguments: alternatives, each a list of checks that must all hold."""
    own = _Check(0, values=(own_pid,))
    return {
        "open": [[_Check(1, forbidden=WRITING)]],
        "openat": [[_Check(2, forbidden=WRITING)]],
        # Executable memory may only be mapped from files: libraries and the document, which the worker cannot write,
        # nor any other file. Writable memory never becomes executable.
        "mmap": [[_Check(2, forbidden=EXECUTABLE)], [_Check(2, forbidden=WRITABLE), _Check(3, forbidden=ANONYMOUS)]],
        "mprotect": [[_Check(2, forbidden=EXECUTABLE)]],
        "clone": [[_Check(0, required=CLONE_THREAD)]],  # the kernel rejects threads in other namespaces
        "ioctl": [[_Check(1, values=IOCTL_REQUESTS)]],
        "fcntl": [[_Check(1, values=FCNTL_COMMANDS)]],
        "prctl": [[_Check(0, values=PRCTL_OPTIONS)]],
        "prlimit64": [[_Check(0, values=(0, own_pid))]],
        "kill": [[own]],
        "tgkill": [[own]],
    }


def _filter(machine: Machine, own_pid: int) -> Iterator[_Step]:
    """Yields the whole program."""
    yield _Step(LOAD, 0, 0, AT_MACHINE)
    yield _Step(JUMP_IF_EQUAL, 1, 0, machine.audit_arch)
    yield _Step(RETURN, 0, 0, KILL)
    yield _Step(LOAD, 0, 0, AT_CALL)
    yield _Step(JUMP_IF_AT_LEAST, 0, 1, X32_BIT)
    yield _Step(RETURN, 0, 0, KILL)
    allowed = [call for call in (both[machine.column] for both in ALLOWED.values()) if call is not None]
    for i, call in enumerate(allowed):
        yield _Step(JUMP_IF_EQUAL, len(allowed) - i, 0, call)
    yield _Step(JUMP, 0, 0, 1)
    yield _Step(RETURN, 0, 0, ALLOW)
    for name, alternatives in _conditions(own_pid).items():
        number = NUMBERS[name][machine.column]
        if number is not None:
            steps = [step for checks in alternatives for step in _alternative(checks)]
            yield _Step(JUMP_IF_EQUAL, 0, len(steps) + 1, number)
            yield from steps
            yield _Step(RETURN, 0, 0, REFUSE | errno.EPERM)
    yield _Step(JUMP_IF_AT_LEAST, 0, 1, FIRST_RECENT_CALL)
    yield _Step(RETURN, 0, 0, REFUSE | errno.ENOSYS)
    yield _Step(RETURN, 0, 0, REFUSE | errno.EPERM)


def _alternative(checks: Sequence[_Check]) -> list[_Step]:
    """Returns steps that allow the call if all checks hold, and otherwise continue after themselves."""
    steps = [_Step(RETURN, 0, 0, ALLOW)]
    for check in reversed(checks):
        steps = _checked(check, steps)
    return steps


def _checked(check: _Check, then: list[_Step]) -> list[_Step]:
    """Returns steps that run `then` if the check holds, and otherwise continue after it."""
    load, behind = _Step(LOAD, 0, 0, AT_ARGUMENTS + 8 * check.argument), len(then)
    if check.forbidden:
        return [load, _Step(JUMP_IF_BITS, behind, 0, check.forbidden), *then]
    if check.required:
        return [load, _Step(JUMP_IF_BITS, 0, behind, check.required), *then]
    last = len(check.values) - 1
    tests = [_Step(JUMP_IF_EQUAL, last - i, 0 if i < last else behind, one) for i, one in enumerate(check.values)]
    return [load, *tests, *then]
