"""Reads PDF files."""
