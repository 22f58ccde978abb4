"""Reads files that contain other files: archives and mail."""
