"""Confines a process that reads strangers' files: it gives up files, programs, network, other processes, memory, time.

Limits of the system hold on every Unix, and so does Python's audit hook, which refuses what asks for programs, sockets
or to write a file. On Linux the kernel holds the rest, whatever native code does: `seccomp` lets only listed system
calls through, `landlock` only the libraries be read.
"""

from __future__ import annotations

import ctypes
import os
import resource
import site
import struct
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import NotConfined
from ingest.loaders.sandbox.landlock import allow_reading
from ingest.loaders.sandbox.seccomp import WRITING, filter_calls, keep_privileges_out

MIB = 1024 * 1024
MOST_OPEN_FILES = 256
PR_SET_DUMPABLE, PR_CAP_AMBIENT, CLEAR_ALL = 4, 47, 4
CAPABILITY_VERSION = 0x20080522
# New namespaces: users (so that the others may be had), network, System V IPC, host name, mounts.
NAMESPACES = 0x10000000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x00020000
# What libraries read beside themselves: of the machine, of dates, languages and fonts.
SYSTEM_FILES = (
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/etc/fonts"),
    *("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/dev/null", "/dev/urandom"),
)
REFUSED_EVENTS = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "os.fork", "ftplib.", "urllib.")
CHANGES = frozenset(
    {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate"}
)


@dataclass(frozen=True, slots=True)
class Confinement:
    """Says what holds a process that reads files.

    Attributes:
        calls: only listed system calls are let through.
        files: only libraries can be read, and nothing written.
        namespaces: it has a network, users and mounts of its own.
        missing: what could not be had, each with its reason.
    """

    calls: bool = False
    files: bool = False
    namespaces: bool = False
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        held = {
            "a list of system calls": self.calls,
            "libraries as the only files that it can open": self.files,
            "namespaces of its own": self.namespaces,
        }
        by = ", ".join(name for name, holds in held.items() if holds)
        return f"A process that reads files is confined by {by or 'limits on time, memory and output alone'}."


def not_confined(reason: str) -> str:
    """The sentence about one of the things that are missing."""
    return f"Not confined: a file that takes over the process that reads it is not held by everything: {reason}."


def confine(memory_mb: int, *, required: bool = True) -> Confinement:
    """Gives up what reading needs not, for good. Call it once, before any thread is started and any file read.

    Args:
        memory_mb: address space that the process may take, in MiB.
        required: on Linux, refuse to go on without the filter of system calls.

    Returns:
        What holds from now on.

    Raises:
        NotConfined: a limit or, where it is required, the filter cannot be set.
    """
    _limit(memory_mb)
    sys.dont_write_bytecode = True
    found = _confined_by_kernel(required) if sys.platform == "linux" else _by_python_alone()
    sys.addaudithook(_refuse_events)
    return found


def allow_seconds(seconds: float) -> None:
    """The kernel ends the process when it has computed for so many seconds more."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 1
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def close_to_others() -> None:
    """Keeps other processes of the same user from this one's memory, environment and descriptors (Linux).

    It also leaves no core dump, and debuggers need root. Programs that it starts are open again.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _limit(memory_mb: int) -> None:
    limits = {
        resource.RLIMIT_AS: memory_mb * MIB,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,  # what is written goes to a pipe and a socket
        resource.RLIMIT_NOFILE: MOST_OPEN_FILES,
    }
    for which, wanted in limits.items():
        _, hard = resource.getrlimit(which)
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)  # a stricter limit may be set already
        try:
            resource.setrlimit(which, (value, value))
        except (ValueError, OSError) as error:
            if sys.platform == "linux":  # macOS has no limit of the address space
                raise NotConfined(f"limit {which} of the system cannot be set: {error}") from error


def _by_python_alone() -> Confinement:
    return Confinement(missing=(f"{sys.platform} has no confinement that Footnote knows",))


def _confined_by_kernel(required: bool) -> Confinement:
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - names alone
        raise NotConfined("threads run already, which Landlock would leave out")
    keep_privileges_out()
    missing = []
    namespaces = _own_namespaces()
    close_to_others()
    files = calls = True
    try:
        allow_reading(_readable())
    except NotConfined as error:
        files = False
        missing.append(f"it can read files of yours, though not send them anywhere: {error}")
    _drop_capabilities()
    try:
        filter_calls()
    except NotConfined as error:
        if required:
            raise
        calls = False
        missing.append(f"it can do what you can: {error}")
    return Confinement(calls, files, namespaces, tuple(missing))


def _own_namespaces() -> bool:
    """Whether the kernel gives namespaces; many systems give none to a plain user."""
    return not ctypes.CDLL(None).unshare(NAMESPACES)


def _drop_capabilities() -> None:
    """Leaves nothing of root's powers, nor of those in the own namespaces. The kernel always grants it."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_CAP_AMBIENT, CLEAR_ALL, 0, 0, 0)
    libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24))


def _readable() -> Iterator[Path]:
    """The folders and files that loaders' libraries are in, and what those read."""
    package = Path(__file__).resolve().parents[2]
    yield package
    yield from map(Path, SYSTEM_FILES)
    yield from (Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield Path(sys.base_prefix, "lib")
    home, here = Path.home().resolve(), Path.cwd()
    for entry in (*sys.path, *site.getsitepackages(), *os.environ.get("LD_LIBRARY_PATH", "").split(":")):
        # A folder on the path may be a checkout with its keys and data, or hold the user's home.
        folder = Path(entry).resolve() if entry else here
        if folder not in (here, package.parent) and not home.is_relative_to(folder):
            yield folder


def _refuse_events(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        _, mode, flags = arguments
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        if writes or (isinstance(flags, int) and flags & WRITING):
            raise PermissionError("a process that reads documents writes no files")
    elif event.startswith(REFUSED_EVENTS) or event in CHANGES:
        raise PermissionError(f"a process that reads documents may not do this: {event}")
