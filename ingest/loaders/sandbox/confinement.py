"""Sandboxes a process that reads untrusted files: no writes, programs, network or other processes, and limits.

Resource limits apply on every Unix, and so does Python's audit hook, which rejects starting programs, opening sockets
and writing files. On Linux the kernel also restricts native code: `seccomp` permits only listed system calls,
`landlock` permits reading only libraries.
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
# New namespaces: users (which the others require), network, System V IPC, host name, mounts.
NAMESPACES = 0x10000000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x00020000
# Other files that libraries read: facts about the machine, dates, languages and fonts.
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
    """The sandbox of a process that reads files.

    Attributes:
        calls: only listed system calls are permitted.
        files: only libraries can be read, and nothing written.
        namespaces: it has a private network, users and mounts.
        missing: unavailable mechanisms, each with its reason.
    """

    calls: bool = False
    files: bool = False
    namespaces: bool = False
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        held = {
            "a list of permitted system calls": self.calls,
            "access to library files only": self.files,
            "private namespaces": self.namespaces,
        }
        by = ", ".join(name for name, holds in held.items() if holds)
        return f"Reading processes are confined by {by or 'limits on time, memory and output only'}."


def confine(memory_mb: int, *, required: bool = True) -> Confinement:
    """Sandboxes this process permanently. Call it once, before starting threads and reading files.

    Args:
        memory_mb: limit of the address space, in MiB.
        required: on Linux, fails if the filter of system calls is unavailable.

    Returns:
        The mechanisms in effect.

    Raises:
        NotConfined: a limit cannot be set, or the filter is required and unavailable.
    """
    _limit(memory_mb)
    sys.dont_write_bytecode = True
    found = _confined_by_kernel(required) if sys.platform == "linux" else _by_python_alone()
    sys.addaudithook(_refuse_events)
    return found


def allow_seconds(seconds: float) -> None:
    """Makes the kernel end the process after this many more seconds of CPU time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 1
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def close_to_others() -> None:
    """Protects this process's memory, environment and descriptors from the user's other processes (Linux).

    Also disables core dumps and restricts debuggers to root. Programs that it starts are unprotected again.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _limit(memory_mb: int) -> None:
    limits = {
        resource.RLIMIT_AS: memory_mb * MIB,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,  # output goes to a pipe and a socket
        resource.RLIMIT_NOFILE: MOST_OPEN_FILES,
    }
    for which, wanted in limits.items():
        _, hard = resource.getrlimit(which)
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)  # a stricter limit may exist already
        try:
            resource.setrlimit(which, (value, value))
        except (ValueError, OSError) as error:
            if sys.platform == "linux":  # macOS does not limit the address space
                raise NotConfined(f"the system limit {which} cannot be set: {error}") from error


def _by_python_alone() -> Confinement:
    return Confinement(missing=(f"can do what your user can: Footnote supports no sandbox on {sys.platform}",))


def _confined_by_kernel(required: bool) -> Confinement:
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - names alone
        raise NotConfined("threads are already running, which Landlock would not cover")
    keep_privileges_out()
    missing = []
    namespaces = _own_namespaces()
    close_to_others()
    files = calls = True
    try:
        allow_reading(_readable())
    except NotConfined as error:
        files = False
        missing.append(f"can read your files, but not send them anywhere: {error}")
    _drop_capabilities()
    try:
        filter_calls()
    except NotConfined as error:
        if required:
            raise
        calls = False
        missing.append(f"can do what your user can: {error}")
    return Confinement(calls, files, namespaces, tuple(missing))


def _own_namespaces() -> bool:
    """Returns True if the kernel provides namespaces; many systems deny them to ordinary users."""
    return not ctypes.CDLL(None).unshare(NAMESPACES)


def _drop_capabilities() -> None:
    """Drops all capabilities, including those in the private namespaces. The kernel always permits this."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_CAP_AMBIENT, CLEAR_ALL, 0, 0, 0)
    libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24))


def _readable() -> Iterator[Path]:
    """Yields the paths of the loaders' libraries, and of the files that those read."""
    package = Path(__file__).resolve().parents[2]
    yield package
    yield from map(Path, SYSTEM_FILES)
    yield from (Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield Path(sys.base_prefix, "lib")
    home, here = Path.home().resolve(), Path.cwd()
    for entry in (*sys.path, *site.getsitepackages(), *os.environ.get("LD_LIBRARY_PATH", "").split(":")):
        # A folder on the path may be a checkout with keys and data, or contain the user's home.
        folder = Path(entry).resolve() if entry else here
        if folder not in (here, package.parent) and not home.is_relative_to(folder):
            yield folder


def _refuse_events(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        _, mode, flags = arguments
        writes = isinstance(mode, str) and set(mode) & set("wax+")
        if writes or (isinstance(flags, int) and flags & WRITING):
            raise PermissionError("a process that reads documents may not write files")
    elif event.startswith(REFUSED_EVENTS) or event in CHANGES:
        raise PermissionError(f"a process that reads documents may not do this: {event}")
