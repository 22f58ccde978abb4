"""Tests one data folder in many processes at once: no search sees a change half done."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest
from durability import contents, ended, processes, quick, state, word_library

from ingest.errors import FootnoteError, SourceError
from ingest.maintenance.doctor import examine

BASE = [f"base{i}" for i in range(10)]


def write(folder: Path, name: str, text: str) -> None:
    """As an editor saves: readers see the old file or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}"
    partial.write_text(text)
    partial.replace(folder / name)


def reported(work):
    """Runs `work(settings, folder, until, ...)` again and again until the time is over; sends what went wrong."""

    def run(settings, folder, until, send, *more) -> None:
        rounds = 0
        try:
            with quick(settings) as footnote:
                while time.time() < until:
                    work(footnote, folder, *more)
                    rounds += 1
        except BaseException as error:  # noqa: BLE001 - reported to the test
            send.send((rounds, f"{work.__name__}: {type(error).__name__}: {error}"))
        else:
            send.send((rounds, ""))

    return run


def _ingest(footnote, folder: Path, collection: str, seed: str) -> None:
    for i in range(4):
        write(folder, f"{seed}{i}.txt", f"{seed}{i} version{random.random()} " + " ".join(f"w{j}" for j in range(150)))
    footnote.ingest([folder], collection=collection)


def _remove(footnote, folder: Path) -> None:
    try:
        footnote.remove(str(folder / f"first{random.randrange(4)}.txt"))
    except SourceError:
        time.sleep(0.01)


def _status(footnote, _folder: Path) -> None:
    (default,) = [one for one in footnote.status() if one.name == "default"]
    assert default.documents >= len(BASE)
    assert default.failures == {}


def _ask(footnote, _folder: Path) -> None:
    """Asserts that unchanged documents are always found, and no document in two versions."""
    word = random.choice(BASE)
    hits = footnote.search(f"{word} version", 30)
    assert any(hit.chunk.text.split()[0] == word for hit in hits), f"{word} was not found"
    versions: dict[str, set[str]] = {}
    for hit in hits:
        versions.setdefault(hit.chunk.source, set()).add(hit.chunk.version_id)
    assert all(len(found) == 1 for found in versions.values()), "two versions of one document were found"


# The forkserver's children look functions up by name.
ingest_often, remove_often, status_often, ask_often = map(reported, (_ingest, _remove, _status, _ask))
WORKERS = {"ingest": ingest_often, "remove": remove_often, "status": status_often, "ask": ask_often}


def worker(what: str, *arguments) -> None:
    WORKERS[what](*arguments)


def use_together(settings, folder: Path, seconds: float) -> dict[str, int]:
    """Runs everything side by side. Returns how often each went round."""
    for one in BASE:
        write(folder / "base", f"{one}.txt", f"{one} stays here.")
    with quick(settings) as footnote:
        footnote.ingest([folder / "base"])
        server, until = state(settings)["server"], time.time() + seconds
        jobs = [
            ("ingest", folder / "first", "default", "first"),
            ("ingest", folder / "second", "default", "second"),
            ("ingest", folder / "third", "Other", "third"),
            ("remove", folder / "first"),
            ("status", folder),
            ("ask", folder),
            ("ask", folder),
        ]
        pipes, children = [], []
        for what, where, *more in jobs:
            receive, send = processes.Pipe(duplex=False)
            children.append(processes.Process(target=worker, args=(what, settings, where, until, send, *more)))
            pipes.append((what, receive))
            children[-1].start()
        rounds: dict[str, int] = {}
        for what, pipe in pipes:
            assert pipe.poll(seconds + 120), f"{what} hangs"
            n, problem = pipe.recv()
            assert problem == ""
            rounds[what] = rounds.get(what, 0) + n
        for child in children:
            child.join(30)
        assert state(settings)["server"] == server, "the server was started more than once"
        # An open chat finds what others wrote, without a restart.
        footnote.ingest([folder / "first", folder / "second"])
        assert footnote.search("second3", 1)[0].chunk.text.startswith("second3")
        held = {Path(source).stem for source in contents(footnote)}
        assert held == {*BASE, *(f"first{i}" for i in range(4)), *(f"second{i}" for i in range(4))}
        assert examine(settings, open_library=word_library).problems == ()
    assert ended(server)
    return rounds


