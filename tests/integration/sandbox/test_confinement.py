"""Tests the sandbox against native code in a worker: it can reach nothing but its document."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import sys
from pathlib import Path

import pytest

from app.bootstrap import open_footnote
from ingest.errors import LoaderStopped, NotConfined
from ingest.loaders.sandbox.pool import LoaderPool
from ingest.loaders.sandbox.seccomp import ALLOWED, MACHINES, NUMBERS
from ingest.loaders.sandbox.worker_process import confinement_of
from ingest.maintenance.doctor import try_reading
from ingest.segments import SegmentedDocument

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in MACHINES,
    reason="the kernel confines workers on Linux, on x86_64 and aarch64",
)
ROOT = Path(__file__).resolve().parents[3]
COLUMN = 0 if platform.machine() == "x86_64" else 1
X86_64 = pytest.mark.skipif(COLUMN != 0, reason="an entry that only x86_64 has")
# Numbers of calls on x86_64 and aarch64 that no worker needs.
FORBIDDEN = {
    "creat": (85, None),
    "openat2": (437, 437),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "unlinkat": (263, 35),
    "renameat2": (316, 276),
    "mkdirat": (258, 34),
    "mknodat": (259, 33),
    "linkat": (265, 37),
    "symlinkat": (266, 36),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchownat": (260, 54),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "memfd_create": (319, 279),
    "perf_event_open": (298, 241),
    "seccomp": (317, 277),
    "setuid": (105, 146),
    "capset": (126, 91),
    "setpriority": (141, 140),
    "shmget": (29, 194),
    "inotify_init1": (294, 26),
    "chroot": (161, 51),
    "setsid": (112, 157),
}
# A worker that makes native calls, given as the text of its file: a list of [name, number, arguments]; it answers with
# the error number of each, 0 where the call was done.
HIJACKED = """
import ctypes, json, mmap, os, sys, threading
from ingest.loaders.sandbox import worker
from ingest.models import Document
libc = ctypes.CDLL(None, use_errno=True)
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex("b814000000cd80c3"))  # getpid by the 32-bit entry
old_entry = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
def argument(value):
    return value.encode() if isinstance(value, str) else ctypes.c_long(value)
def done(number, *values):
    ctypes.set_errno(0)
    return 0 if libc.syscall(ctypes.c_long(number), *map(argument, values)) >= 0 else ctypes.get_errno()
def load(request, memory_mb, answers):
    asked = json.loads(request.file.read())
    if asked == "32-bit":
        old_entry()
    if asked == "x32":
        libc.syscall(ctypes.c_long(0x40000000 + 39))
    found = {name: done(number, *values) for name, number, *values in asked}
    thread = threading.Thread(target=lambda: found.update(thread=0))
    thread.start()
    thread.join()
    open_now = [n for n in range(256) if not done(FCNTL, n, 1)]
    found["descriptors"] = len(open_now)
    return worker.WorkerAnswer(Document(json.dumps(found), "", ()), worker.NOTHING_READ)
