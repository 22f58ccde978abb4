"""Reads Markdown, HTML, EPUB, structured data and other marked-up text."""
