"""Reads pictures by OCR."""
