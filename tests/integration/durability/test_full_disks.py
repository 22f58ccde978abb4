"""Disks without space, and limits on the size of files."""

from __future__ import annotations

import resource
import shutil
import subprocess
from pathlib import Path

import pytest
from disks import TEXTS, mounted
from durability import assert_equal, contents, processes, quick, rest, word_library

from ingest.errors import FootnoteError, StoreError
from ingest.maintenance.doctor import examine
from ingest.settings import Settings


@pytest.mark.slow
def test_a_full_disk_is_reported_and_nothing_changes(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "ash.txt").write_text(TEXTS["ash.txt"])
    with mounted(tmp_path / "small", "24m") as small:
        settings = Settings(_env_file=None, data_dir=small / "data")
        with quick(settings) as footnote:
            footnote.ingest([folder])
            before = contents(footnote)
            ballast = small / "ballast"
            ballast.write_bytes(bytes(shutil.disk_usage(small).free - 300_000))
            for i in range(40):
                (folder / f"{i}.txt").write_text(" ".join(f"w{i}x{j}" for j in range(2000)))
            with pytest.raises(StoreError) as said:
                footnote.ingest([folder])
            assert "space" in str(said.value) or "room" in str(said.value)
            held = contents(footnote)
            assert_equal({source: held[source] for source in before}, before)
            assert footnote.search("ash", 1)[0].chunk.text.startswith("ash is here.")
            assert "disk" in {problem.kind for problem in examine(settings, open_library=word_library).problems}
            subprocess.run(["mount", "-o", "remount,size=300m", small], check=True)
            ballast.unlink()
            assert footnote.ingest([folder]).count("failed") == 0
            assert len(contents(footnote)) == 41
            assert examine(settings, open_library=word_library).problems == ()
        rest(settings)


def ingest_within(settings: Settings, folder: Path, most_bytes: int, send) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    try:
        with quick(settings) as footnote:
            footnote.ingest([folder])
        send.send("")
    except FootnoteError as error:
        send.send(str(error))


@pytest.mark.slow
@pytest.mark.parametrize("most_bytes", [20_000, 200_000, 700_000])
def test_a_limit_on_the_size_of_files_is_reported(tmp_path, settings, most_bytes):
    folder = tmp_path / "docs"
    folder.mkdir()
    for i in range(20):
        (folder / f"{i}.txt").write_text(f"tree{i} " + " ".join(f"w{i}x{j}" for j in range(1500)))
    receive, send = processes.Pipe(duplex=False)
    child = processes.Process(target=ingest_within, args=(settings, folder, most_bytes, send))
    child.start()
    child.join(200)
    said = receive.recv()
    assert said == "" or "Check that" in said or "room" in said
    assert said or most_bytes > 200_000
    rest(settings)
    with quick(settings) as footnote:
        assert footnote.ingest([folder]).count("failed") == 0
        assert footnote.search("tree7", 1)[0].chunk.text.startswith("tree7")
    assert examine(settings, open_library=word_library).problems == ()
