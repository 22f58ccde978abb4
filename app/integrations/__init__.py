"""Footnote as a part of other frameworks."""
