"""What this process's HTTP clients are told about the network."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

LOOPBACK = ("127.0.0.1", "localhost", "::1")


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
