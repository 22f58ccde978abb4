"""Restricts the local Chroma server to its owner with a network namespace.

Chroma's server has no authentication, accepts any Host header, and any local process can connect to a loopback port.
On Linux its supervisor therefore enters a private network namespace before it starts the server, whose port is then
unreachable from outside. The owner's processes connect to a Unix socket in the run folder, which nobody else can open.
Through it they receive a connection made inside the namespace (SCM_RIGHTS), and then talk to the server directly.
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
from contextlib import suppress
from pathlib import Path

from ingest.host import OWNER_FILE, socket_address

SOCKET = "chroma.sock"
CONNECT_SECONDS = 5.0
# Time within which a process receives a connection, or a refusal.
HAND_OUT_SECONDS = 2 * CONNECT_SECONDS
PAUSE_SECONDS = 0.1
GIVEN, REFUSED = b"\0", b"\1"
ROOT = 0
# Linux constants from sched.h, if.h and sockios.h.
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
# struct ucred from socket.h: process, user, group.
CREDENTIALS = "iII"
# unshare(2) fails with ENOSPC when one of these limits is reached.
LIMIT = "the limit user.max_net_namespaces or user.max_user_namespaces is reached"


def isolate(folder: Path) -> None:
    """Moves this single-threaded process and its later children into a private network namespace, permanently.

    A child process tries it first, so that a failure half-way leaves this process unchanged.

    Args:
        folder: must remain readable and writable: in a user namespace, root loses its privileges.

    Raises:
        OSError: the system does not allow it for this user, or the folder would become inaccessible.
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
    except PermissionError:  # an ordinary user also needs a user namespace, with ids mapped to themselves
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
    """Hands out connections to the server, from inside the namespace, to processes of this user and of root.

    In a user namespace all other users appear as the overflow user, "nobody". Root is therefore refused there like
    everyone else, and a server run by "nobody" is protected only by the socket's mode.

    Args:
        folder: the run folder.

    Raises:
        OSError: no socket can be created in the folder, or this is not Linux.
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
            with socket_address(self._path) as name:
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
            except (OSError, RuntimeError):  # out of descriptors or threads: clients wait
                time.sleep(PAUSE_SECONDS)

    def _answer(self, asker: socket.socket) -> None:
        where = ("127.0.0.1", self.port)
        with asker, suppress(OSError):  # a refused client finds the connection closed
            if _user_of(asker) not in {os.geteuid(), ROOT}:
                asker.sendall(REFUSED)
                return
            with socket.create_connection(where, CONNECT_SECONDS) as inside:
                socket.send_fds(asker, [GIVEN], [inside.fileno()])

    def close(self) -> None:
        """Removes the socket from the folder; a running thread ends with its process."""
        self._path.unlink(missing_ok=True)
        if not self.is_alive():
            self._listener.close()


def handed_out(folder: Path, timeout: float | None = None, *, within: float = HAND_OUT_SECONDS) -> socket.socket:
    """Returns a connection to the server of a run folder, made inside its namespace.

    Args:
        folder: the run folder.
        timeout: timeout of the connection in seconds; None for no limit.
        within: time limit for receiving the connection, in seconds.

    Raises:
        PermissionError: the server belongs to another user.
        OSError: no connection was handed out in time, or the server refused it.
    """
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(within)
        with socket_address(folder / SOCKET) as name:
            asking.connect(name)
        said, descriptors, _, _ = socket.recv_fds(asking, 1, 1, socket.MSG_CMSG_CLOEXEC)
    if said == REFUSED:
        raise PermissionError(errno.EACCES, "its Chroma server belongs to another user")
    if not descriptors:
        raise ConnectionRefusedError(f"the Chroma server of {folder} accepts no connection")
    inside = socket.socket(fileno=descriptors[0])
    inside.settimeout(timeout)  # the broker's socket is non-blocking, and this one inherits that
    inside.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return inside


def _user_of(asker: socket.socket) -> int:
    """Returns the effective user of the process at the other end, when it connected."""
    credentials = asker.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(CREDENTIALS))
    _, user, _ = struct.unpack(CREDENTIALS, credentials)
    return int(user)
