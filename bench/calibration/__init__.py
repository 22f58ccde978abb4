"""Fits and measures the refusal of questions."""
