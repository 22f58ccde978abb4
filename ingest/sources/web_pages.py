"""Fetches web pages with limits on size and time, and only from public addresses unless others are allowed.

A host is resolved once and its addresses checked; the connection uses a checked address, so that a later change of the
DNS entry has no effect. Every redirect is checked like the first address.
"""

from __future__ import annotations

import codecs
import mimetypes
import re
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Self
from urllib.parse import urljoin

import httpcore
import httpx

from ingest.errors import LoadError
from ingest.host import wait_for
from ingest.sources.public_network import PublicNetwork
from ingest.urls import is_url, masked, packed

MIB = 1024 * 1024
HEADERS = (
    (b"User-Agent", b"Footnote/0.1 (reads pages that its user names)"),
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"identity"),
)
# Time limits in seconds: for a page with all redirects, for connecting, and between two pieces of data.
WHOLE_SECONDS, CONNECT_SECONDS, READ_SECONDS = 120.0, 10.0, 30.0
GRACE_SECONDS = 1.0
MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
OK = 200
PORTS = {"http": 80, "https": 443}
MOST_PORT = 65_535
# MIME types, and the file extension by which the loaders recognise them.
SUFFIXES = {"text/html": ".html", "application/xhtml+xml": ".html", "text/markdown": ".md", "text/plain": ".txt"}
SUFFIX = re.compile(r"\.[a-z0-9]{1,16}")
# Text encodings of web pages; Python's other codecs do not decode text, or can be very slow.
CHARSETS = re.compile(
    r"utf-(?:8|16|32)(?:-.*)?|ascii|iso-?(?:8859|2022).*|cp\d+|windows.*|koi8.*|mac.*|big5.*|gb.*|euc.*|shift_jis.*|hz"
    r"|johab|tis-620|kz1048|ptcp154",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as received. `url` is the address after redirects, `suffix` the file extension of its type."""

    url: str
    data: bytes
    suffix: str


class Fetcher:
    """Fetches pages, each over its own connections.

    Args:
        allow_private: allows loopback, link-local and private addresses.
        max_mb: size limit of a page, in MiB.
        cancel: stops fetching at once.
        seconds: time limit of a page, including redirects.
        open_network: opens the network of a page; takes the arguments of `PublicNetwork`.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        max_mb: int = 200,
        cancel: threading.Event | None = None,
        seconds: float = WHOLE_SECONDS,
        open_network: Callable[..., PublicNetwork] = PublicNetwork,
    ) -> None:
        self._seconds = seconds
        self._open_network = open_network
        self._allow_private = allow_private
        self._most = max_mb * MIB
        self._cancel = cancel or threading.Event()

    def get(self, url: str) -> Fetched:
        """Fetches the page at `url`.

        Raises:
            LoadError: it cannot be fetched, is too large, or leads to an address that is not allowed.
            Cancelled: `cancel` was set.
        """
        until = time.monotonic() + self._seconds
        shown = masked(url)
        try:
            # A DNS lookup cannot be stopped or limited, so it runs in a thread that can be abandoned.
            return wait_for(lambda: self._follow(url, shown, until), self._cancel, until + GRACE_SECONDS)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            if time.monotonic() > until:
                raise LoadError(
                    f"{shown} could not be fetched: it took more than {self._seconds:.0f} seconds."
                ) from error
            reason = masked(str(error)) or type(error).__name__
            raise LoadError(f"{shown} could not be fetched: {reason}. Check the address and the network.") from error

    def _follow(self, url: str, shown: str, until: float) -> Fetched:
        here = url
        network = self._open_network(shown, until, allow_private=self._allow_private)
        with httpcore.ConnectionPool(network_backend=network, ssl_context=self._trust) as pool:
            for _ in range(MOST_REDIRECTS + 1):
                answer = self._ask(pool, here, shown)
                if isinstance(answer, Fetched):
                    return answer
                here = answer
        raise LoadError(f"{shown} could not be fetched: it redirects more than {MOST_REDIRECTS} times.")

    def _ask(self, pool: httpcore.ConnectionPool, here: str, shown: str) -> Fetched | str:
        """Returns the page at `here`, or the address it redirects to. Messages name `shown`."""
        url = _parsed(here, shown)
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        headers = [(b"Host", url.netloc), *HEADERS]
        timeouts = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS}
        with pool.stream("GET", target, headers=headers, extensions={"timeout": timeouts}) as response:
            said = httpx.Headers(response.headers)
            if response.status in REDIRECTS and "location" in said:
                return _joined(here, said["location"], shown)
            if response.status != OK:
                raise LoadError(f"{shown} could not be fetched: the server answered {response.status}.")
            return self._page(response, said, url, shown)

    def _page(self, response: httpcore.Response, said: httpx.Headers, url: httpx.URL, shown: str) -> Fetched:
        """Reads the page of a response, up to the size limit."""
        if how := packed(said):
            raise LoadError(
                f"{shown} was not read: the server compressed it ({how[:20]}) although that was not requested."
            )
        data = bytearray()
        for part in response.iter_stream():
            data += part
            if len(data) > self._most:
                raise LoadError(f"{shown} has more than {self._most // MIB:,} MiB. Raise FOOTNOTE_MAX_FILE_MB.")
        kind, _, options = said.get("content-type", "").partition(";")
        suffix = _suffix(kind.strip().lower(), url.raw_path.decode("ascii"))
        is_text = suffix in {".html", ".txt", ".md"}
        return Fetched(str(url), _in_utf8(bytes(data), options) if is_text else bytes(data), suffix)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return httpcore.default_ssl_context()


class WebPages:
    """Fetches pages into a temporary folder, deleted when the `with` block ends. Takes the arguments of `Fetcher`."""

    def __init__(self, *, allow_private: bool, max_mb: int, cancel: threading.Event) -> None:
        self._fetcher = Fetcher(allow_private=allow_private, max_mb=max_mb, cancel=cancel)
        self._stack = ExitStack()
        self._folder: Path | None = None
        self._fetched = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def path(self, url: str) -> Path:
        """Fetches a page and returns its path. Raises as `Fetcher.get` does."""
        page = self._fetcher.get(url)
        if self._folder is None:
            self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="footnote-")))
        self._fetched += 1
        path = self._folder / f"{self._fetched}{page.suffix}"
        path.write_bytes(page.data)
        return path

    def forget(self, path: Path) -> None:
        """Deletes a page after it was read, because a site's pages would fill the disk. Ignores other files."""
        if self._folder is not None and path.parent == self._folder:
            path.unlink(missing_ok=True)


def _parsed(here: str, shown: str) -> httpx.URL:
    """Parses an address, with its host in DNS form.

    Raises:
        LoadError: it is malformed, or not allowed.
    """
    try:
        url = httpx.URL(here)
    except (httpx.InvalidURL, ValueError) as error:
        raise LoadError(
            f"{shown} could not be fetched: {_named(here, shown)} is not a valid address ({error})."
        ) from error
    if not is_url(here) or url.scheme not in PORTS or url.userinfo:
        raise LoadError(
            f"{shown} could not be fetched: {_named(here, shown)} is not allowed: use an http or https address "
            "without user name and password."
        )
    if url.port is not None and not 0 < url.port <= MOST_PORT:
        raise LoadError(f"{shown} could not be fetched: {_named(here, shown)} has a port that does not exist.")
    return url


def _named(here: str, shown: str) -> str:
    return "it" if masked(here) == shown else f"it leads to {masked(here)}, which"


def _joined(here: str, location: str, shown: str) -> str:
    try:
        return urljoin(here, location)
    except ValueError as error:
        raise LoadError(f"{shown} could not be fetched: it redirects to an invalid address ({error}).") from error


def _suffix(kind: str, path: str) -> str:
    if kind in SUFFIXES:
        return SUFFIXES[kind]
    named = PurePosixPath(path.partition("?")[0]).suffix.lower()
    guessed = mimetypes.guess_extension(kind) if kind not in {"", "application/octet-stream"} else ""
    return guessed or (named if SUFFIX.fullmatch(named) else ".html")


def _in_utf8(data: bytes, options: str) -> bytes:
    """Converts text from the encoding that the server names to UTF-8 with a BOM; unchanged if that fails."""
    charset = options.partition("charset=")[2].split(";")[0].strip().strip("\"'")
    try:
        codec = codecs.lookup(charset).name if charset else ""
        return data.decode(codec).encode("utf-8-sig") if CHARSETS.fullmatch(codec) else data
    except (LookupError, ValueError):  # unknown encoding, or the page is not encoded so
        return data
