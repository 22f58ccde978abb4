"""Benchmarks of answers and of the verdicts on them."""
