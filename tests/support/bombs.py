"""Files that are made to hurt whoever reads them. Each is small on disk; none is ever unpacked here."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib

MIB = 1024 * 1024


def nested_zips(depth: int = 6, width: int = 16) -> bytes:
    """Like 42.zip: zips in zips, many times over, with zeros at the bottom."""
    data = zipped({"zeros.txt": bytes(4 * MIB)})
    for _ in range(depth):
        data = zipped({f"{i}.zip": data for i in range(width)})
    return data


def zip_of_zeros(size: int = 10 * 1024 * MIB, declared: int | None = None) -> bytes:
    """A zip whose one member unpacks to `size` zeros, made without unpacking them; `declared` is what it claims."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    part = deflater.compress(bytes(MIB)) + deflater.flush(zlib.Z_FULL_FLUSH)
    stream = part * (size // MIB) + b"\x03\x00"
    claimed = size if declared is None else declared
    name = b"zeros.txt"
    wide = claimed >= 1 << 32
    extra = struct.pack("<HHQQ", 1, 16, claimed, len(stream)) if wide else b""
    sizes = (0xFFFFFFFF, 0xFFFFFFFF) if wide else (len(stream), claimed)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 45, 0, 8, 0, 0, 0, *sizes, len(name), len(extra))
    lengths = (len(name), len(extra), 0, 0, 0, 0, 0)
    head = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 45, 45, 0, 8, 0, 0, 0, *sizes, *lengths)
    body = local + name + extra + stream
    directory = head + name + extra
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(body), 0)
    return body + directory + end


def gzip_of_zeros(size: int = 4 * 1024 * MIB) -> bytes:
    """A gzip file that unpacks to `size` zeros."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    part = deflater.compress(bytes(MIB)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + part * (size // MIB) + b"\x03\x00" + bytes(8)


def billion_laughs() -> bytes:
    """XML whose one word stands for a billion others."""
    entities = ['<!ENTITY a0 "ha">', *(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))]
    return f'<?xml version="1.0"?><!DOCTYPE x [{"".join(entities)}]><x>&a9;</x>'.encode()


def laughing_docx() -> bytes:
    """A Word document whose text is a billion laughs."""
    return zipped(
        {
            "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            b'<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
            b'wordprocessingml.document.main+xml"/></Types>',
            "_rels/.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            b'<Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            b'officeDocument" Target="word/document.xml"/></Relationships>',
            "word/document.xml": billion_laughs(),
        }
    )


def outside_entity(url: str) -> bytes:
    """XML that asks for a file or an address."""
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]><x>&e;</x>'.encode()


def pdf_of_pages(pages: int = 1_000_000) -> bytes:
    """A PDF of empty pages, which share one object."""
    kids = b"3 0 R " * pages
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj%sendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(data)
    return (
        data
        + b"xref\n0 4\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start
    )


def huge_png(side: int = 100_000) -> bytes:
    """A PNG that claims `side` by `side` pixels."""
    row = zlib.compress(bytes(1024))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def zip_that_climbs() -> bytes:
    """A zip whose names lead out of its folder."""
    names = ("../../climbed.txt", "/tmp/climbed.txt", "C:\\climbed.txt", "a/../../climbed.txt")
    return zipped(dict.fromkeys(names, b"Some words"))


def tar_of_links() -> bytes:
    """A tar with links to what lies outside, and members of all the other odd kinds."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, target in (
            ("passwd.txt", tarfile.SYMTYPE, "/etc/passwd"),
            ("up", tarfile.SYMTYPE, "../.."),
            ("hard.txt", tarfile.LNKTYPE, "/etc/passwd"),
            ("device.txt", tarfile.CHRTYPE, ""),
            ("pipe.txt", tarfile.FIFOTYPE, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
        words = tarfile.TarInfo("up/words.txt")
        words.size = 10
        archive.addfile(words, io.BytesIO(b"Some words"))
    return buffer.getvalue()


def deep_json(depth: int = 200_000) -> bytes:
    """Lists in lists."""
    return b"[" * depth + b"]" * depth


def deep_html(depth: int = 100_000) -> bytes:
    """Elements in elements, with words at the bottom."""
    return b"<div>" * depth + b"Some words" + b"</div>" * depth


def endless_mail(depth: int = 400) -> bytes:
    """Mails in mails."""
    mail = b"Subject: the last\r\n\r\nSome words\r\n"
    for i in range(depth):
        mail = (
            b"Subject: %d\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
            b"Content-Type: message/rfc822\r\n\r\n%s\r\n--b%d--\r\n" % (i, i, i, mail, i)
        )
    return mail


def wide_sheet() -> bytes:
    """A workbook that claims a cell in the last row of the last column."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write(0, 0, "Some words")
    sheet.write(1_048_575, 16_383, "far away")
    book.close()
    return buffer.getvalue()


def many_members(n: int = 5_000) -> bytes:
    """A zip of many small files."""
    return zipped({f"{i}.txt": b"Some words" for i in range(n)})


def notebook_of_one(cells: int = 200_000) -> bytes:
    """A notebook of very many cells."""
    return json.dumps({"cells": [{"cell_type": "raw", "source": ""}] * cells, "nbformat": 4}).encode()


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


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
    """A workbook of which every cell shows the same long string, stored once."""
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
