"""Tests hostile files: each yields its text or a named error within its limits, and affects nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import bombs
import psutil
import pytest
from tests_support import whole

from ingest.errors import DamagedDocument, EmptyDocument, LoadError, LoaderStopped
from ingest.loaders.sandbox.pool import LoaderPool
from ingest.loaders.sandbox.worker_process import ADDED
from ingest.models import Document

MEMORY_MB = 1024
ROOT = Path(__file__).resolve().parents[3]

BOMBS = {
    "nest.zip": (bombs.nested_zips, DamagedDocument, "was not opened"),
    "zeros.zip": (bombs.zip_of_zeros, DamagedDocument, "would unpack to 10,240 MiB"),
    "liar.zip": (lambda: bombs.zip_of_zeros(declared=100), DamagedDocument, "Bad CRC-32"),
    "zeros.gz": (bombs.gzip_of_zeros, DamagedDocument, "was not opened"),
    "laugh.xml": (bombs.billion_laughs, DamagedDocument, "declares XML entities"),
    "laugh.docx": (bombs.laughing_docx, DamagedDocument, "is damaged"),
    "entity.xml": (lambda: bombs.outside_entity("file:///etc/passwd"), DamagedDocument, "declares XML entities"),
    "remote.xml": (lambda: bombs.outside_entity("http://127.0.0.1:9/x"), DamagedDocument, "declares XML entities"),
    "million.pdf": (bombs.pdf_of_pages, EmptyDocument, "has 1,000,000 pages and no text"),
    "huge.png": (bombs.huge_png, DamagedDocument, "pixels"),
    "deep.json": (bombs.deep_json, DamagedDocument, "nested too deeply"),
    "many.zip": (bombs.many_members, DamagedDocument, "contains more than 2,000 files"),
    "mail.eml": (bombs.endless_mail, LoadError, "nested too deeply"),
    "wide.xlsx": (bombs.wide_sheet, LoaderStopped, f"need more than {MEMORY_MB} MiB"),
}


def read(paths, memory_mb: int = MEMORY_MB, **more) -> dict:
    with LoaderPool(1, 60, memory_mb, 200, **more) as pool:
        return {one.path.name: whole(one.result) for one in pool.load_all(paths)}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_name_and_within_its_memory(write, name):
    make, kind, reason = BOMBS[name]
    path = write(name, make())
    peak, done = [0], threading.Event()

    def watch():
        while not done.wait(0.02):
            for child in psutil.Process().children():
                with suppress(psutil.Error):
                    peak[0] = max(peak[0], child.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = read([path])[name]
    finally:
        done.set()
        watcher.join()
    assert isinstance(result, kind), result
    assert reason in str(result)
    assert name in str(result)
    assert peak[0] <= MEMORY_MB * bombs.MIB


def test_names_that_climb_and_links_lead_nowhere(write, tmp_path):
    before = set(tmp_path.rglob("*"))
    paths = [write("climb.zip", bombs.zip_that_climbs()), write("links.tar", bombs.tar_of_links())]
    results = read(paths)
    assert {page.label for page in results["climb.zip"].pages} == {"tmp/climbed.txt", "C:/climbed.txt"}
    assert [page.label for page in results["links.tar"].pages] == ["up/words.txt"]
    assert "5 of its files were skipped" in results["links.tar"].warnings[0]
    assert not Path("/tmp/climbed.txt").exists()
    assert set(tmp_path.rglob("*")) - before == {paths[0].parent, *paths}


def test_elements_without_end_are_read_as_text(write):
    assert read([write("deep.html", bombs.deep_html())])["deep.html"].text == "Some words"


@pytest.mark.slow
@pytest.mark.parametrize("ocr", [True, False])
def test_the_worker_recognises_text_within_its_limits_or_leaves_it(write_scan, ocr):
    result = read([write_scan("scan.pdf", ["Recognised by its looks"])], 2048, ocr=ocr)["scan.pdf"]
    if ocr:
        assert isinstance(result, Document)
        assert "Recognised by its looks" in result.text
    else:
        assert "Page 1: readable only by OCR, which is turned off" in str(result)


@pytest.mark.slow
def test_recognising_in_too_little_memory_says_so(write_scan):
    result = read([write_scan("scan.pdf", ["Recognised by its looks"])], 700)["scan.pdf"]
    assert isinstance(result, LoaderStopped)
    assert "needs more than 700 MiB of memory" in str(result)


CONFINED = """
import ctypes, os, socket, subprocess, sys
from ingest.loaders.sandbox.confinement import confine
confine(1024)
libc = ctypes.CDLL(None, use_errno=True)
tried = {
    "socket": lambda: socket.socket(),
    "connect": lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1),
    "lookup": lambda: socket.getaddrinfo("localhost", 80),
    "program": lambda: subprocess.run(["true"]),
    "system": lambda: os.system("true"),
    "write": lambda: open(sys.argv[2], "w"),
    "remove": lambda: os.remove(sys.argv[2]),
    "rename": lambda: os.rename(sys.argv[2], sys.argv[2] + "x"),
}
for name, attempt in tried.items():
    try:
        attempt()
        print(name, "done")
    except PermissionError:
        print(name, "refused")
print("kernel", "refused" if libc.socket(2, 1, 0) == -1 else "done")
"""


def test_a_worker_can_neither_call_nor_start_nor_write_anything(write):
    path = write("there.txt", "words")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        arguments = [str(server.getsockname()[1]), str(path)]
        result = subprocess.run(
            [sys.executable, "-c", CONFINED, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=ROOT,
            env={**os.environ, **ADDED, "PYTHONPATH": str(ROOT)},
        )
    said = dict(line.split(" ", 1) for line in result.stdout.splitlines())
    names = ("socket", "connect", "lookup", "program", "system", "write", "remove", "rename")
    assert said == {**dict.fromkeys(names, "refused"), "kernel": "refused"}, result.stderr
    assert path.read_text() == "words"
