"""Composes a quoted answer: its text with markers, its sentences and its footnotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.models import Citation, Passage, Quote, Sentence
from app.text import MARKER


@dataclass(frozen=True, slots=True)
class Quotes:
    """The quoted sentences: `text` has them with their markers; it is empty if nothing is relevant."""

    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]


NO_QUOTES = Quotes("", (), ())


@dataclass
class Composition:
    """An answer in the making. Each place of a document has one footnote, however often it is cited."""

    text: str = ""
    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)

    def cite(self, passage: Passage, start: int, end: int) -> int:
        """Returns the number of the footnote for `passage.text[start:end]`."""
        new = passage.cite(len(self.citations) + 1, start, end)
        for known in self.citations:
            if (known.version_id, known.start, known.end) == (new.version_id, new.start, new.end):
                return known.n
        self.citations.append(new)
        return new.n

    def add(
        self,
        text: str,
        said: str,
        notes: Sequence[int],
        *,
        gap: str = "\n\n",
        spans: Sequence[tuple[int, int]] = (),
        quotes: Sequence[Quote] = (),
    ) -> None:
        """Appends a sentence.

        Args:
            text: the sentence as Markdown with its markers.
            said: its words.
            notes: the numbers of its footnotes.
            gap: what separates it from the text before it.
            spans: the places in `text` of the words that answer.
            quotes: the parts of its footnotes that it quotes; all of them if not given.
        """
        self.text += gap if self.text else ""
        start = len(self.text)
        self.text += text
        notes = list(dict.fromkeys(notes))
        whole = (Quote(n, note.start, note.end, note.quote) for n in notes for note in [self.citations[n - 1]])
        places = tuple((start + first, start + last) for first, last in spans)
        self.sentences.append(
            Sentence(said, tuple(notes), True, start, len(self.text), quotes=tuple(quotes or whole), spans=places)
        )

    def quotes(self) -> Quotes:
        """Returns the finished answer."""
        return Quotes(self.text, tuple(self.sentences), tuple(self.citations))


def escaped(quote: str) -> str:
    """Escapes brackets in a quote, so that they are not read as footnotes."""
    return MARKER.sub(lambda marker: "\\" + marker.group(), quote)
