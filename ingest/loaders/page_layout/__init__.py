"""Converts positioned lines of a page to paragraphs, tables and headings."""

from ingest.loaders.page_layout.assembly import MANY_PAGES, PageLines, compose
from ingest.loaders.page_layout.geometry import Rule
from ingest.loaders.page_layout.lines import Line, Word

__all__ = ["MANY_PAGES", "Line", "PageLines", "Rule", "Word", "compose"]
