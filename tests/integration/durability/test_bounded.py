"""Tests for leaked files and threads after a thousand searches and fifty ingests."""

from __future__ import annotations

import gc

import psutil
import pytest
from durability import quick, state, word_library

from ingest.maintenance.doctor import examine


def used(pid: int) -> tuple[int, int]:
    gc.collect()  # what nobody holds any more, only itself, is closed by Python's leave
    process = psutil.Process(pid)
    return process.num_fds(), process.num_threads()


@pytest.mark.slow
def test_files_and_threads_do_not_grow(settings, tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    with quick(settings) as footnote:
        server = None
        for turn in range(50):
            (folder / f"{turn % 10}.txt").write_text(f"turn{turn} " + " ".join(f"w{j}" for j in range(80)))
            footnote.ingest([folder], prune=True)
            for _ in range(20):
                assert footnote.search(f"turn{turn}", 1)[0].chunk.text.startswith(f"turn{turn} ")
            server = server or state(settings)["server"]
            if turn == 9:  # caches and pools are filled
                before = used(psutil.Process().pid), used(server)
        after = used(psutil.Process().pid), used(server)
    for (files, threads), (files_then, threads_then) in zip(after, before, strict=True):
        assert files <= files_then + 5, (before, after)
        assert threads <= threads_then + 5, (before, after)
    assert examine(settings, open_library=word_library).problems == ()


@pytest.mark.slow
def test_opening_and_closing_leaves_nothing_open(settings, tmp_path):
    (tmp_path / "a.txt").write_text("apple one.")
    counts = []
    for _ in range(12):
        with quick(settings) as footnote:
            footnote.ingest([tmp_path / "a.txt"])
            footnote.search("apple", 1)
        counts.append(used(psutil.Process().pid))
    assert counts[-1][0] <= counts[3][0] + 2, counts
    assert counts[-1][1] <= counts[3][1] + 2, counts
