"""Tests streams from the background loop; a stream that never began is not waited for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import stream_bridge
from app.stream_bridge import pumped


async def endless():
    while True:
        yield 1


@pytest.fixture
def no_loop_yet():
    stream_bridge._the_loop.cache_clear()


@pytest.mark.usefixtures("no_loop_yet")
def test_all_who_come_first_share_one_loop():
    together = threading.Barrier(8)

    def loop(_: int) -> int:
        together.wait()
        return id(stream_bridge._loop())

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(loop, range(8)))) == 1


def test_a_stream_that_never_began_is_closed_immediately():
    busy, free, over = threading.Event(), threading.Event(), threading.Event()
    stream_bridge._loop().call_soon_threadsafe(lambda: (busy.set(), free.wait(30), over.set()))
    busy.wait(30)
    items = pumped(endless, 0.001, closing=300)
    assert next(items) is None
    items.close()
    assert not over.is_set()
    free.set()


def test_a_stream_that_never_has_to_wait_ends_with_its_reader():
    items = pumped(endless, 1.0)
    assert next(items) == 1
    items.close()
    done = threading.Event()
    stream_bridge._loop().call_soon_threadsafe(done.set)
    assert done.wait(30)  # the loop is free again
