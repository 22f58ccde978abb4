"""Benchmarks of crashes, growth and speed of the index."""
