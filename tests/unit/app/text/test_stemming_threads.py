"""Stems words in several threads at once, in a new process, where no stem is known."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from threading import Barrier, Thread
from app.text.stemming import stem

sys.setswitchinterval(1e-5)
words = [f"{start}{end}" for start in ("connect", "relat", "nation", "general") for end in (
    "ion", "ions", "ing", "ed", "ive", "ively", "ational", "ization", "ities", "fulness")] * 25
names = ("english", "german", "french")
start, found = Barrier(8), []

def run():
    start.wait()
    for n, word in enumerate(words):
        found.append((name := names[n % 3], f"{word}{n}", stem(f"{word}{n}", name)))

threads = [Thread(target=run) for _ in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
stem.cache_clear()
wrong = [one for one in set(found) if stem(one[1], one[0]) != one[2]]
print(len(found), len(wrong))
"""


def test_threads_do_not_change_each_others_stems():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.split() == [str(8 * 1_000), "0"]