worker.main(int(sys.argv[1]), int(sys.argv[2]), read=load)
""".replace("FCNTL", str(NUMBERS["fcntl"][COLUMN]))


def number(name: str) -> int | None:
    return ({**FORBIDDEN, **NUMBERS, **ALLOWED})[name][COLUMN]


@pytest.fixture
def hijacked(write):
    """Runs native calls in a worker, each `[name, call, *arguments]`; text is passed as a pointer to it."""

    def run(calls: list | str):
        asked = calls if isinstance(calls, str) else [[name, number(call), *rest] for name, call, *rest in calls]
        path = write("calls.json", json.dumps(asked))
        with LoaderPool(1, 60, 1024, 1, command=(sys.executable, "-c", HIJACKED)) as pool:
            (loaded,) = pool.load_all([path])
            confinement = pool.confinement
        if isinstance(loaded.result, SegmentedDocument):
            return json.loads(loaded.result.whole().text), confinement
        assert isinstance(asked, str), loaded.result
        return loaded.result, confinement

    return run


def test_calls_that_no_loader_needs_are_refused(hijacked):
    names = [name for name in FORBIDDEN if number(name) is not None]
    found, confinement = hijacked([[name, name, 0, 0, 0, 0, 0, 0] for name in names])
    assert confinement.calls
    assert {name: found[name] for name in names if found[name] not in {errno.EPERM, errno.ENOSYS}} == {}
    assert found["clone3"] == errno.ENOSYS  # the C library then starts threads by the older call
    assert found["thread"] == 0


def test_no_file_but_libraries_can_be_opened_and_none_written(hijacked, tmp_path):
    secret = tmp_path / "home" / ".ssh"
    secret.mkdir(parents=True)
    (secret / "key").write_text("secret")
    here, parent = -100, os.getpid()
    reading = {
        "key": str(secret / "key"),
        "folder": str(secret),
        "home": str(Path.home()),
        "passwords": "/etc/passwd",
        "checkout": str(ROOT / "pyproject.toml"),
        "environment": f"/proc/{parent}/environ",
        "memory": f"/proc/{parent}/mem",
        "own memory": "/proc/self/mem",
        "own descriptors": "/proc/self/fd/1",
        "disk": "/dev/sda",
    }
    calls = [[name, "openat", here, path, os.O_RDONLY] for name, path in reading.items()]
    for name, flags in (("write", os.O_WRONLY), ("append", os.O_APPEND | os.O_RDWR), ("create", os.O_CREAT)):
        calls.append([name, "openat", here, str(secret / "key" if name != "create" else secret / "new"), flags, 0o600])
    calls.append(["no file", "openat", here, str(secret), os.O_TMPFILE | os.O_RDWR, 0o600])
    calls.append(["library", "openat", here, str(ROOT / "ingest" / "errors.py"), os.O_RDONLY])
    found, confinement = hijacked(calls)
    if not confinement.files:
        pytest.skip(f"this kernel keeps no files from a process: {confinement.missing}")
    assert {name for name, *_ in calls if found[name] == 0} == {"library"}
    assert set(secret.iterdir()) == {secret / "key"}
    assert (secret / "key").read_text() == "secret"


def test_other_processes_and_its_own_limits_are_out_of_reach(hijacked):
    parent, clone_flags, terminal, owner = os.getpid(), 17, 0x5412, 8
    calls = [
        ["a process", "clone", clone_flags, 0, 0, 0, 0],
        ["signal to the parent", "kill", parent, 0],
        ["signal to a group", "kill", 0, 0],
        ["signal to all", "kill", -1, 0],
        ["signal to a thread of it", "tgkill", parent, parent, 0],
        ["limits of the parent", "prlimit64", parent, 7, 0, 0],
        ["signals by a descriptor", "fcntl", 1, owner, parent],
        ["typing into a terminal", "ioctl", 0, terminal, "x"],
        ["core dumps again", "prctl", 4, 1, 0, 0, 0],
        ["outliving the parent", "prctl", 1, 0, 0, 0, 0],
        ["code in memory", "mmap", 0, 4096, 7, 0x22, -1, 0],
        ["code made of data", "mprotect", 0, 4096, 5],
        ["a file's code, writable", "mmap", 0, 4096, 7, 0x2, 1, 0],
    ]
    for name, limit in (("memory", 9), ("open files", 7), ("written bytes", 1)):
        calls.append([f"more {name}", "prlimit64", 0, limit, "\x7f" * 7 + "\0" + "\x7f" * 7, 0])
    found, _ = hijacked(calls)
    assert {name: found[name] for name, *_ in calls if found[name] != errno.EPERM} == {}


def test_no_file_is_open_that_it_could_write_code_into(hijacked):
    private_code = (4096, 5, 0x2)
    found, _ = hijacked([[str(n), "mmap", 0, *private_code, n, 0] for n in range(6)])
    document = {str(n) for n in range(6) if found[str(n)] == 0}
    assert len(document) == 1
    found, _ = hijacked([[n, "write", int(n), "code", 4] for n in document])
    assert {found[n] for n in document} == {errno.EBADF}


def test_only_its_own_descriptors_are_open(hijacked):
    inherited = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    try:
        found, _ = hijacked([])
    finally:
        os.close(inherited)
    # Standard input, output and error, what the first two became, and the document.
    assert found["descriptors"] == 6


@X86_64
@pytest.mark.parametrize("entry", ["32-bit", "x32"])
def test_another_instruction_set_ends_the_process(hijacked, entry):
    error, _ = hijacked(entry)
    assert isinstance(error, LoaderStopped)
    assert "signal SIGSYS" in str(error) or (entry == "32-bit" and "signal SIGSEGV" in str(error))


def test_a_worker_that_cannot_be_confined_reads_nothing_unless_allowed(write):
    path = write("a.txt", "Good words.")
    without = (
        "import sys; from ingest.loaders.sandbox import seccomp, worker; seccomp.MACHINES.clear(); worker.main({})"
    )
    command = (sys.executable, "-c", without.format("int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]"))
    with LoaderPool(1, 60, 1024, 1, command=command) as pool:
        (refused,) = pool.load_all([path])
    with LoaderPool(1, 60, 1024, 1, allow_unconfined=True, command=command) as pool:
        (read,) = pool.load_all([path])
        confinement = pool.confinement
    assert isinstance(refused.result, NotConfined)
    assert str(path) in str(refused.result)
    assert "FOOTNOTE_ALLOW_UNCONFINED" in str(refused.result)
    assert read.result.whole().text == "Good words."
    assert not confinement.calls
    assert "can do what your user can" in confinement.missing[-1]


def test_a_worker_reports_its_sandbox():
    confinement = confinement_of(1024, allow_unconfined=False)
    assert confinement.calls
    assert confinement.files == (not confinement.missing)


def test_a_process_that_has_read_files_keeps_others_out_of_its_memory(write):
    with LoaderPool(1, 60, 1024, 1) as pool:
        list(pool.load_all([write("a.txt", "Good words.")]))
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0  # PR_GET_DUMPABLE


@pytest.fixture
def unconfinable(monkeypatch, tmp_path):
    """Workers of this process find no filter for their machine."""
    (tmp_path / "sitecustomize.py").write_text("import platform\nplatform.machine = lambda: 'unheard-of'\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_doctor_reports_the_sandbox_of_reading_processes(settings):
    found = try_reading(settings)
    assert found.ok
    assert "a list of permitted system calls" in found.facts[0]


def test_doctor_reports_that_no_file_is_read_and_what_is_not_sandboxed(settings, unconfinable):
    refused = try_reading(settings)
    allowed = try_reading(settings.model_copy(update={"allow_unconfined": True}))
    assert "cannot be confined" in refused.problems[0].what
    assert allowed.ok
    assert "limits" in allowed.facts[0] or "library files only" in allowed.facts[0]
    assert any(fact.startswith("Not confined") for fact in allowed.facts)


@pytest.mark.slow
def test_the_report_names_missing_confinement_and_a_refused_file_is_retried(settings, write, unconfinable):
    path = write("a.txt", "Good words.")
    with open_footnote(settings) as careful:
        refused = careful.ingest([path.parent])
    with open_footnote(settings.model_copy(update={"allow_unconfined": True})) as trusting:
        read = trusting.ingest([path.parent])
    assert "FOOTNOTE_ALLOW_UNCONFINED" in refused.documents[0].error
    assert read.documents[0].status == "added"
    assert "unheard-of" in read.unconfined[-1]
