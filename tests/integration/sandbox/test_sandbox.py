"""Tests the sandbox: a file that breaks its loader affects no other file and leaves no process."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from itertools import count, repeat

import psutil
import pytest
from faults import failing
from tests_support import whole

from ingest.errors import EmptyDocument, LoaderStopped, UnreadableFile, UnsupportedDocument
from ingest.loaders.sandbox import worker_process
from ingest.loaders.sandbox.pool import LoaderPool
from ingest.loaders.sandbox.worker_process import FILES_A_WORKER, STARTING_SECONDS, most_seconds
from ingest.models import Document

# Workers that misbehave when the name of the file says so, and else do as the real one does.
HOSTILE = """
import os, signal, sys, time
from ingest.loaders.sandbox import worker
def load(request, memory_mb, answers):
    path = worker.Path(request.path)
    if path.name == "hang.txt":
        time.sleep(600)
    if path.name == "crash.txt":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path.name == "chatty.txt":
        os.write(2, b"noise" * 1_000_000)
    if path.name == "deaf.txt":
        os.close(2)
    if path.name == "realtime.txt":
        os.kill(os.getpid(), 40)
    if path.name in {"exit.txt", "chatty exit.txt"}:
        os.write(2, (b"noise" * 1_000_000 + b"\\n") * path.name.startswith("chatty"))
        sys.exit("gone for good")
    if path.name == "memory.txt":
        try:
            bytearray(64 * 1024 ** 3)
        except MemoryError:
            reason = f"{path} needs more than {memory_mb} MiB of memory to be read."
            return worker.WorkerAnswer(worker.LoaderStopped(reason), worker.NOTHING_READ)
    if path.name == "slow.txt":
        for _ in range(4):
            answers.write(worker.AT_WORK)
            answers.flush()
            time.sleep(2)
    if path.name == "endless.txt":
        while True:
            answers.write(worker.AT_WORK)
    if path.name == "alive.txt":
        while True:
            answers.write(worker.AT_WORK)
            answers.flush()
            time.sleep(0.05)
    if path.name == "garbage.txt":
        os.write(1, b"")
        sys.stdout.write("noise that a library prints")
        sys.stdout.flush()
    if path.name == "write.txt":
        with open(str(path) + ".out", "wb") as out:
            out.write(bytes(2 * 1024 * 1024))
    return worker.read_requested(request, memory_mb, answers)
worker.main(int(sys.argv[1]), int(sys.argv[2]), read=load)
"""


def pool(timeout: float = 60, workers: int = 2, **more) -> LoaderPool:
    return LoaderPool(workers, timeout, 1024, 1, **more)


def read(loaders: LoaderPool, paths) -> dict:
    return {one.path: whole(one.result) for one in loaders.load_all(paths)}


def children() -> list[psutil.Process]:
    """The workers that run now; one may end between two looks."""
    found = []
    for one in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if "ingest.loaders" in " ".join(one.cmdline()):
                found.append(one)
    return found


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hang.txt", "took too long to read"),
        ("crash.txt", "the reading process ended (signal SIGSEGV"),
        ("realtime.txt", "the reading process ended (signal 40)"),
        ("exit.txt", "gone for good"),
        ("memory.txt", "needs more than 1024 MiB"),
        ("write.txt", "the reading process ended"),
    ],
)
def test_a_file_that_breaks_its_loader_fails_and_the_others_are_read(write, name, reason):
    paths = [write(f"good{i}.txt", "Good words.") for i in range(4)]
    paths.insert(2, write(name, "Bad words."))
    timeout = 0.5 if name == "hang.txt" else 60
    command = (sys.executable, "-c", HOSTILE)
    with pool(timeout, command=command) as loaders:
        results = read(loaders, paths)
    bad = results.pop(paths[2])
    assert isinstance(bad, LoaderStopped)
    assert reason in str(bad)
    assert name in str(bad)
    # A slow start of the machine may cost a good file its half second too; the pool must survive that as well.
    assert name == "hang.txt" or all(isinstance(one, Document) for one in results.values())
    assert len(results) == 4
    assert children() == []


@pytest.mark.slow
def test_each_step_of_a_slow_file_has_its_own_time_limit(write):
    path = write("slow.txt", "Good words.")
    with pool(5, command=(sys.executable, "-c", HOSTILE)) as loaders:
        (loaded,) = loaders.load_all([path])
    assert loaded.result.whole().text == "Good words."
    assert loaded.seconds > 8


def test_the_number_of_signs_of_life_is_limited(write):
    path = write("endless.txt", "Bad words.")
    with pool(60, command=(sys.executable, "-c", HOSTILE)) as loaders:
        (loaded,) = loaders.load_all([path])
    assert isinstance(loaded.result, LoaderStopped)
    assert "took too long" in str(loaded.result)


@pytest.mark.slow
def test_signs_of_life_extend_the_time_of_a_file_only_so_far(write):
    path = write("alive.txt", "Bad words.")
    with pool(0.5, command=(sys.executable, "-c", HOSTILE)) as loaders:
        (loaded,) = loaders.load_all([path])
    assert isinstance(loaded.result, LoaderStopped)
    assert "took too long" in str(loaded.result)
    assert loaded.seconds < STARTING_SECONDS + most_seconds(0.5, 10) < 2_000 * 0.05


def test_long_scans_have_the_time_that_recognising_their_pages_takes():
    assert most_seconds(120, 1_000) == pytest.approx(20 * 60, rel=0.01)
    assert most_seconds(120, 1_000 * 10 * 1024) >= 1_000 * 10  # seconds a page
    assert most_seconds(120, 10**12) == most_seconds(120, 10**9) < 4 * 3600


def test_any_error_in_a_workers_answer_fails_only_that_file(write):
    broken = failing(worker_process, "receive", IndexError("a mistake of the reader's own"))
    with broken, pool(workers=1) as loaders:
        results = read(loaders, [write("a.txt", "Good words."), write("b.txt", "Good words.")])
    assert len(results) == 2
    assert all(isinstance(one, LoaderStopped) and "a mistake of the reader" in str(one) for one in results.values())


def test_a_worker_that_is_gone_when_it_is_asked_is_its_files_failure(write):
    gone = """
