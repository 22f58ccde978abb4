"""Reads files that hold other files: archives and mail."""
