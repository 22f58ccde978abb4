"""Answers "which contracts mention X" with every document that does, instead of the best few passages. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.answering.quotes import Composition, Quotes, escaped
from app.models import Passage
from app.text import content_terms, shared_language, split_sentences

KINDS = (
    r"documents?|files?|contracts?|agreements?|invoices?|reports?|papers?|letters?|e?-?mails?|messages|minutes|notes|leases?"
    r"|policies|policy|manuals?|articles?|offers?|orders?|receipts?|filings?|studies|study|books?|statements?"
    r"|dokumente?n?|dateien?|vertr[aä]ge?n?|rechnung(?:en)?|berichte?n?|briefe?n?|protokolle?n?|angebote?n?"
    r"|contrats?|factures?|rapports?|lettres?|fichiers?|documentos?|contratos?|facturas?|informes?|archivos?"
)
VERBS = (
    r"mention|contain|include|name|cite|quote|refer to|talk about|speak of|deal with|say (?:something|anything) about"
    r"|erwähnen|erwähnt|enthalten|enthält|nennen|nennt|behandeln|behandelt"
    r"|mentionnent|mentionne|contiennent|contient|citent|mencionan|menciona|contienen|contiene|citan"
)
ASKED = re.compile(
    r"(?:which|what|list (?:all|every|the)|show (?:all|every)|welche[rns]?|quels?|quelles?|qué|cuáles)\s+"
    rf"(?:(?:of|the|my|our|all|these|meine[rn]?|der|die)\s+)*(?:\w+\s+)?(?:{KINDS})\s+(?:that\s+|which\s+|do\s+|does\s+)?"
    rf"(?:{VERBS})s?\s+(?P<topic>\S.{{0,200}})",
    re.IGNORECASE,
)


def topic_of(question: str) -> str:
    """Returns what the documents asked for have to mention; "" if the question asks for no list of documents."""
    found = ASKED.fullmatch(question.strip().rstrip("?.!").rstrip())
    return found["topic"] if found else ""


def listed(topic: str, passages: Sequence[Passage]) -> Quotes:
    """Lists documents by name, each with the sentence that mentions the topic best and its footnote.

    Args:
        topic: what the documents mention.
        passages: one passage of each document that mentions it.
    """
    made, language = Composition(), shared_language(topic, *(passage.text for passage in passages[:1]))
    wanted = content_terms(topic, language)
    for passage in passages:
        spans = split_sentences(passage.text) or [(0, len(passage.text))]
        start, end = max(spans, key=lambda span: len(wanted & content_terms(passage.text[slice(*span)], language)))
        words = " ".join(passage.text[start:end].split()).strip("| ")
        n = made.cite(passage, start, end)
        made.add(f"- **{escaped(passage.name)}**: {escaped(words)} [{n}]", words, [n], gap="\n")
    return made.quotes()
