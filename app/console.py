"""What searches and answers look like on a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.models import Answer, Citation, Event, Token
from ingest.console import one_line
from ingest.models import CollectionStatus, SearchHit

HEADING_SEPARATOR = " > "
MIB = 1024 * 1024


def hits_json(hits: Sequence[SearchHit]) -> dict[str, Any]:
    """The result of a search as the JSON that `footnote search --json` prints."""
    return {
        "hits": [
            {
                "rank": hit.rank,
                "score": round(hit.score, 6),
                "document": hit.chunk.source,
                "page": hit.chunk.page,
                "place": hit.chunk.place or None,
                "heading": HEADING_SEPARATOR.join(hit.chunk.heading),
                "start": hit.chunk.start,
                "end": hit.chunk.end,
                "text": hit.chunk.text,
            }
            for hit in hits
        ]
    }


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as the JSON that `footnote ask --json` prints."""
    return {
        "question": answer.question,
        "searched": answer.searched,
        "answer": answer.text,
        "refused": answer.refused,
        "answerer": answer.answerer,
        "sentences": [
            {
                "text": sentence.text,
                "citations": list(sentence.citations),
                "supported": sentence.supported,
                "reason": sentence.reason or None,
            }
            for sentence in answer.sentences
        ],
        "citations": [_citation_json(citation) for citation in answer.citations],
        "nearest": [_citation_json(citation) for citation in answer.nearest],
        "incomplete": answer.incomplete,
        "notice": answer.notice or None,
        "timings": answer.timings,
    }


def status_json(collections: Sequence[CollectionStatus], data_dir: Path, size: int) -> dict[str, Any]:
    """What the index holds as the JSON that `footnote status --json` prints. Sizes in bytes."""
    return {
        "data_dir": str(data_dir),
        "bytes": size,
        "collections": [
            {
                "name": one.name,
                "documents": one.documents,
                "chunks": one.chunks,
                "embedding_model": one.embedding_model or None,
                "dimensions": one.dimensions or None,
                "bytes_text": one.bytes_text,
                "pending": one.pending,
                "failed": len(one.failures),
                "failures": one.failures,
            }
            for one in collections
        ],
    }


def print_hits(hits: Sequence[SearchHit], console: Console) -> None:
    """A search's result to be read."""
    if not hits:
        console.print("Nothing found. `footnote status` says what the collection holds.")
    for hit in hits:
        chunk = hit.chunk
        place = _place(chunk.source, chunk.place, chunk.heading)
        console.print(f"[bold]{hit.rank}[/bold]  {escape(place)}  [dim]{hit.score:.3f}[/dim]", highlight=False)
        console.print(Padding(Text(chunk.text.strip()), (0, 0, 1, 3)))


def print_answer(events: Iterable[Event], console: Console) -> None:
    """An answer as it streams, then its footnotes."""
    for event in events:
        if isinstance(event, Token):
            console.print(Text(event.text), end="", soft_wrap=True)
        elif isinstance(event, Answer):
            console.print("\n")
            _print_proof(event, console)


def print_status(collections: Sequence[CollectionStatus], data_dir: Path, size: int, console: Console) -> None:
    """What the index holds, to be read."""
    console.print(f"{escape(str(data_dir))}  [dim]{size / MIB:,.1f} MiB[/dim]", highlight=False)
    if not collections:
        console.print("No documents yet. Add some: footnote ingest PATH")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("collection")
    for name in ("documents", "chunks", "text", "failed"):
        table.add_column(name, justify="right")
    table.add_column("embedding model")
    for one in collections:
        model = f"{one.embedding_model} ({one.dimensions})" if one.embedding_model else ""
        counts = (f"{one.documents:,}", f"{one.chunks:,}", f"{one.bytes_text / MIB:,.1f} MiB", f"{len(one.failures):,}")
        table.add_row(escape(one.name), *counts, escape(model))
    console.print(table)
    for one in collections:
        for error in one.failures.values():
            console.print(f"[red]failed[/red]  {escape(one_line(error))}", highlight=False, soft_wrap=True)


def _print_proof(answer: Answer, console: Console) -> None:
    for sentence in answer.sentences:
        if sentence.supported is False:
            line = escape(f"“{one_line(sentence.text)}” {sentence.reason}")
            console.print(f"[yellow]not supported[/yellow]  {line}", highlight=False)
    if answer.nearest:
        console.print("Nearest passages:", style="bold")
    for citation in answer.citations or answer.nearest:
        place = _place(citation.document, citation.place, citation.heading)
        console.print(f"[bold][{citation.n}][/bold] {escape(place)}", highlight=False, soft_wrap=True)
        quote = Text(" ".join(citation.quote.split()), style="dim")
        console.print(Padding(quote, (0, 0, 0, 4)))
    if answer.notice:
        console.print(f"\n{escape(answer.notice)}", style="dim", highlight=False)


def _place(document: str, place: str, heading: Sequence[str]) -> str:
    parts = [one_line(document)]
    if place:
        parts.append(one_line(place))
    if heading:
        parts.append(HEADING_SEPARATOR.join(heading))
    return " · ".join(parts)


def _citation_json(citation: Citation) -> dict[str, Any]:
    return {
        "n": citation.n,
        "document": citation.document,
        "page": citation.page,
        "place": citation.place or None,
        "heading": HEADING_SEPARATOR.join(citation.heading),
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }
