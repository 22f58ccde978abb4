"""Parses and masks web addresses and names of sources, classifies IP addresses, and configures HTTP access."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

# Contains all addresses routed on the internet; NAT64, site-local, unique local and deprecated IPv4-embedding addresses
# lie outside.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Exceptions inside it and in IPv4: tunnels to an IPv4 address (Teredo, 6to4), and documentation addresses.
TUNNELS = tuple(map(ipaddress.ip_network, ("2001::/32", "2002::/16", "3fff::/20", "192.88.99.0/24")))
USER_INFO = re.compile(r"(?<=://)[^/?#\s]*@")
AUTHORITY_AND_PATH = re.compile(r"https?://([^/?#]*)([^?#]*)", re.IGNORECASE)
NOT_IN_WORDS = re.compile(r"[\W_]+")
SUFFIX = re.compile(r"\.[A-Za-z]\w{0,4}$")
MASK = "***@"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def masked(text: str) -> str:
    """Replaces user and password with *** in every web address of a text."""
    return USER_INFO.sub(MASK, text)


def masked_value(value: str) -> str:
    """Replaces a possible user and password with *** in a value that should be an address, but may not be one."""
    scheme, separator, rest = value.rpartition("://")
    before, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{MASK if before else ''}{host}" if at else value


def host_and_path(url: str) -> tuple[str, str]:
    """Returns an address's host with port, and its path, unchanged; tolerates malformed addresses."""
    found = AUTHORITY_AND_PATH.match(url)
    return (found[1], found[2]) if found else ("", "")


def source_in_words(source: str) -> str:
    """Returns the last part of a path or URL as words, without its suffix; the host for a URL without a path."""
    host, path = "", source
    if is_url(source):
        host, path = host_and_path(source)
        path = unquote(path)
    last = SUFFIX.sub("", PurePath(path).name)
    return " ".join(NOT_IN_WORDS.split(last or host)).strip()


def is_web_address(text: str) -> bool:
    """Returns True for an absolute http or https address with a host and without spaces."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and text.split() == [text]


def is_public(address: str) -> bool:
    """Returns True if an IP address is public: not local, not a tunnel, and not reserved for special use."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip not in GLOBAL_UNICAST:
            return False
    inside = any(ip.version == net.version and ip in net for net in TUNNELS)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not inside


def bypass_proxy_for_loopback() -> None:
    """Adds this machine's names to NO_PROXY, so that local servers are reached directly."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))


def packed(headers: Mapping[str, str]) -> str:
    """Returns the content encoding of an unexpectedly compressed response; "" if it is not compressed."""
    found = headers.get("content-encoding", "").strip().lower()
    return "" if found == "identity" else found


def is_url(source: str) -> bool:
    """Returns True if a source is the address of a web page."""
    return bool(re.match(r"https?://[^/\s]+", source, re.IGNORECASE))
