"""Reads pictures by text recognition."""
