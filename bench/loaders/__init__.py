"""Benchmarks of reading real files."""
