"""`footnote backup` and `footnote restore` on the command line, with the real model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_on_the_command_line_with_the_real_model(sampled, tmp_path):
    archive, samples = tmp_path / "samples.zip", sampled.settings

    def run(data: Path, *arguments: str) -> dict:
        chroma_url = samples.chroma_url if data == samples.data_dir else ""
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments, "--json"],
            env={**os.environ, "FOOTNOTE_DATA_DIR": str(data), "FOOTNOTE_CHROMA_URL": chroma_url},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    made = run(samples.data_dir, "backup", str(archive))
    assert made["documents"] == sampled.status()[0].documents
    data = tmp_path / "restored"
    assert run(data, "restore", str(archive)) == made
    question = "How long is parental leave at Larkspur?"
    here, there = (run(one, "ask", question) for one in (samples.data_dir, data))
    assert (here["answer"], here["citations"]) == (there["answer"], there["citations"])
    found = run(data, "doctor")
    assert (found["ok"], found["problems"], found["mended"]) == (True, [], [])
