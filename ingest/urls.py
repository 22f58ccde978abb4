"""Web addresses, and HTTP to them: their parts, passwords in them, which machines they lead to, and how."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

# All that the internet routes lies in here; NAT64, site-local and unique local addresses, and IPv4 ones put into IPv6
# in older ways lie outside.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Inside of it, and into it from IPv4: tunnels that lead to an IPv4 address (Teredo, 6to4), and documentation.
TUNNELS = tuple(map(ipaddress.ip_network, ("2001::/32", "2002::/16", "3fff::/20", "192.88.99.0/24")))
USER_INFO = re.compile(r"(?<=://)[^/?#\s]*@")
AUTHORITY_AND_PATH = re.compile(r"https?://([^/?#]*)([^?#]*)", re.IGNORECASE)
MASK = "***@"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def masked(text: str) -> str:
    """Puts *** in place of user and password in every web address of a text."""
    return USER_INFO.sub(MASK, text)


def masked_value(value: str) -> str:
    """Puts *** in place of all that may be user and password in a value that should be an address, and may not be."""
    scheme, separator, rest = value.rpartition("://")
    before, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{MASK if before else ''}{host}" if at else value


def host_and_path(url: str) -> tuple[str, str]:
    """Host with port, and path, as they stand in an address; it may be a broken one."""
    found = AUTHORITY_AND_PATH.match(url)
    return (found[1], found[2]) if found else ("", "")


def is_web_address(text: str) -> bool:
    """Tells whether a text is an absolute address that HTTP can be spoken to: with http or https, a host, no space."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and text.split() == [text]


def is_public(address: str) -> bool:
    """Tells whether an IP address is public: not of a local network, not of a tunnel, and of no special use."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip not in GLOBAL_UNICAST:
            return False
    inside = any(ip.version == net.version and ip in net for net in TUNNELS)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not inside


def bypass_proxy_for_loopback() -> None:
    """Servers on this machine are spoken to directly, also where a proxy is set for all else."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))


def packed(headers: Mapping[str, str]) -> str:
    """How a server has compressed its answer, which is never asked for here; "" where it has not."""
    found = headers.get("content-encoding", "").strip().lower()
    return "" if found == "identity" else found


def is_url(source: str) -> bool:
    """Whether a source is the address of a web page."""
    return bool(re.match(r"https?://[^/\s]+", source, re.IGNORECASE))
