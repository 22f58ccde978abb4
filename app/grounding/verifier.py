"""Verifies an answer: each sentence gets the footnotes that support it, whatever the model cited. Pure but for models.

Markers that support their sentence are kept. If another passage supports it instead, they are corrected. If none
does, they are removed and the sentence is marked with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from app.grounding.claim_detection import is_claim
from app.grounding.verdict import Finding, judge
from app.models import Citation, Passage, Quote, Sentence
from app.protocols import Embeds, Entails
from app.text import (
    MARKER,
    code_spans,
    content_terms,
    marker_numbers,
    replace_markers,
    split_sentences,
    without_markers,
)

# Passages that share most words with a sentence; each is tried as its source, then all of them together.
MOST_TRIED = 4
# A new marker is put before these characters at the end of a sentence.
TAIL = " \t\r\n.!?\u2026\"'\u201d\u2019)*_|\u3002\uff01\uff1f"
# The end of a sentence. A digit and a dot may be the first half of a decimal.
FINISHED = re.compile(r"(?:(?<!\d)\.|[!?\u2026\u3002\uff01\uff1f])[\"'\u201d\u2019)\]*_]*$")
UNFINISHED = "not finished"
# Most characters of a sentence that is checked: it is compared with its passages word by word.
MOST_CHECKED = 4_000
TOO_LONG = "the sentence is too long to be checked"
# If no passage supports a sentence, the finding with the highest rank counts.
RANK = {"unsupported": 0, "partly": 1, "not checked": 2}
TABLE_RULE = re.compile(r"\s*+\|?\s*+:?-++:?\s*+\|")


@dataclass(frozen=True, slots=True)
class Verified:
    """A verified answer: its text, sentences and footnotes, numbered in order of first use."""

    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class _Checked:
    """A sentence at [start, end) of the original answer, with the passages it will cite."""

    start: int
    end: int
    words: str
    finding: Finding
    cites: tuple[Passage, ...]


class Verifier:
    """Verifies answers.

    Args:
        embedder: compares meaning where the words differ; without it, only words count.
        entailment: also compares claims with their sources, if the settings name such a model.
    """

    def __init__(self, embedder: Embeds | None = None, entailment: Entails | None = None) -> None:
        self._embedder = embedder
        self._entailment = entailment

    def load(self) -> None:
        """Loads the entailment model, if there is one.

        Raises:
            EmbedderError: the model cannot be loaded.
        """
        if self._entailment:
            self._entailment.load()

    def verify(
        self, text: str, cited: Mapping[int, Passage], passages: Sequence[Passage], *, incomplete: bool = False
    ) -> Verified:
        """Returns each sentence's verdict and footnotes.

        Args:
            text: the answer, with markers.
            cited: the passage for each number in the answer's markers.
            passages: all passages that may support a sentence.
            incomplete: True if the answer was cut off or stopped; an unfinished last sentence then gets no verdict.
        """
        spans = [*split_sentences(text), (len(text), len(text))]
        checked = [
            self._check(text[start:end], start, cited, () if _is_header(text, start, after) else passages)
            for (start, end), (after, _) in pairwise(spans)
        ]
        if incomplete and checked and not _is_finished(text[checked[-1].start : checked[-1].end]):
            checked[-1] = _unfinished(checked[-1], cited, text)
        return _Writer(text, cited).write(checked)

    def _check(self, raw: str, start: int, cited: Mapping[int, Passage], passages: Sequence[Passage]) -> _Checked:
        end, words = start + len(raw), without_markers(raw).strip()
        own = tuple(cited[n] for n in _numbers(raw) if n in cited)
        if not passages or not is_claim(words):
            return _Checked(start, end, words, Finding("no claim"), own)
        if len(words) > MOST_CHECKED:
            return _Checked(start, end, words, Finding("not checked", TOO_LONG), own)
        finding = self._proof(words, own, passages)
        proving = tuple(dict.fromkeys(line.passage for line in finding.lines))
        if finding.verdict == "unsupported":
            return _Checked(start, end, words, finding, ())
        if finding.verdict == "partly":
            return _Checked(start, end, words, finding, proving)
        if finding.verdict == "not checked":
            return _Checked(start, end, words, finding, own or proving)
        also = tuple(p for p in own if p in proving or self._judge(words, [p]).verdict == "supported")
        missing = tuple(p for p in proving if p not in also)
        return _Checked(start, end, words, finding, also + missing)

    def _proof(self, words: str, own: Sequence[Passage], passages: Sequence[Passage]) -> Finding:
        """Judges a sentence by the passages it cites; if they do not support it, by the best of the others."""
        findings = [self._judge(words, own)] if own else []
        if findings and findings[0].verdict in {"supported", "not checked"}:
            return findings[0]
        nearest = _nearest(words, passages)
        for tried in ([[one] for one in nearest] + [nearest]) if nearest else []:
            finding = self._judge(words, tried)
            if finding.verdict == "supported":
                return finding
            findings.append(finding)
        if own or not findings:
            return findings[0] if findings else Finding("unsupported", "no passage says this")
        return max(findings, key=lambda finding: (RANK[finding.verdict], finding.share))

    def _judge(self, words: str, passages: Sequence[Passage]) -> Finding:
        return judge(words, passages, self._embedder, self._entailment)


@dataclass(slots=True)
class _Writer:
    """Rewrites the answer with the verified markers."""

    before: str
    cited: Mapping[int, Passage]
    numbers: dict[Passage, int] = field(default_factory=dict)

    def write(self, checked: Sequence[_Checked]) -> Verified:
        """Returns the answer; passages cited are numbered first, then those that contradict it."""
        parts, places, at, length = list[str](), [], 0, 0
        for one in checked:
            parts += [self.before[at : one.start], self._marked(self.before[one.start : one.end], one.cites)]
            start = length + len(parts[-2])
            length = start + len(parts[-1])
            places.append((start, length))
            at = one.end
        found = [self._sentence(one, *place) for one, place in zip(checked, places, strict=True)]
        return Verified("".join([*parts, self.before[at:]]), tuple(found), tuple(_citations(found, self.numbers)))

    def _marked(self, raw: str, cites: Sequence[Passage]) -> str:
        """Returns a sentence with markers for exactly these passages, in their old places if unchanged."""
        if {self.cited[n] for n in _numbers(raw) if n in self.cited} == set(cites):
            return _outside_code(
                raw, lambda marker: self._marker([self.cited[n] for n in marker_numbers(marker) if n in self.cited])
            )
        plain = _outside_code(raw, lambda _marker: "", before=True)
        end = len(plain.rstrip(TAIL))
        return f"{plain[:end]} {self._marker(cites)}{plain[end:]}" if cites else plain

    def _marker(self, cites: Sequence[Passage]) -> str:
        return "".join(f"[{self._number(passage)}]" for passage in dict.fromkeys(cites))

    def _number(self, passage: Passage) -> int:
        return self.numbers.setdefault(passage, len(self.numbers) + 1)

    def _sentence(self, one: _Checked, start: int, end: int) -> Sentence:
        verdict = one.finding.verdict
        quotes = tuple(
            Quote(self._number(line.passage), line.passage.start + line.start, line.passage.start + line.end, line.text)
            for line in one.finding.lines
        )
        return Sentence(
            text=one.words,
            citations=tuple(self._number(passage) for passage in one.cites),
            supported=None if verdict in {"no claim", "not checked"} else verdict == "supported",
            start=start,
            end=end,
            reason=one.finding.reason,
            partly=verdict == "partly",
            quotes=quotes,
            unchecked=verdict == "not checked",
        )


def _is_finished(raw: str) -> bool:
    """Returns True if a sentence ends with punctuation or a footnote."""
    footnote = any(marker.end() == len(raw) for marker in MARKER.finditer(raw))
    return footnote or bool(FINISHED.search(without_markers(raw).rstrip()))


def _unfinished(one: _Checked, cited: Mapping[int, Passage], text: str) -> _Checked:
    """Returns an unfinished sentence without a verdict; it keeps the footnotes that support the partial text."""
    own = {cited[n] for n in _numbers(text[one.start : one.end]) if n in cited}
    cites = tuple(passage for passage in one.cites if passage in own)
    lines = tuple(line for line in one.finding.lines if line.passage in cites)
    return replace(one, finding=Finding("no claim", UNFINISHED, lines), cites=cites)


def _is_header(text: str, start: int, after: int) -> bool:
    """Returns True if a table header begins at `start`: a row, followed by a rule at `after`."""
    return text.startswith("|", start) and bool(TABLE_RULE.match(text, after))


def _numbers(raw: str) -> list[int]:
    found: list[int] = []

    def noted(marker: re.Match[str]) -> str:
        found.extend(marker_numbers(marker))
        return ""

    _outside_code(raw, noted)
    return found


def _outside_code(raw: str, replace: Callable[[re.Match[str]], str], *, before: bool = False) -> str:
    """Replaces the markers of a text, except those in code; see `replace_markers`."""
    parts, at = [], 0
    for start, end in code_spans(raw):
        parts += [replace_markers(raw[at:start], replace, before=before), raw[start:end]]
        at = end
    return "".join([*parts, replace_markers(raw[at:], replace, before=before)])


def _nearest(words: str, passages: Sequence[Passage]) -> list[Passage]:
    """Returns the passages that share most terms with a sentence, best first."""
    wanted = content_terms(words)
    shared = {p: len(wanted & content_terms(f"{p.title} {p.text}")) for p in passages}
    return sorted((p for p in passages if shared[p]), key=lambda p: (-shared[p], p.n))[:MOST_TRIED]


def _citations(found: Sequence[Sentence], numbers: Mapping[Passage, int]) -> Iterator[Citation]:
    """Yields the footnotes: each passage from its first to its last quote, or all of it if it has no quotes."""
    for passage, n in numbers.items():
        quotes = [quote for sentence in found for quote in sentence.quotes if quote.n == n]
        start = min((quote.start - passage.start for quote in quotes), default=0)
        end = max((quote.end - passage.start for quote in quotes), default=len(passage.text))
        yield passage.cite(n, start, end)