import os
from ingest.loaders.sandbox.protocol import Confinement, encode_greeting
os.close(0)
os.write(1, encode_greeting(Confinement()))
os.kill(os.getpid(), 40)
"""
    with pool(command=(sys.executable, "-c", gone)) as loaders:
        ((_, result, *_),) = loaders.load_all([write("a.txt", "Good words.")])
    assert isinstance(result, LoaderStopped)
    assert "the reading process ended (signal" in str(result)


def test_a_worker_that_cannot_be_started_is_its_files_failure(write, tmp_path):
    with pool(command=(str(tmp_path / "missing"),)) as loaders:
        ((_, result, *_),) = loaders.load_all([write("a.txt", "Good words.")])
    assert isinstance(result, LoaderStopped)
    assert "No such file" in str(result)


def test_output_printed_by_a_library_does_not_disturb_the_answer(write):
    path = write("garbage.txt", "Good words.")
    with pool(command=(sys.executable, "-c", HOSTILE)) as loaders:
        ((_, result, *_),) = loaders.load_all([path])
    assert result.whole().text == "Good words."


def test_errors_of_loading_keep_their_kind(write, tmp_path):
    empty, gone = write("empty.txt", ""), tmp_path / "gone.txt"
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    big = write("big.txt", b"x" * 1_100_000)
    with pool() as loaders:
        results = read(loaders, [empty, gone, pipe, big])
    assert isinstance(results[empty], EmptyDocument)
    assert isinstance(results[gone], UnreadableFile)
    assert isinstance(results[pipe], UnsupportedDocument)
    assert "FOOTNOTE_MAX_FILE_MB" in str(results[big])


def test_paths_are_taken_only_as_they_can_be_read(write):
    path = write("a.txt", "Good words.")
    taken = count()
    endless = (path for _ in repeat(None) if next(taken) >= 0)
    with pool() as loaders:
        results = loaders.load_all(endless)
        for _ in range(5):
            next(results)
        results.close()
    assert next(taken) < 20


def test_workers_are_replaced_now_and_then(write):
    path = write("a.txt", "Good words.")
    with pool(workers=1) as loaders:
        seen = set()
        for _ in loaders.load_all(repeat(path, FILES_A_WORKER + 5)):
            seen |= {one.pid for one in children()}
    assert len(seen) >= 2


def test_a_stop_ends_the_work_and_all_workers(write):
    cancel = threading.Event()
    paths = [write("hang.txt", "x"), write("hang2/hang.txt", "x")]
    with pool(command=(sys.executable, "-c", HOSTILE)) as loaders:
        results = loaders.load_all(paths, cancel)
        threading.Timer(0.5, cancel.set).start()
        assert list(results) == []
    assert children() == []


def test_a_mistake_in_the_paths_is_raised_in_the_callers_thread():
    def broken():
        yield from ()
        raise RuntimeError("the list of files is broken")

    with pool() as loaders, pytest.raises(RuntimeError, match="list of files"):
        list(loaders.load_all(broken()))


@pytest.mark.parametrize("name", ["chatty.txt", "deaf.txt"])
def test_output_of_libraries_does_not_prevent_reading(write, name):
    with pool(command=(sys.executable, "-c", HOSTILE)) as loaders:
        ((_, result, *_),) = loaders.load_all([write(name, "Good words.")])
    assert result.whole().text == "Good words."


def test_the_last_output_of_a_verbose_worker_is_reported(write):
    with pool(command=(sys.executable, "-c", HOSTILE)) as loaders:
        ((_, result, *_),) = loaders.load_all([write("chatty exit.txt", "Bad words.")])
    assert ": gone for good)" in str(result)


def test_workers_get_no_secrets(write, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    path = write("a.txt", "Good words.")
    command = (sys.executable, "-c", "import os, sys; sys.exit(str('OPENAI_API_KEY' in os.environ))")
    with pool(command=command) as loaders:
        ((_, result, *_),) = loaders.load_all([path])
    assert "False" in str(result)


def test_ocr_sends_no_telemetry(write):
    command = (sys.executable, "-c", "import os, sys; sys.exit(os.environ.get('ORT_DISABLE_TELEMETRY'))")
    with pool(command=command) as loaders:
        ((_, result, *_),) = loaders.load_all([write("a.txt", "Good words.")])
    assert "status 1: 1)" in str(result)
