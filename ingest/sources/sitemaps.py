"""Reads the addresses of a site's pages from sitemaps."""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from ingest.errors import LoadError, SourceError
from ingest.sources.web_pages import MIB, Fetcher
from ingest.urls import is_url, masked

MOST_PAGES, MOST_SITEMAPS, DEEPEST = 10_000, 200, 3
# The limit set by sitemaps.org, uncompressed.
MOST_BYTES = 50 * MIB
# Time limit for all of a site's sitemaps together.
WHOLE_SECONDS = 600.0
GZIP = b"\x1f\x8b"


def pages_of(url: str, fetcher: Fetcher, on_failure: Callable[[str], None]) -> list[str]:
    """Reads the page addresses listed by a sitemap and by the sitemaps it refers to, on its own host.

    Entries of other hosts are left out. Malformed addresses are included, so that each is reported as a failure.

    Args:
        url: address of the sitemap.
        fetcher: fetches sitemaps.
        on_failure: called with the reason when a nested sitemap could not be read; the others are still read.

    Raises:
        SourceError: it cannot be fetched, or is not a sitemap.
        Cancelled: the fetcher was stopped.
    """
    pages: dict[str, None] = {}
    waiting, seen = [(url, 0)], {url}
    until = time.monotonic() + WHOLE_SECONDS
    while waiting and len(seen) <= MOST_SITEMAPS:
        here, depth = waiting.pop(0)
        if time.monotonic() > until:
            raise SourceError(f"{masked(url)} took more than {WHOLE_SECONDS:.0f} seconds to read. Name its pages.")
        try:
            entries = list(_listed(here, fetcher))
        except SourceError as error:
            if here == url:
                raise
            on_failure(str(error))
            continue
        for kind, listed in entries:
            if not is_url(listed) or _host(listed) not in {_host(url), None}:
                continue
            if kind == "sitemap" and depth < DEEPEST and listed not in seen:
                seen.add(listed)
                waiting.append((listed, depth + 1))
            elif kind == "url" and len(pages) < MOST_PAGES:
                pages[listed] = None
    if not pages:
        raise SourceError(f"{masked(url)} lists no pages. Give the address of the site's sitemap.xml.")
    return list(pages)


def _host(url: str) -> str | None:
    """Returns the host of a web address; None if the address is malformed."""
    try:
        return httpx.URL(url).host
    except (httpx.InvalidURL, ValueError):
        return None


def _listed(url: str, fetcher: Fetcher) -> Iterator[tuple[str, str]]:
    """Yields ("url" or "sitemap", address) for each entry."""
    shown = masked(url)
    try:
        data = fetcher.get(url).data
        if data.startswith(GZIP):
            data = zlib.decompressobj(wbits=31).decompress(data, MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise SourceError(f"{shown} has more than {MOST_BYTES // MIB} MiB, the limit for sitemaps. Name its pages.")
        yield from _entries(data)
    except LoadError as error:
        raise SourceError(str(error)) from error
    except (ElementTree.ParseError, DefusedXmlException, zlib.error, ValueError, LookupError) as error:
        raise SourceError(f"{shown} is not a sitemap: it is not well-formed XML ({error}).") from error


def _entries(data: bytes) -> Iterator[tuple[str, str]]:
    """Yields the entries of one sitemap, freeing each before the next."""
    above: list[Any] = []
    for event, element in ElementTree.iterparse(io.BytesIO(data), events=("start", "end")):
        if event == "start":
            above.append(element)
            continue
        above.pop()
        if len(above) == 1:
            kind = _name(element)
            place = next((one.text for one in element if _name(one) == "loc"), None)
            if kind in {"url", "sitemap"} and place and place.strip():
                yield kind, place.strip()
            above[0].clear()


def _name(element: Any) -> str:
    return str(element.tag).rsplit("}", 1)[-1]
