"""Sitemaps, and web pages that are ingested under their address."""

from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from faults import watched
from web_sites import site

from ingest.errors import SourceError
from ingest.sources.sitemaps import pages_of
from ingest.sources.web_pages import Fetcher


def test_a_sitemap_and_those_that_it_names():
    def urlset(*pages: str) -> bytes:
        return f"<urlset>{''.join(f'<url><loc>{page}</loc></url>' for page in pages)}</urlset>".encode()

    pages: dict = {}
    failed: list[str] = []
    with site(pages) as (base, _):
        fetcher = Fetcher(allow_private=True)
        index = "".join(
            f"<sitemap><loc>{base}/{name}</loc></sitemap>"
            for name in ("gone.xml", "one.xml", "two.xml.gz", "index.xml")
        )
        pages["/index.xml"] = f"<sitemapindex>{index}</sitemapindex>".encode()
        pages["/one.xml"] = urlset(f"{base}/a", "http://elsewhere.example/b", "file:///etc/passwd")
        pages["/two.xml.gz"] = gzip.compress(urlset(f"{base}/a", f"{base}/c"))
        pages["/none.xml"] = urlset()
        pages["/bad.xml"] = b"<urlset>"
        assert pages_of(f"{base}/index.xml", fetcher, failed.append) == [f"{base}/a", f"{base}/c"]
        assert failed == [f"{base}/gone.xml could not be fetched: the server answered 404."]
        for name, reason in {"none": "lists no pages", "bad": "not well-formed", "gone": "answered 404"}.items():
            with pytest.raises(SourceError, match=reason):
                pages_of(f"{base}/{name}.xml", fetcher, failed.append)


@pytest.mark.slow
def test_pages_are_ingested_under_their_address(footnote):
    pages = {"/": b"<title>Home</title><p>Apples are red.</p>", "/empty": b"<p></p>"}
    with site(pages) as (base, _):
        sources = [f"{base}/", f"{base}/empty", f"{base}/none"]
        report = footnote.ingest(sources, allow_private=True)
        assert [one.status for one in report.documents] == ["added", "failed", "failed"]
        assert f"{base}/empty is empty" in report.documents[1].error
        hit = footnote.search("red apples", 1)[0].chunk
        assert (hit.source, hit.title, hit.text) == (f"{base}/", "Home", "Apples are red.")
        assert footnote.ingest(sources[:1], allow_private=True).count("unchanged") == 1
        pages["/"] = b"<title>Home</title><p>Apples are green.</p>"
        assert footnote.ingest(sources[:1], allow_private=True).count("updated") == 1
        assert footnote.ingest(sources[:1]).count("failed") == 1  # refused: not a public address
        assert footnote.search("apples", 1)[0].chunk.text == "Apples are green."
    assert footnote.remove(base) == 3


@pytest.mark.slow
def test_a_page_is_deleted_from_the_disk_when_it_was_read(footnote):
    folders = []

    def emptied(arguments) -> None:
        folders.append([path.name for path in Path(arguments[0].name).iterdir()])

    with (
        watched(TemporaryDirectory, "cleanup", emptied, before=True),
        site({"/a": b"<p>Good words.</p>", "/b": b"<p>Other words.</p>"}) as (base, _),
    ):
        for _ in range(2):
            footnote.ingest([f"{base}/a", f"{base}/b"], allow_private=True)
    assert folders == [[], []]


def test_a_sitemap_of_broken_addresses_gives_the_whole_ones_and_a_failure_for_each_broken(footnote):
    pages: dict = {}
    with site(pages) as (base, _):
        listed = [f"{base}/a", "http://[::1", f"{base}/\x7f", "http://x:99999/", "ftp://x/"]
        pages["/map.xml"] = (
            "<urlset>" + "".join(f"<url><loc>{one}</loc></url>" for one in listed) + "</urlset>"
        ).encode()
        pages["/a"] = b"<p>Good words.</p>"
        fetcher = Fetcher(allow_private=True)
        found = pages_of(f"{base}/map.xml", fetcher, lambda _: None)
        report = footnote.ingest(found, allow_private=True)
    assert {one.path: one.status for one in report.documents}[f"{base}/a"] == "added"
    assert report.count("failed") == len(found) - 1 >= 1


def test_passwords_in_addresses_are_kept_nowhere(footnote, settings):
    report = footnote.ingest(["http://user:s3cret@127.0.0.1:1/page"])
    (failed,) = report.documents
    assert (failed.path, failed.status) == ("http://***@127.0.0.1:1/page", "failed")
    assert "s3cret" not in f"{report} {footnote.report()} {footnote.status()}"
    footnote.close()
    kept = b"".join(path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file())
    assert b"s3cret" not in kept
