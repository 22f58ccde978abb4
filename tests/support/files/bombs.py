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
    """XML with one entity that expands to a billion words."""
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
