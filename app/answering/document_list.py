"""Answers "which contracts mention X" with every document that does, instead of the best few passages. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.models import Passage, Quote, Sentence
from app.answering.extractive import Quotes, escaped
from app.text import content_terms, split_sentences

MOST_DOCUMENTS = 50
KINDS = (
    r"documents?|files?|contracts?|agreements?|invoices?|bills?|reports?|papers?|letters?|e?-?mails?|messages|minutes|notes"
    r"|leases?|policies|policy|manuals?|articles?|offers?|orders?|receipts?|filings?|studies|study|books?|statements?|sheets?"
    r"|Dokumente?n?|Dateien?|Vertr[aä]ge?n?|Rechnung(?:en)?|Berichte?|Briefe?|Protokolle?|Angebote?|Handb[uü]ch(?:er)?"
    r"|documents|contrats?|factures?|rapports?|lettres?|fichiers?|documentos?|contratos?|facturas?|informes?|archivos?"
)
VERBS = (
    r"mention|contain|include|name|cite|quote|refer to|talk about|speak of|deal with|say (?:something|anything) about"
    r"|have the words?|erwähnen|erwähnt|enthalten|enthält|nennen|nennt|behandeln|behandelt|mentionnent|mentionne|contiennent"
    r"|contient|citent|cite|mencionan|menciona|contienen|contiene|citan"
)
ASKED = re.compile(
    rf"^\s*(?:in\s+)?(?:which|what|list (?:all|every|the)|show (?:all|every)|welche[rns]?|quels?|quelles?|qué|cuáles)\s+"
    rf"(?:(?:of\s+)?(?:the|my|our|all|these|meiner?|der|die)\s+)*(?:\w+\s+)?(?:{KINDS})\s+(?:that\s+|which\s+)?(?:do\s+|does\s+)?"
    rf"(?:{VERBS})s?\s+(?P<topic>\S.{{0,200}}?)\s*[?.!]*\s*$",
    re.IGNORECASE,
)
QUOTED = re.compile(r"[\"'\u201c\u201e\u00ab\u2018](.+?)[\"'\u201d\u201c\u00bb\u2019]")


def topic_of(question: str) -> str:
    """Returns what the documents asked for have to mention; "" if the question does not ask for documents."""
    found = ASKED.match(question)
    return found["topic"] if found else ""


def mentions(text: str, topic: str, language: str) -> bool:
    """Tells whether a text has all content words of a topic, or its exact words where they are in quotation marks."""
    if exact := QUOTED.fullmatch(topic.strip()):
        return " ".join(exact[1].casefold().split()) in " ".join(text.casefold().split())
    wanted = content_terms(topic, language)
    return bool(wanted) and wanted <= content_terms(text, language)