@pytest.mark.slow
def test_all_at_once(settings, tmp_path):
    rounds = use_together(settings, tmp_path / "docs", 8)
    assert all(n > 0 for n in rounds.values()), rounds


@pytest.mark.soak
def test_all_at_once_for_minutes(settings, tmp_path):
    rounds = use_together(settings, tmp_path / "docs", 120)
    assert all(n > 20 for n in rounds.values()), rounds


def test_a_search_repeats_itself_when_something_changed_meanwhile(settings, tmp_path):
    write(tmp_path / "docs", "a.txt", "apple one.")
    with quick(settings) as footnote:
        footnote.ingest([tmp_path / "docs"])
        index, calls = footnote.index("default"), []

        def search():
            calls.append(index.docstore.catalog.changes(index.collection.id))
            if len(calls) == 1:
                footnote.remove(str(tmp_path / "docs" / "a.txt"))
            return index.keyword_search("apple", 5)

        assert index.consistent(search) == []
        assert len(calls) == 2


def hold(settings, ready) -> None:
    with quick(settings) as footnote:
        footnote.search("apple", 1)
        ready.send(state(settings)["server"])
        time.sleep(600)


@pytest.mark.slow
def test_the_server_outlives_its_starter_and_ends_with_its_last_user_even_if_they_are_killed(settings, tmp_path):
    write(tmp_path / "docs", "a.txt", "apple one.")
    with quick(settings) as footnote:
        footnote.ingest([tmp_path / "docs"])
    servers, children = set(), []
    for _ in range(3):
        receive, send = processes.Pipe(duplex=False)
        children.append(processes.Process(target=hold, args=(settings, send)))
        children[-1].start()
        assert receive.poll(60)
        servers.add(receive.recv())
    (server,) = servers
    for child in children[:2]:  # the one who started it first
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    time.sleep(1)
    assert psutil.pid_exists(server)
    os.kill(children[2].pid, signal.SIGKILL)
    children[2].join()
    assert ended(server)


@pytest.mark.parametrize("content", [b"", b"no json", b'{"port": 1, "server": 1, "supervisor": 1}', b"\xff\x00"])
def test_stale_files_do_not_block_any_process(settings, tmp_path, content):
    run = settings.data_dir / "run"
    run.mkdir(parents=True)
    for name in ("chroma.json", "chroma.users", "chroma.owner", "chroma.start", "chroma.deleted", "chroma.running"):
        (run / name).write_bytes(content)
    write(tmp_path / "docs", "a.txt", "apple one.")
    with quick(settings) as footnote:
        for writer in (run / f"{footnote.index('default').collection.uid}.writer",):
            writer.write_bytes(content)
        footnote.ingest([tmp_path / "docs"])
        assert footnote.search("apple", 1)[0].chunk.text == "apple one."


def test_two_writers_take_turns_and_the_second_knows_who_it_waits_for(settings, tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, f"{name}.txt", f"{name} word.")
    with quick(settings) as first, quick(settings) as second:
        waited: list[str] = []
        from ingest.index.writer import writing

        with writing(first.index("default"), "a long visit"):
            thread = threading.Thread(
                target=lambda: second.ingest([tmp_path / "b"], on_progress=lambda p: waited.append(p.waiting_for))
            )
            thread.start()
            deadline = time.monotonic() + 20
            while not any(waited) and time.monotonic() < deadline:
                time.sleep(0.05)
        thread.join(30)
        assert any("a long visit" in who for who in waited)
        assert second.search("word", 1)
    with pytest.raises(FootnoteError):
        quick(settings.model_copy(update={"data_dir": Path("/proc/nowhere")}))
