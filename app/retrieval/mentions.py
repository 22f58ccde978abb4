"""Tells whether a text mentions a topic. Pure."""

from __future__ import annotations

import re

from app.text import content_terms

EXACT = re.compile(r"[\"\u201c\u201d\u201e\u00ab\u00bb'\u2018\u2019](.+)[\"\u201c\u201d\u00ab\u00bb'\u2018\u2019]")


def mentions(text: str, topic: str, language: str) -> bool:
    """Tells whether a text has all content words of a topic, or its exact words if it is in quotation marks."""
    if exact := EXACT.fullmatch(topic):
        return " ".join(exact[1].casefold().split()) in " ".join(text.casefold().split())
    wanted = content_terms(topic, language)
    return bool(wanted) and wanted <= content_terms(text, language)
