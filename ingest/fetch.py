"""Web pages -> bytes: bounded in size and time, and never from an address that is not public unless that is allowed.

A host's addresses are looked up once and checked, and the connection goes to the address that was checked: a name
that changes its mind in between changes nothing. Every redirect is checked like the first address.
"""

from __future__ import annotations

import ipaddress
import mimetypes
import socket
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from ingest.errors import LoadError, SourceError
from ingest.network import is_url

MIB = 1024 * 1024
USER_AGENT = "Footnote/0.1 (reads pages that its user names)"
CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 10.0, 30.0, 120.0
MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
OK = 200
MOST_PAGES, MOST_SITEMAPS, DEEPEST_SITEMAP = 10_000, 200, 3
MOST_SITEMAP_BYTES = 60 * MIB
PLAIN_PORTS = {"http": 80, "https": 443}
# Kinds that servers name, and the suffix that the loaders know them by.
SUFFIXES = {"text/html": ".html", "application/xhtml+xml": ".html", "text/markdown": ".md", "text/plain": ".txt"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as it came. `url` is where the last redirect led, `suffix` what its kind is called among files."""

    url: str
    data: bytes
    suffix: str


class Fetcher:
    """Gets pages. Use it in a `with` block.

    Args:
        allow_private: whether loopback, link-local and private addresses may be asked.
        max_mb: larger pages are not read, in MiB.
    """

    def __init__(self, *, allow_private: bool = False, max_mb: int = 200) -> None:
        self._allow_private = allow_private
        self._most = max_mb * MIB
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        self._client = httpx.Client(timeout=timeout, headers=headers, follow_redirects=False, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str) -> Fetched:
        """The page at `url`.

        Raises:
            LoadError: it cannot be had, is too large, or leads to an address that is not to be asked.
        """
        here, until = url, time.monotonic() + WHOLE_SECONDS
        for _ in range(MOST_REDIRECTS + 1):
            try:
                answer = self._ask(here, url, until)
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
                raise LoadError(f"{url} could not be fetched: {reason}. Check the address and the network.") from error
            if isinstance(answer, Fetched):
                return answer
            here = answer
        raise LoadError(f"{url} could not be fetched: it redirects more than {MOST_REDIRECTS} times.")

    def sitemap(self, url: str) -> list[str]:
        """The addresses of the pages that a sitemap lists, and those that it names, on its own host.

        Raises:
            SourceError: it cannot be had, or is no sitemap.
        """
        pages: dict[str, None] = {}
        waiting, seen = [(url, 0)], {url}
        while waiting and len(seen) <= MOST_SITEMAPS:
            here, depth = waiting.pop(0)
            for kind, listed in self._listed(here):
                if urlsplit(listed).hostname != urlsplit(url).hostname or not is_url(listed):
                    continue
                if kind == "sitemap" and depth < DEEPEST_SITEMAP and listed not in seen:
                    seen.add(listed)
                    waiting.append((listed, depth + 1))
                elif kind == "url" and len(pages) < MOST_PAGES:
                    pages[listed] = None
        if not pages:
            raise SourceError(f"{url} lists no pages. Give the address of the site's sitemap.xml.")
        return list(pages)

    def _listed(self, url: str) -> Iterator[tuple[str, str]]:
        """("url" or "sitemap", address) of each entry."""
        try:
            data = self.get(url).data
            if data.startswith(b"\x1f\x8b"):
                data = zlib.decompressobj(wbits=31).decompress(data, MOST_SITEMAP_BYTES)
            root: Any = ElementTree.fromstring(data)
        except LoadError as error:
            raise SourceError(str(error)) from error
        except (ElementTree.ParseError, DefusedXmlException, zlib.error, ValueError) as error:
            raise SourceError(f"{url} is not a sitemap: it is not well-formed XML ({error}).") from error
        for entry in root:
            kind = entry.tag.rsplit("}", 1)[-1]
            place = next((one.text for one in entry if str(one.tag).rsplit("}", 1)[-1] == "loc"), None)
            if kind in {"url", "sitemap"} and place and place.strip():
                yield kind, place.strip()

    def _ask(self, here: str, url: str, until: float) -> Fetched | str:
        """The page at `here`, or where it redirects to. `url` is what messages name."""
        parts = urlsplit(here)
        if not is_url(here) or parts.username or parts.password:
            raise LoadError(f"{url} leads to {here}, which is not an address that is fetched: http and https only.")
        host = parts.hostname or ""
        port = parts.port or PLAIN_PORTS[parts.scheme]
        address = self._address(host, port, url)
        numeric = f"[{address}]" if ":" in address else address
        target = urlunsplit((parts.scheme, f"{numeric}:{port}", parts.path or "/", parts.query, ""))
        request = self._client.build_request(
            "GET", target, headers={"Host": parts.netloc}, extensions={"sni_hostname": host}
        )
        response = self._client.send(request, stream=True)
        try:
            if response.status_code in REDIRECTS and "location" in response.headers:
                return urljoin(here, response.headers["location"])
            if response.status_code != OK:
                raise LoadError(f"{url} could not be fetched: the server answered {response.status_code}.")
            return Fetched(here, *self._body(response, here, url, until))
        finally:
            response.close()

    def _body(self, response: httpx.Response, here: str, url: str, until: float) -> tuple[bytes, str]:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > self._most:
                raise LoadError(f"{url} has more than {self._most // MIB:,} MiB. Raise FOOTNOTE_MAX_FILE_MB.")
            if time.monotonic() > until:
                raise LoadError(f"{url} could not be fetched: it took more than {WHOLE_SECONDS:.0f} seconds.")
        kind, _, options = response.headers.get("content-type", "").partition(";")
        suffix = _suffix(kind.strip().lower(), urlsplit(here).path)
        data = b"".join(parts)
        return (_in_utf8(data, options) if suffix in {".html", ".txt", ".md"} else data), suffix

    def _address(self, host: str, port: int, url: str) -> str:
        """The first of a host's addresses that may be asked."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise LoadError(f"{url} could not be fetched: no host {host!r} is known ({error}).") from error
        addresses = [str(entry[4][0]).split("%")[0] for entry in found]
        if not self._allow_private and not all(_is_public(address) for address in addresses):
            raise LoadError(
                f"{url} was not fetched: it leads to {host} ({addresses[0]}), which is not a public address. If it is "
                "meant to, use --allow-private."
            )
        return addresses[0]


class WebPages:
    """Pages fetched into a folder of their own, which goes when the `with` block ends. Arguments as `Fetcher`'s."""

    def __init__(self, *, allow_private: bool, max_mb: int) -> None:
        self._fetcher = Fetcher(allow_private=allow_private, max_mb=max_mb)
        self._stack = ExitStack()
        self._folder: Path | None = None
        self._fetched = 0

    def __enter__(self) -> Self:
        self._stack.enter_context(self._fetcher)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def path(self, url: str) -> Path:
        """Fetches a page; where it lies. LoadError where it cannot be had."""
        page = self._fetcher.get(url)
        if self._folder is None:
            self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="footnote-")))
        self._fetched += 1
        path = self._folder / f"{self._fetched}{page.suffix}"
        path.write_bytes(page.data)
        return path


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    return ip.is_global and not ip.is_multicast and (inner is None or inner.is_global)


def _suffix(kind: str, path: str) -> str:
    if kind in SUFFIXES:
        return SUFFIXES[kind]
    named = Path(path).suffix.lower()
    guessed = mimetypes.guess_extension(kind) if kind not in {"", "application/octet-stream"} else ""
    return guessed or named or ".html"


def _in_utf8(data: bytes, options: str) -> bytes:
    """Text in UTF-8 with its mark, where the server names another encoding."""
    charset = options.partition("charset=")[2].split(";")[0].strip().strip("\"'")
    try:
        return data.decode(charset).encode("utf-8-sig") if charset else data
    except (LookupError, UnicodeDecodeError):
        return data
