"""Small files whose text is long, because parts of it repeat."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

from bombs import zipped

MIB = 1024 * 1024
WORDS = "cats and dogs live here. "


def gzip_of_words(size: int = 24 * MIB) -> bytes:
    """A gzip file of the same words over and over."""
    return gzip.compress((WORDS * (size // len(WORDS))).encode(), 9)


def tar_of_gzips(size: int = 4 * MIB, n: int = 8) -> bytes:
    """A tar of gzip files, each of which holds little enough alone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for i in range(n):
            data = gzip_of_words(size)
            member = tarfile.TarInfo(f"{i}.txt.gz")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def repeating_ods(rows: int = 3_000, columns: int = 500) -> bytes:
    """A spreadsheet whose one cell says that it is repeated over many columns, in many rows."""
    namespaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    cell = (
        f'<table:table-cell office:value-type="string" table:number-columns-repeated="{columns}"><text:p>{WORDS}'
        "</text:p></table:table-cell>"
    )
    content = (
        f"<office:document-content{namespaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="S"><table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": manifest.encode(),
            "content.xml": content.encode(),
        }
    )


def sharing_xlsx(characters: int = 20_000, cells: int = 2_000) -> bytes:
    """A workbook whose cells all show the same long string, stored once."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet()
    for row in range(cells):
        sheet.write_string(row, 0, (WORDS * (characters // len(WORDS))))
        sheet.write_string(row, 1, "x")
    book.close()
    return buffer.getvalue()


def epub_of_one_chapter(times: int = 1_000, characters: int = 40_000) -> bytes:
    """A book that names the same chapter many times in its spine."""
    book = (
        '<package><manifest><item id="a" href="a.html" media-type="text/html"/></manifest>'
        "<spine>" + '<itemref idref="a"/>' * times + "</spine></package>"
    )
    return zipped(
        {
            "META-INF/container.xml": b'<container><rootfiles><rootfile full-path="c.opf"/></rootfiles></container>',
            "c.opf": book.encode(),
            "a.html": f"<html><body><p>{WORDS * (characters // len(WORDS))}</p></body></html>".encode(),
        }
    )


def ragged_csv(columns: int = 20_000, rows: int = 20_000) -> bytes:
    """One row of many columns, and many rows of one: a table of columns times rows when they are filled up."""
    return (",".join(["x"] * columns) + "\n" + "a,b\n" * rows).encode()


def merged_docx(characters: int = 20_000, rows: int = 2_000) -> bytes:
    """A Word document with a long cell that is merged with all the cells below it."""
    merged, below = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"

    def row(merge: str, words: str) -> str:
        return (
            f"<w:tr><w:tc><w:tcPr>{merge}</w:tcPr><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:tc>"
            "<w:tc><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc></w:tr>"
        )

    import docx

    buffer = io.BytesIO()
    docx.Document().save(buffer)
    table = row(merged, WORDS * (characters // len(WORDS))) + row(below, "") * rows
    with zipfile.ZipFile(buffer) as made:
        members = {name: made.read(name) for name in made.namelist()}
    body = members["word/document.xml"].decode()
    members["word/document.xml"] = body.replace("<w:body>", f"<w:body><w:tbl>{table}</w:tbl>").encode()
    return zipped(members)


def pdf_of_one_stream(pages: int = 2_000, words: int = 1_000) -> bytes:
    """A PDF whose pages all show the same text, stored once."""
    lines = "".join(f"({WORDS}) Tj 0 -12 Td " for _ in range(words // 5))
    text = f"BT /F 10 Tf 20 780 Td {lines}ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b"3 0 R " * pages),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 3000]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj%sendobj\n" % (number, body)
    start = len(data)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return data + (
        b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (table, start)
    )


def indented_json(depth: int = 190, n: int = 40_000) -> bytes:
    """Values so deep that their indent is longer than they are."""
    return b"[" * depth + b"1," * n + b"1,[[1]]" + b"]" * depth


def mail_of_gzips(n: int = 8) -> bytes:
    """A mail with gzip files attached, each of which holds little enough alone."""
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["Subject"] = "Files"
    mail.set_content("See below.")
    for i in range(n):
        mail.add_attachment(gzip_of_words(4 * MIB), maintype="application", subtype="gzip", filename=f"{i}.txt.gz")
    return mail.as_bytes()
