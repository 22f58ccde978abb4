"""Crashes, growth and speed of the index."""
