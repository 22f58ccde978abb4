"""Web pages: fetched, bounded, and never from where the user did not mean to go."""

from __future__ import annotations

import gzip
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest import fetch
from ingest.errors import LoadError, SourceError
from ingest.fetch import Fetcher


@contextmanager
def site(pages: dict):
    """A server on loopback; a page is (status, headers, body), or a body."""

    class Handler(BaseHTTPRequestHandler):
        asked: list[str] = []  # noqa: RUF012 - one a server

        def do_GET(self) -> None:
            self.asked.append(self.headers["Host"] + self.path)
            page = pages.get(self.path, (404, {}, b"gone"))
            status, headers, body = page if isinstance(page, tuple) else (200, {"content-type": "text/html"}, page)
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):  # the reader had enough
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", Handler.asked
    finally:
        server.shutdown()
        server.server_close()


def get(url: str, **more):
    with Fetcher(allow_private=True, **more) as fetcher:
        return fetcher.get(url)


def test_a_page_is_fetched_and_its_kind_known():
    latin = (200, {"content-type": "text/html; charset=ISO-8859-1"}, "<p>Größe</p>".encode("latin-1"))
    pdf = (200, {"content-type": "application/pdf"}, b"%PDF-1.4")
    plain = (200, {"content-type": "application/octet-stream"}, b"a,b")
    with site({"/": b"<p>Words</p>", "/latin": latin, "/x?a=1": pdf, "/t.csv": plain}) as (base, _):
        assert (get(base).data, get(base).suffix) == (b"<p>Words</p>", ".html")
        assert get(f"{base}/latin").data.decode("utf-8-sig") == "<p>Größe</p>"
        assert get(f"{base}/x?a=1").suffix == ".pdf"
        assert get(f"{base}/t.csv").suffix == ".csv"
        with pytest.raises(LoadError, match=r"/none could not be fetched: the server answered 404"):
            get(f"{base}/none")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "http://2130706433/",
    ],
)
def test_addresses_that_are_not_public_are_refused(url):
    with Fetcher() as fetcher, pytest.raises(LoadError, match=r"not a public address.*--allow-private"):
        fetcher.get(url)


def test_a_redirect_is_checked_like_the_first_address(monkeypatch):
    """The first host is taken for a public one; where it leads to is not."""
    with site({"/inner": b"secret"}) as (inner, asked):
        with site({"/": (302, {"location": f"{inner}/inner"}, b"")}) as (outer, _):
            port = int(outer.rsplit(":", 1)[1])
            real = Fetcher._address

            def address(self, host, at, url):
                return "127.0.0.1" if at == port else real(self, host, at, url)

            monkeypatch.setattr(Fetcher, "_address", address)
            with Fetcher() as fetcher, pytest.raises(LoadError, match="not a public address"):
                fetcher.get(outer)
        assert asked == []


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    with site({"/": b"Words"}) as (base, asked):
        port = base.rsplit(":", 1)[1]
        found = [(2, 1, 6, "", ("127.0.0.1", int(port)))]
        monkeypatch.setattr(fetch.socket, "getaddrinfo", lambda *_, **__: found)
        assert get(f"http://no-such-host.invalid:{port}/").data == b"Words"
        assert asked == [f"no-such-host.invalid:{port}/"]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/", "redirects more than 5 times"),
        ("file:///etc/passwd", "http and https only"),
        ("ftp://x.org/", "https only"),
    ],
)
def test_redirects_end(location, reason):
    with site({"/": (302, {"location": location}, b"")}) as (base, _), pytest.raises(LoadError, match=reason):
        get(base)


def test_size_and_time_are_bounded(monkeypatch):
    packed = gzip.compress(bytes(8 * 1024 * 1024))
    bomb = (200, {"content-type": "text/html", "content-encoding": "gzip"}, packed)
    with site({"/big": bytes(3 * 1024 * 1024), "/bomb": bomb, "/": b"Words"}) as (base, _):
        for path in ("big", "bomb"):
            with pytest.raises(LoadError, match="has more than 2 MiB"):
                get(f"{base}/{path}", max_mb=2)
        monkeypatch.setattr(fetch, "WHOLE_SECONDS", -1.0)
        with pytest.raises(LoadError, match="took more than"):
            get(base)


def test_credentials_in_an_address_are_refused():
    with pytest.raises(LoadError, match="not an address that is fetched"):
        get("http://user:secret@127.0.0.1/")


def test_a_sitemap_and_those_that_it_names():
    def urlset(*pages: str) -> bytes:
        return f"<urlset>{''.join(f'<url><loc>{page}</loc></url>' for page in pages)}</urlset>".encode()

    pages: dict = {}
    with site(pages) as (base, _), Fetcher(allow_private=True) as fetcher:
        index = "".join(
            f"<sitemap><loc>{base}/{name}</loc></sitemap>" for name in ("one.xml", "two.xml.gz", "index.xml")
        )
        pages["/index.xml"] = f"<sitemapindex>{index}</sitemapindex>".encode()
        pages["/one.xml"] = urlset(f"{base}/a", "http://elsewhere.example/b", "file:///etc/passwd")
        pages["/two.xml.gz"] = gzip.compress(urlset(f"{base}/a", f"{base}/c"))
        pages["/none.xml"] = urlset()
        pages["/bad.xml"] = b"<urlset>"
        assert fetcher.sitemap(f"{base}/index.xml") == [f"{base}/a", f"{base}/c"]
        for name, reason in {"none": "lists no pages", "bad": "not well-formed", "gone": "answered 404"}.items():
            with pytest.raises(SourceError, match=reason):
                fetcher.sitemap(f"{base}/{name}.xml")


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
