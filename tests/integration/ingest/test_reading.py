"""Tests the reports of how files were read: places, OCR on and off, and older data folders."""

from __future__ import annotations

import pytest
from tests_support import written_before

from app.presentation import reading_words, report_json
from ingest.errors import SourceError

pytestmark = pytest.mark.usefixtures("shared_chroma")


def by_name(rows) -> dict:
    return {row.source.rsplit("/", 1)[-1]: row for row in rows}


def test_a_footnote_says_slide_sheet_or_page_and_leads_to_its_box(footnote, write, write_pdf, tmp_path):
    import io

    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.add_worksheet("Q3").write_column(0, 0, ["Team", "The badgers dig"])
    write("a.xlsx", buffer.getvalue())
    folder = write_pdf("b.pdf", ["Nothing", "The otters swim"]).parent
    footnote.ingest([folder])
    sheet = footnote.search("badgers dig", 1)[0].chunk
    assert (sheet.place, sheet.page) == ("sheet Q3", 1)
    page = footnote.search("otters swim", 1)[0].chunk
    assert (page.place, page.page) == ("page 2", 2)
    docstore = footnote.index("default").docstore
    (box,) = docstore.boxes(page.version_id, page.start, page.end)
    assert box.page == 2
    assert 0 < box.left < box.right < 1
    assert [one.label for one in docstore.pages(page.version_id)] == ["page 1", "page 2"]
    assert docstore.boxes(sheet.version_id, 0, 9) == []


def test_the_report_says_how_each_file_was_read(footnote, write, write_pdf, write_scan):
    write("notes.md", "# Notes\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n")
    write("song.pdf", "no pdf")
    write_scan("scan.pdf", ["The fee is 120 euros"])
    folder = write_pdf("text.pdf", ["Words", "", "More words"]).parent
    footnote.ingest([folder])
    rows = by_name(footnote.report())
    text, scan, notes = rows["text.pdf"].reading, rows["scan.pdf"].reading, rows["notes.md"].reading
    assert (text.pages_text, text.pages_ocr, text.pages_empty, text.confidence) == (2, 0, 1, None)
    assert rows["text.pdf"].warnings == ("Page 2: blank.",)
    assert (scan.pages_text, scan.pages_ocr, scan.pages_empty) == (0, 1, 0)
    assert scan.confidence > 0.8
    assert scan.seconds > 0
    assert (notes.tables, notes.characters) == (1, len("# Notes\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n"))
    words = lambda name: reading_words(rows[name].pages, rows[name].reading)  # noqa: E731
    assert words("text.pdf") == "3 pages: 2 text, 1 empty"
    assert words("scan.pdf").startswith("1 page: 1 OCR (9")
    assert words("notes.md") == "1 table"
    assert rows["song.pdf"].status == "failed"
    (only,) = footnote.report(str(folder / "text.pdf"))
    assert only == rows["text.pdf"]
    assert len(footnote.report(str(folder))) == 4
    with pytest.raises(SourceError, match="holds no document"):
        footnote.report("nowhere.pdf")
    (printed,) = report_json([only])["documents"]
    assert (printed["pages"], printed["pages_text"], printed["pages_empty"], printed["tables"]) == (3, 2, 1, 0)


@pytest.mark.slow
def test_text_skipped_without_ocr_is_read_once_ocr_is_on(footnote, write, write_scan, loads):
    write("a.txt", "Apples are red.")
    folder = write_scan("scan.pdf", ["The otters swim"]).parent
    first = footnote.ingest([folder], ocr=False)
    assert (first.count("added"), first.count("failed")) == (1, 1)
    assert "OCR, which is turned off" in footnote.status()[0].failures[str(folder / "scan.pdf")]
    loads.clear()
    assert footnote.ingest([folder], ocr=False).count("failed") == 1
    assert loads == []
    second = footnote.ingest([folder])
    assert [path.name for path in loads] == ["scan.pdf"]
    assert (second.count("added"), second.count("unchanged")) == (1, 1)
    assert footnote.search("otters swim", 1)[0].chunk.place == "page 1"
    footnote.ingest([folder], ocr=False)  # what was recognised stays
    assert [path.name for path in loads] == ["scan.pdf"]


def test_documents_that_older_loaders_read_are_read_again_once(footnote, write):
    path = write("a.txt", "Apples are red.")
    written_before(footnote, path)
    assert footnote.ingest([path]).count("updated") == 1
    assert footnote.ingest([path]).count("unchanged") == 1
