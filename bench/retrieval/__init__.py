"""Benchmarks of the quality and cost of searches."""
