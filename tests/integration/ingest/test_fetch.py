"""Tests fetching of web pages: limits, and no requests to addresses that the user did not allow."""

from __future__ import annotations

import gzip
import socket
import threading
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from web_sites import site

from ingest.errors import Cancelled, LoadError, SettingsError
from ingest.settings import load_settings
from ingest.sources.public_network import PublicNetwork
from ingest.sources.web_pages import Fetcher
from ingest.text.storable_text import is_storable
from ingest.urls import masked, masked_value


def looking_up(resolve):
    """Returns a network that looks up hosts with this function."""
    return partial(PublicNetwork, resolve=resolve)


def get(url: str, **more):
    return Fetcher(allow_private=True, **more).get(url)


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
        "http://[64:ff9b::a00:1]/",
        "http://[64:ff9b:1::a00:1]/",
        "http://[fec0::1]/",
        "http://[fc00::1]/",
        "http://[fe80::1]/",
        "http://[::127.0.0.1]/",
        "http://[::ffff:0:127.0.0.1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:53aa:64c:0:0:80ff:fffe]/",
        "http://[2001:db8::1]/",
        "http://[ff02::1]/",
        "http://100.64.0.1/",
        "http://192.88.99.1/",
        "http://198.18.0.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
    ],
)
def test_addresses_that_are_not_public_are_refused(url):
    with pytest.raises(LoadError, match=r"not a public address.*--allow-private"):
        Fetcher().get(url)


def test_a_redirect_is_checked_like_the_first_address():
    """The first host counts as public; the target of its redirect does not."""
    with site({"/inner": b"secret"}) as (inner, asked):
        with site({"/": (302, {"location": f"{inner}/inner"}, b"")}) as (outer, _):
            port = int(outer.rsplit(":", 1)[1])

            class Trusting(PublicNetwork):
                def _addresses(self, host, at):
                    return ["127.0.0.1"] if at == port else super()._addresses(host, at)

            with pytest.raises(LoadError, match="not a public address"):
                Fetcher(open_network=Trusting).get(outer)
        assert asked == []


def test_the_connection_goes_to_the_address_that_was_checked():
    with site({"/": b"Words"}) as (base, asked):
        port = base.rsplit(":", 1)[1]
        network = looking_up(lambda _host, _port: ["127.0.0.1"])
        assert get(f"http://no-such-host.invalid:{port}/", open_network=network).data == b"Words"
        assert asked == [f"no-such-host.invalid:{port}/"]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/", "redirects more than 5 times"),
        ("file:///etc/passwd", "http or https address"),
        ("ftp://x.org/", "use an http or https address"),
    ],
)
def test_redirects_end(location, reason):
    with site({"/": (302, {"location": location}, b"")}) as (base, _), pytest.raises(LoadError, match=reason):
        get(base)


def test_size_and_time_are_bounded():
    with site({"/big": bytes(3 * 1024 * 1024), "/": b"Words"}) as (base, _):
        with pytest.raises(LoadError, match="has more than 2 MiB"):
            get(f"{base}/big", max_mb=2)
        with pytest.raises(LoadError, match="took more than"):
            get(base, seconds=-1.0)


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br", "gzip, identity", "x-bomb"])
def test_a_page_that_comes_compressed_unasked_is_refused_unread(encoding):
    packed = gzip.compress(bytes(8 * 1024 * 1024))
    page = (200, {"content-type": "text/html", "content-encoding": encoding}, packed)
    with site({"/": page}) as (base, _), pytest.raises(LoadError, match="server compressed it"):
        get(base)


@contextmanager
def raw(*parts: bytes, again: bool = False):
    """A server on loopback that says these bytes to whoever connects; with `again`, the last of them for ever."""
    ended = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            while not ended.is_set():
                talk, _ = server.accept()
                with talk, suppress(OSError):
                    talk.recv(65536)
                    for part in parts:
                        talk.sendall(part)
                    while again and not ended.is_set():
                        talk.sendall(parts[-1])

    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        ended.set()
        server.close()


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"y" * 1000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nx-more: ", b"y"),
        (b"y",),
    ],
)
def test_a_server_that_sends_endlessly_is_abandoned(parts):
    with raw(*parts, again=True) as url, pytest.raises(LoadError, match="could not be fetched"):
        get(url, seconds=1.0)


def test_a_fetch_from_a_silent_server_can_be_cancelled():
    cancel = threading.Event()
    asked = threading.Event()

    def look_up(_host, _port):
        asked.set()
        cancel.set()
        threading.Event().wait(5)
        return ["127.0.0.1"]

    with pytest.raises(Cancelled):
        Fetcher(cancel=cancel, open_network=looking_up(look_up)).get("http://slow.example/")
    assert asked.is_set()


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1:99999/", "a port that does not exist"),
        ("http://127.0.0.1:0/", "a port that does not exist"),
        ("http://[::1/", "(not a valid|an invalid) address"),
        ("//[", "(not a valid|an invalid) address"),
        ("http://user:secret@127.0.0.1/", r"\*\*\*@127.0.0.1/, which is not allowed: use"),
        ("http://\xff\xfe.example/", "could not be fetched"),
        ("http://" + "a" * 64 + ".example/", "was not found"),
        ("http:///", "redirects more than 5 times"),
    ],
)
def test_every_faulty_redirect_is_a_named_failure(location, reason):
    with site({"/": (302, {"location": location}, b"")}) as (base, _), pytest.raises(LoadError, match=reason) as error:
        get(base)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "charset",
    [
        *("hex", "rot13", "idna", "punycode", "utf-7", "unicode_escape", "raw_unicode_escape", "undefined", "zlib"),
        *("x\ty", "utf-16", '"utf-8"', "no-such", "a" * 5000, "utf-16-le"),
    ],
)
def test_a_page_in_any_declared_charset_becomes_storable_text(charset):
    page = (200, {"content-type": f"text/html; charset={charset}"}, b"<p>Some words \\ud800 \xff that can be found</p>")
    with site({"/": page}) as (base, _):
        assert is_storable(get(base).data.decode("utf-8-sig", "replace"))


def test_hosts_outside_ascii_are_asked_for_by_their_name_in_the_dns():
    with site({"/%C3%A4?q=%C3%B6": b"Words"}) as (base, asked):
        port = base.rsplit(":", 1)[1]
        hosts = []

        def look_up(host, _port):
            hosts.append(host)
            return ["127.0.0.1"]

        network = looking_up(look_up)
        assert get(f"http://b\xfccher.example:{port}/\xe4?q=\xf6", open_network=network).data == b"Words"
        assert hosts[0] == "xn--bcher-kva.example"
        assert asked == [f"xn--bcher-kva.example:{port}/%C3%A4?q=%C3%B6"]


def test_credentials_in_an_address_are_refused():
    with pytest.raises(LoadError, match="is not allowed: use") as error:
        get("http://user:secret@127.0.0.1/")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("name", ["CHROMA_URL", "LLM_BASE_URL", "RERANKER_URL"])
@pytest.mark.parametrize("value", ["user:s3cret@host", "htp://user:s3cret@host", "http://user:s3/c@ret s3cret@host"])
def test_settings_that_cannot_be_used_are_named_without_their_password(monkeypatch, name, value):
    monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert f"FOOTNOTE_{name}" in str(error.value)
    assert "s3cret" not in f"{error.value} {error.value.__cause__}"
    assert "user" not in str(error.value)


def test_masking_leaves_other_addresses_as_they_are():
    assert masked("http://a:b@c/d, https://e/@f and g@h") == "http://***@c/d, https://e/@f and g@h"
    assert masked_value("http://host/v1") == "http://host/v1"
