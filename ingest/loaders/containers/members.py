"""Reads files inside other files: members of archives and attachments of mails."""

from __future__ import annotations

from ingest.errors import EmptyDocument, LoadError
from ingest.loaders.document_builder import Builder
from ingest.loaders.source import DEEPEST, Source

MOST_WARNINGS = 50


class Members:
    """Reads inner files into one document; an unreadable one becomes a warning.

    Args:
        builder: receives their text.
        source: the containing file.
    """

    def __init__(self, builder: Builder, source: Source) -> None:
        self._builder = builder
        self._source = source
        self._failures: list[LoadError] = []
        self.warnings: list[str] = []
        self.read = 0

    def add(self, name: str, data: bytes) -> None:
        """Reads one file. Raises LoadError only if the whole file is rejected: too many members, or too much data."""
        from ingest.loaders.loading import load_source  # noqa: PLC0415 - loaders of containers use it recursively

        if self._source.depth >= DEEPEST:
            self._warn(f"{name} was not read: it is nested in more than {DEEPEST} containers.")
            return
        member = self._source.member(name, data)
        try:
            with self._source.output.apart():
                document = load_source(member)
        except EmptyDocument as error:
            self._failures.append(error)
            self._warn(str(error))
        except LoadError as error:
            if self._source.allowance.spent or self._source.output.spent:
                raise
            self._failures.append(error)
            self._warn(str(error))
        else:
            self._builder.include(document, name)
            self.read += 1
            for warning in document.warnings:
                self._warn(f"{name}: {warning}")

    def failure(self) -> LoadError | None:
        """Returns why the only inner file could not be read."""
        return self._failures[0] if len(self._failures) == 1 else None

    def _warn(self, warning: str) -> None:
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(warning)
        elif len(self.warnings) == MOST_WARNINGS:
            self.warnings.append("Further files could not be read; they are not listed.")
