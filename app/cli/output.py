"""Formats search results and answers for the terminal and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.status import Status
from rich.table import Table
from rich.text import Text

from app.models import Answer, Citation, Event, Retracted, Token, Waiting
from app.wording import usage_words, waiting_words
from ingest.cli import one_line, visible
from ingest.filters import Filter
from ingest.models import SearchHit
from ingest.reports import CollectionStatus, unembedded_words

HEADING_SEPARATOR = " > "
MIB = 1024 * 1024
# Verdicts listed below an answer.
VERDICT_WORDS = {"unsupported": "not supported", "partly": "partly supported", "not checked": "not checked"}


def hits_json(hits: Sequence[SearchHit], within: Filter | None = None, notice: str = "") -> dict[str, Any]:
    """Returns a search result from the documents `within` as the JSON of `footnote search --json`."""
    return {
        "notice": notice or None,
        "filter": within.as_json() if within else None,
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
        ],
    }


def answer_json(answer: Answer) -> dict[str, Any]:
    """Returns an answer as the JSON of `footnote ask --json`."""
    return {
        "filter": answer.within.as_json() or None,
        "question": answer.question,
        "searched": answer.searched,
        "answer": answer.text,
        "refused": answer.refused,
        "confidence": answer.confidence,
        "answerer": answer.answerer,
        "sentences": [
            {
                "text": sentence.text,
                "citations": list(sentence.citations),
                "supported": sentence.supported,
                "verdict": sentence.verdict,
                "reason": sentence.reason or None,
                "quotes": [asdict(quote) for quote in sentence.quotes],
            }
            for sentence in answer.sentences
        ],
        "citations": [_citation_json(citation) for citation in answer.citations],
        "nearest": [_citation_json(citation) for citation in answer.nearest],
        "incomplete": answer.incomplete,
        "notice": answer.notice or None,
        "usage": asdict(answer.usage) if answer.usage else None,
        "prompt": answer.prompt or None,
        "timings": answer.timings,
    }


def status_json(collections: Sequence[CollectionStatus], data_dir: Path, size: int) -> dict[str, Any]:
    """Returns the index's contents as the JSON of `footnote status --json`. Sizes in bytes."""
    return {
        "data_dir": str(data_dir),
        "bytes": size,
        "collections": [
            {
                "name": one.name,
                "documents": one.documents,
                "chunks": one.chunks,
                "unembedded": one.unembedded,
                "embedding_model": one.embedding_model or None,
                "dimensions": one.dimensions or None,
                "next_embedding_model": one.next_model or None,
                "bytes_text": one.bytes_text,
                "pending": one.pending,
                "failed": len(one.failures),
                "failures": one.failures,
            }
            for one in collections
        ],
    }


def print_hits(hits: Sequence[SearchHit], console: Console) -> None:
    """Prints a search result."""
    if not hits:
        console.print("Nothing found. `footnote status` says what the collection holds.")
    for hit in hits:
        chunk = hit.chunk
        place = _place(chunk.source, chunk.place, chunk.heading)
        console.print(f"[bold]{hit.rank}[/bold]  {escape(place)}  [dim]{hit.score:.3f}[/dim]", highlight=False)
        console.print(Padding(Text(visible(chunk.text.strip())), (0, 0, 1, 3)))


def told_while_waiting(events: Iterable[Event], notes: Console) -> Iterator[Event]:
    """Yields the events of an answer except `Waiting`, which is shown as a temporary countdown.

    If `notes` is not a terminal, each wait is printed once, on its own line.
    """
    with Status("", console=notes) as status:
        told = ""
        for event in events:
            if isinstance(event, Waiting):
                told = _tell(event, told, status)
                continue
            status.stop()
            told = ""
            yield event


def print_answer(events: Iterable[Event], console: Console) -> None:
    """Prints an answer as it streams, then its footnotes."""
    said = ""
    for event in events:
        if isinstance(event, Token):
            said += event.text
            console.print(Text(visible(event.text)), end="", soft_wrap=True)
        elif isinstance(event, Retracted):
            if said:
                console.print("\n\nThe text so far was the model's reasoning. Its answer:\n", style="dim")
            said = ""
        elif isinstance(event, Answer):
            console.print("\n")
            if event.text != said:
                console.print("With its footnotes corrected:", style="bold")
                console.print(Text(visible(event.text)), end="\n\n", soft_wrap=True)
            _print_proof(event, console)


def print_status(collections: Sequence[CollectionStatus], data_dir: Path, size: int, console: Console) -> None:
    """Prints the contents of the index."""
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
        model += f", to be replaced by {one.next_model}" if one.next_model else ""
        counts = (f"{one.documents:,}", f"{one.chunks:,}", f"{one.bytes_text / MIB:,.1f} MiB", f"{len(one.failures):,}")
        table.add_row(escape(one.name), *counts, escape(model))
    console.print(table)
    for one in collections:
        if one.unembedded:
            words = unembedded_words(one.unembedded)
            console.print(f"[yellow]{escape(one.name)}[/yellow]  {words}", highlight=False, soft_wrap=True)
        for error in one.failures.values():
            console.print(f"[red]failed[/red]  {escape(one_line(error))}", highlight=False, soft_wrap=True)


def _tell(event: Waiting, told: str, status: Status) -> str:
    """Shows a wait. Returns its reason, so that it is printed only once where lines stay."""
    line = one_line(waiting_words(event))
    if status.console.is_terminal:
        status.update(escape(line))
        status.start()
    elif event.seconds is not None and event.reason != told:
        status.console.print(line, markup=False, highlight=False, soft_wrap=True)
    return event.reason


def _print_proof(answer: Answer, console: Console) -> None:
    for sentence in answer.sentences:
        if sentence.supported is False or sentence.unchecked:
            line = escape(f"“{one_line(sentence.text)}” {one_line(sentence.reason)}")
            what = VERDICT_WORDS[sentence.verdict]
            console.print(f"[yellow]{what}[/yellow]  {line}", highlight=False)
    if answer.nearest:
        console.print("Nearest passages:", style="bold")
    for citation in answer.citations or answer.nearest:
        place = _place(citation.document, citation.place, citation.heading)
        console.print(f"[bold][{citation.n}][/bold] {escape(place)}", highlight=False, soft_wrap=True)
        quote = Text(visible(" ".join(citation.quote.split())), style="dim")
        console.print(Padding(quote, (0, 0, 0, 4)))
    if answer.within:
        asked = f"\nOnly these documents were searched: {escape(one_line(str(answer.within)))}"
        console.print(asked, style="dim", highlight=False, soft_wrap=True)
    if answer.notice:
        console.print(f"\n{escape(visible(answer.notice))}", style="dim", highlight=False)
    if answer.usage:
        console.print(f"{escape(answer.answerer)}: {usage_words(answer.usage)}", style="dim", highlight=False)


def print_notice(text: str) -> None:
    """Prints a note on standard error, if there is one."""
    if text:
        Console(stderr=True, emoji=False).print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)


def print_progress(done: int, total: int) -> None:
    """Prints the number of finished questions on standard error: each on a terminal, every 50th in a log."""
    end = "\n" if done == total else "\r"
    if sys.stderr.isatty() or done == total or done % 50 == 0:
        print(f"{done}/{total} questions", end=end if sys.stderr.isatty() else "\n", file=sys.stderr)  # noqa: T201 - progress


def _place(document: str, place: str, heading: Sequence[str]) -> str:
    parts = [one_line(document)]
    if place:
        parts.append(one_line(place))
    if heading:
        parts.append(one_line(HEADING_SEPARATOR.join(heading)))
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
