"""The page shows how much of a collection is embedded, and an upload counts its passages too."""

from __future__ import annotations

import pytest
from faults import failing
from pages import open_page, shown

from app.ui.components import upload
from ingest.reports import IngestProgress
from ingest.vectors.store import VectorStore

pytestmark = pytest.mark.usefixtures("shared_chroma")


def progress_of(page) -> list[tuple[int, str]]:
    return [(one.proto.value, one.proto.text) for one in page.get("progress")]


def test_the_page_says_how_much_is_embedded_until_all_is(filled, write):
    assert progress_of(open_page(filled)) == []
    with failing(VectorStore, "upsert", KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        filled.ingest([write("b.txt", "Cedars are green.")])
    page = open_page(filled)
    assert progress_of(page) == [(50, "1 of 2 passages embedded")]
    page.chat_input[0].set_value("What colour are cedars?").run()
    assert "Cedars are green." in shown(page)
    assert "1 of 2 passages are not embedded yet: they were found by their words only." in shown(page)
    filled.ingest([write("b.txt", "Cedars are green.")])
    assert progress_of(open_page(filled)) == []


@pytest.mark.parametrize(
    ("progress", "share", "words"),
    [
        (IngestProgress(1, 4, 0, 1.0, chunks_total=30), 25, "1 of 4 files, 30 passages"),
        (
            IngestProgress(4, 4, 30, 9.0, chunks_total=120, embedding=True),
            25,
            "Ready to be asked; 30 of 120 passages embedded",
        ),
    ],
)
def test_an_upload_counts_files_and_then_passages(filled, progress, share, words):
    outcomes = filled.ingest([filled.documents("default")[0].source]).documents
    upload.jobs()["default"] = upload.Job("default", 4, progress, list(outcomes))
    assert progress_of(open_page(filled)) == [(share, words)]
