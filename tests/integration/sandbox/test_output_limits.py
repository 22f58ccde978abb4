"""Tests the limits on a file's output: in the worker that reads it, and in the process that receives it."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile

import pytest
import repeating_files
from tests_support import whole

from ingest.errors import LoaderStopped, OversizedDocument
from ingest.loaders.output_limits import ALWAYS
from ingest.loaders.sandbox.pool import LoaderPool
from ingest.models import Document

GROWING = {
    "words.txt.gz": repeating_files.gzip_of_words,
    "gzips.tar.gz": repeating_files.tar_of_gzips,
    "repeated.ods": repeating_files.repeating_ods,
    "shared.xlsx": repeating_files.sharing_xlsx,
    "spine.epub": repeating_files.epub_of_one_chapter,
    "ragged.csv": repeating_files.ragged_csv,
    "merged.docx": repeating_files.merged_docx,
    "pages.pdf": repeating_files.pdf_of_one_stream,
    "indent.json": repeating_files.indented_json,
    "files.eml": repeating_files.mail_of_gzips,
}


def read(paths, **more) -> dict:
    with LoaderPool(1, 60, 1024, 200, **more) as pool:
        return {one.path.name: whole(one.result) for one in pool.load_all(paths)}


@pytest.mark.slow
@pytest.mark.parametrize("name", GROWING)
def test_a_small_file_that_becomes_a_large_text_is_refused_by_name(write, name):
    path, good = write(name, GROWING[name]()), write("good.txt", "Good words.")
    assert path.stat().st_size < ALWAYS / 20
    results = read([path, good])
    assert isinstance(results[name], OversizedDocument), results[name]
    assert f"{name} gives more than" in str(results[name])
    assert results["good.txt"].text == "Good words."


@pytest.mark.slow
def test_a_well_compressed_file_is_read(write):
    log = "".join(f"2026-11-25 12:{i // 60 % 60:02d}:{i % 60:02d} job {i} is done\n" for i in range(100_000))
    result = read([write("jobs.log.gz", gzip.compress(log.encode()))])["jobs.log.gz"]
    assert isinstance(result, Document)
    assert result.text.endswith("job 99999 is done")


@pytest.mark.slow
def test_nested_archives_are_counted_once(write):
    data = ("Some words of a long text. " * 200_000).encode()
    for name in ("inner.txt", "a.zip", "b.zip"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, data)
        data = buffer.getvalue()
    result = read([write("outer.zip", data)])["outer.zip"]
    assert isinstance(result, Document)
    assert 3 * len(result.text) > ALWAYS > len(result.text)


@pytest.mark.slow
def test_a_limit_of_the_settings_is_named(write):
    path = write("long.txt", "word\n\n" * 700_000)
    with LoaderPool(1, 60, 1024, 5) as pool:
        (loaded,) = pool.load_all([path])
    assert isinstance(loaded.result, OversizedDocument)
    assert "raise FOOTNOTE_MAX_FILE_MB" in str(loaded.result)


WRONG = """
import json, sys
from ingest.loaders.sandbox import protocol, worker
def frame(fields, rest=b""):
    head = json.dumps(fields).encode()
    body = protocol.HEADER.pack(len(head)) + head + rest
    return protocol.HEADER.pack(len(body)) + body
def encode(result, *, unrecognised):
    if "bad" not in result.text:
        return protocol.encode(result, unrecognised=unrecognised)
    changed = {changed}
    head = {{"unrecognised": False, "title": "t", "warnings": []}}
    segment = {{"start": 0, "continues": False, "blocks": [["paragraph", 0, 3, 0, ""]], "pages": [], "text": 3}}
    for name in changed:
        (head if name in head or name in ("error", "kind") else segment)[name] = changed[name]
    return [frame(head), frame(segment, b"bad"), frame({{}})]
worker.main(int(sys.argv[1]), int(sys.argv[2]), encoded=encode)
"""


def test_a_worker_that_answers_by_hand_is_understood(write):
    """Checks the hand-written answer itself, so that the tests below fail only for the field they change."""
    (result,) = read([write("a.txt", "bad")], command=(sys.executable, "-c", WRONG.format(changed={}))).values()
    assert (result.text, result.title) == ("bad", "t")


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {"title": 7},
        {"title": "\ud800"},
        {"blocks": [["paragraph", "0", 3, 0, ""]]},
        {"blocks": [["paragraph", 0, 4, 0, ""]]},
        {"blocks": [["paragraph", 0, 3, 0, ""], ["paragraph", 1, 3, 0, ""]]},
        {"blocks": [["paragraph", True, 3, 0, ""]]},
        {"blocks": [[["paragraph"], 0, 3, 0, ""]]},
        {"pages": [[2, 0, 3, "", "text", None]]},
        {"pages": [[1, 0, 3, "", "text", "much"]]},
        {"pages": None},
        {"warnings": "none"},
        {"text": 1e300},
        {"text": -1},
        {"start": 1},
        {"start": True},
        {"continues": 1},
        {"unrecognised": None},
        {"error": ["e"], "kind": {}},
    ],
)
def test_a_worker_that_answers_nonsense_costs_that_file_alone(write, changed):
    code = WRONG.format(changed=repr(changed))
    paths = [write("a.txt", "bad"), write("b.txt", "Good words.")]
    results = read(paths, command=(sys.executable, "-c", code))
    assert isinstance(results["a.txt"], LoaderStopped)
    assert "a.txt could not be read: the reading process ended" in str(results["a.txt"])
    assert results["b.txt"].text == "Good words."
