"""Detects claims, as opposed to greetings, questions and refusals, among the sentences of an answer. Pure."""

from __future__ import annotations

import re

from app.text import tokenize
from ingest.text import SPACELESS

# The sentence that prompts/answer.md requests if the passages do not answer.
REFUSAL = "I could not find this in the documents."
REFUSALS = re.compile(
    r"(could ?n[o']t|can ?no?t|can't|unable to|was not able to|did not) (find|answer|locate)|"
    r"do(es)? ?n[o']t (contain|mention|provide|answer|include|say|specify)|no (information|mention)|"
    r"not (in|mentioned in|found in|covered by) the (documents?|passages?)",
    re.IGNORECASE,
)
MOST_REFUSAL_CHARACTERS = 300
# A single sentence must also mention the documents or the search, not only their content.
NOT_FOUND = re.compile(
    r"^\W*(?:unfortunately,? |sorry,? )?(?:I|we)\b.{0,30}\b(?:find|answer|locate)\b|"
    r"\b(?:documents?|passages?|sources?|context|excerpts?)\b.{0,40}"
    r"\b(?:do(?:es)? ?n[o'\u2019]t|nothing|no (?:information|mention))|"
    r"\bno (?:information|mention)\b.{0,60}\b(?:documents?|passages?|sources?|context|excerpts?)\b",
    re.IGNORECASE,
)
GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|certainly|of course|thanks|thank you|you(?:['\u2019]re| are) welcome|great question|"
    r"good question|let me know|(?:I )?hope|feel free|here you go|I(?:['\u2019]m| am) happy to help)\b"
    r"(?:\W+\w+){0,6}\W*$|"
    r"^\W*(?:yes|no|sure|sorry|none|n/?a)\W*$",
    re.IGNORECASE,
)
# Headings and code blocks.
NOT_PROSE = re.compile(r"\s*(?:#{1,6}\s|```|~~~)")
# Scripts without spaces: a single character can carry meaning.
HAS_SPACELESS = re.compile(f"[{SPACELESS}]")
RULE = re.compile(r"[\s|:*_-]*$")


def is_claim(words: str) -> bool:
    """Returns True if a sentence states something that the documents could confirm or refute."""
    if NOT_PROSE.match(words) or RULE.match(words) or words.rstrip("*_ ").endswith((":", "?")):
        return False
    read = tokenize(words)
    if not any(word.says for word in read) and not HAS_SPACELESS.search(words):
        return False
    if any(word.kind in {"number", "month"} for word in read):
        return True
    return not NOT_FOUND.search(words) and not GREETING.match(words)


def is_refusal(answer: str) -> bool:
    """Returns True if a model's answer, which cites nothing, says that the passages do not answer."""
    said = " ".join(answer.split())
    return REFUSAL.rstrip(".").casefold() in said.casefold() or (
        len(said) <= MOST_REFUSAL_CHARACTERS and bool(REFUSALS.search(said))
    )
