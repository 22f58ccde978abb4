"""Reads workbooks and delimiter-separated files as tables."""
