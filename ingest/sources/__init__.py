"""Resolves files, folders, web pages and sitemaps to the documents to read."""

from ingest.sources.files import Scan, each_once, is_gone, is_under, scan
from ingest.sources.sitemaps import pages_of
from ingest.sources.uploads import Uploads
from ingest.sources.web_pages import Fetcher, WebPages

__all__ = ["Fetcher", "Scan", "Uploads", "WebPages", "each_once", "is_gone", "is_under", "pages_of", "scan"]
