"""Reads OpenDocument texts and presentations."""
