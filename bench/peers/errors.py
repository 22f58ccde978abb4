"""Failures of this benchmark."""


class BenchmarkFailed(Exception):
    """A step of the benchmark failed; the message says which and why."""
