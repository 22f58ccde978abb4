"""Reads Word documents (.docx): their text, list numbers and tables."""
