"""Keeps the local Chroma server to its owner: it listens where nobody else can connect.

Chroma's server asks nobody who they are, any Host is answered, and every process of a machine may connect to a loopback
port. On Linux its supervisor therefore enters a network namespace of its own before it starts the server, whose port
nothing outside reaches. Processes of the owner ask at a Unix socket in the run folder, which nobody else can open, and
are handed a connection that was made inside (SCM_RIGHTS): from then on they talk to the server directly.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest.host import OWNER_FILE

SOCKET = "chroma.sock"
CONNECT_SECONDS = 5.0
# A process is handed a connection, or told that there is none, within this time.
HAND_OUT_SECONDS = 2 * CONNECT_SECONDS
PAUSE_SECONDS = 0.1
GIVEN, REFUSED = b"\0", b"\1"
ROOT = 0
# Of Linux: sched.h, if.h and sockios.h.
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
# struct ucred of socket.h: process, user, group.
CREDENTIALS = "iII"
# unshare(2) fails with ENOSPC where one of these is reached.
LIMIT = "the limit user.max_net_namespaces or user.max_user_namespaces is reached"


def isolate(folder: Path) -> None:
    """Moves this process, which has one thread, and its later children into a network namespace of their own, for good.

    A child tries it first, so that a process of a system that refuses half-way is left as it was.

    Args:
        folder: must still be readable and writable afterwards: in a user namespace, root is root no more.

    Raises:
        OSError: the system gives none to this user, or the folder would be out of reach.
    """
    child = os.fork()
    if not child:
        status = 1
        try:
            _enter()
            status = 0 if _is_usable(folder) else errno.EACCES
        except OSError as error:
            status = error.errno or 1
        finally:
            os._exit(status)
    if status := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise OSError(status, LIMIT if status == errno.ENOSPC else os.strerror(status))
    _enter()


def _is_usable(folder: Path) -> bool:
    there = [folder, *folder.iterdir()]
    return all(os.access(one, os.R_OK | os.W_OK | (os.X_OK if one.is_dir() else 0)) for one in there)


def _enter() -> None:
    user, group = os.geteuid(), os.getegid()
    try:
        _unshare(CLONE_NEWNET)
    except PermissionError:  # a plain user needs a user namespace too, in which ids stay what they are
        _unshare(CLONE_NEWUSER | CLONE_NEWNET)
        for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(line, encoding="utf-8")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP | IFF_RUNNING))


def _unshare(flags: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(flags):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Broker(threading.Thread):
    """Hands out connections to the server, from inside, to processes of this user and of root.

    In a user namespace all other users look like the overflow user, "nobody", so that there root is refused like anyone
    else, and a server that "nobody" runs is held by the socket's mode alone.

    Args:
        folder: the run folder.

    Raises:
        OSError: the folder can hold no socket, or this is not Linux.
    """

    def __init__(self, folder: Path) -> None:
        if sys.platform != "linux":
            raise OSError("only Linux has network namespaces")
        super().__init__(name="chroma-broker", daemon=True)
        self.port = 0
        self._path = folder / SOCKET
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        try:
            with _short(folder) as name:
                self._listener.bind(name)
            self._path.chmod(OWNER_FILE)
            self._listener.listen(socket.SOMAXCONN)
        except OSError:
            self._listener.close()
            raise

    def run(self) -> None:
        """Hands out connections until the process ends."""
        while True:
            try:
                asker, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(asker,), daemon=True).start()
            except (OSError, RuntimeError):  # no descriptor or thread is left: askers wait their time
                time.sleep(PAUSE_SECONDS)

    def _answer(self, asker: socket.socket) -> None:
        where = ("127.0.0.1", self.port)
        with asker, suppress(OSError):  # who gets none finds the connection closed
            if _user_of(asker) not in {os.geteuid(), ROOT}:
                asker.sendall(REFUSED)
                return
            with socket.create_connection(where, CONNECT_SECONDS) as inside:
                socket.send_fds(asker, [GIVEN], [inside.fileno()])

    def close(self) -> None:
        """Takes the socket from the folder; a thread that runs ends with its process."""
        self._path.unlink(missing_ok=True)
        if not self.is_alive():
            self._listener.close()


def handed_out(folder: Path, timeout: float | None = None, *, within: float = HAND_OUT_SECONDS) -> socket.socket:
    """A connection to the server of a run folder, made inside its namespace.

    Args:
        folder: the run folder.
        timeout: of the connection, in seconds; None for no limit.
        within: seconds until it is handed out.

    Raises:
        PermissionError: the server is another user's.
        OSError: nobody hands one out in time, or the server takes none.
    """
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(within)
        with _short(folder) as name:
            asking.connect(name)
        said, descriptors, _, _ = socket.recv_fds(asking, 1, 1, socket.MSG_CMSG_CLOEXEC)
    if said == REFUSED:
        raise PermissionError(errno.EACCES, "its Chroma server is run by another user")
    if not descriptors:
        raise ConnectionRefusedError(f"the Chroma server of {folder} takes no connection")
    inside = socket.socket(fileno=descriptors[0])
    inside.settimeout(timeout)  # it comes as the broker's own was, which does not block
    inside.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return inside


def _user_of(asker: socket.socket) -> int:
    """The effective user of the process at the other end, when it connected."""
    credentials = asker.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(CREDENTIALS))
    _, user, _ = struct.unpack(CREDENTIALS, credentials)
    return int(user)


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """A path to the socket that the 108 bytes of its address have room for."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)
