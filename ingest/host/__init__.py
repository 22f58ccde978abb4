"""Operating system services: private files, regular files, child processes, waits, memory."""

from ingest.host.bounded_waits import check_cancelled, wait_for
from ingest.host.child_environment import without_keys
from ingest.host.memory import release_memory
from ingest.host.private_files import (
    OWNER_FILE,
    close_files_to_others,
    close_to_others,
    exposed_paths,
    keep_to_owner,
    make_private_file,
    make_private_folder,
    private_opener,
    write_private_text,
)
from ingest.host.regular_files import (
    PACKED,
    Fingerprint,
    bytes_in,
    check_size,
    fingerprint,
    open_regular_file,
)
from ingest.host.unix_sockets import socket_address

__all__ = [
    "OWNER_FILE",
    "PACKED",
    "Fingerprint",
    "bytes_in",
    "check_cancelled",
    "check_size",
    "close_files_to_others",
    "close_to_others",
    "exposed_paths",
    "fingerprint",
    "keep_to_owner",
    "make_private_file",
    "make_private_folder",
    "open_regular_file",
    "private_opener",
    "release_memory",
    "socket_address",
    "wait_for",
    "without_keys",
    "write_private_text",
]
