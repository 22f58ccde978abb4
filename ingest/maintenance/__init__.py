"""Finds and repairs damage; backs up and restores a data folder."""

from ingest.maintenance.backup import write_backup
from ingest.maintenance.doctor import examine, server_facts, try_reading
from ingest.maintenance.restore import restore_backup

__all__ = ["examine", "restore_backup", "server_facts", "try_reading", "write_backup"]
