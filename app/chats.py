"""Conversations with their answers and sources, in SQLite: a reload or a crash loses nothing."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from app.models import Answer, Citation, Sentence, Turn
from ingest.database import Database

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    collection TEXT NOT NULL,
    updated REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS exchanges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    question TEXT NOT NULL,
    answer TEXT,
    asked REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS exchanges_by_conversation ON exchanges (conversation, id);
"""
MOST_TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. `updated` is in seconds since the epoch; `title` is "" until something was asked."""

    id: str
    title: str
    collection: str
    updated: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer; None where the answer was never finished."""

    id: int
    question: str
    answer: Answer | None

    def as_turn(self) -> Turn | None:
        """What a later question may lean on; None where there is no answer."""
        return Turn(self.question, self.answer.text) if self.answer else None


class ChatStore:
    """The conversations in one SQLite file; safe between threads and processes.

    Args:
        database: the file, opened with this module's schema.
    """

    def __init__(self, database: Database) -> None:
        self._query = database.query
        self._transaction = database.transaction

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the store at `path`, or makes it.

        Raises:
            DocumentStoreError: it cannot be opened, is damaged, or was written by a newer Footnote.
        """
        return cls(Database(path, SCHEMA, SCHEMA_VERSION))

    def create(self, collection: str) -> Conversation:
        """A new conversation about a collection."""
        conversation = Conversation(uuid.uuid4().hex[:12], "", collection, time.time())
        with self._transaction() as db:
            db.execute("INSERT INTO conversations VALUES (?, ?, ?, ?)", _row(conversation))
        return conversation

    def conversations(self) -> list[Conversation]:
        """All conversations in which something was asked, the last used first."""
        rows = self._query(
            "SELECT id, title, collection, updated FROM conversations c"
            " WHERE EXISTS (SELECT 1 FROM exchanges WHERE conversation = c.id) ORDER BY updated DESC"
        )
        return [Conversation(*row) for row in rows]

    def get(self, conversation_id: str) -> Conversation | None:
        """A conversation, or None where it was deleted."""
        rows = self._query(
            "SELECT id, title, collection, updated FROM conversations WHERE id = ?",
            conversation_id,
        )
        return Conversation(*rows[0]) if rows else None

    def rename(self, conversation_id: str, title: str) -> None:
        """Gives a conversation another title."""
        with self._transaction() as db:
            db.execute("UPDATE conversations SET title = ? WHERE id = ?", (_title(title), conversation_id))

    def delete(self, conversation_id: str) -> None:
        """Deletes a conversation with all its exchanges."""
        with self._transaction() as db:
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def set_collection(self, conversation_id: str, collection: str) -> None:
        """Makes a conversation ask another collection from now on."""
        with self._transaction() as db:
            db.execute("UPDATE conversations SET collection = ? WHERE id = ?", (collection, conversation_id))

    def add_question(self, conversation_id: str, question: str) -> int:
        """Keeps a question before it is answered; the first one names the conversation.

        Returns:
            The exchange's id.
        """
        with self._transaction() as db:
            db.execute(
                "UPDATE conversations SET updated = ?, title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?",
                (time.time(), _title(question), conversation_id),
            )
            row = db.execute(
                "INSERT INTO exchanges (conversation, question, asked) VALUES (?, ?, ?) RETURNING id",
                (conversation_id, question, time.time()),
            ).fetchone()
            return int(row[0])

    def add_answer(self, exchange_id: int, answer: Answer) -> None:
        """Keeps the answer of a question, with its sentences and sources."""
        with self._transaction() as db:
            db.execute("UPDATE exchanges SET answer = ? WHERE id = ?", (json.dumps(asdict(answer)), exchange_id))

    def exchanges(self, conversation_id: str) -> list[Exchange]:
        """The questions and answers of a conversation, in order."""
        rows = self._query(
            "SELECT id, question, answer FROM exchanges WHERE conversation = ? ORDER BY id", conversation_id
        )
        return [Exchange(number, question, _answer(answer)) for number, question, answer in rows]


def _row(conversation: Conversation) -> tuple[str, str, str, float]:
    return conversation.id, conversation.title, conversation.collection, conversation.updated


def _title(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= MOST_TITLE_CHARACTERS else plain[: MOST_TITLE_CHARACTERS - 1].rstrip() + "…"


def _answer(stored: str | None) -> Answer | None:
    if stored is None:
        return None
    fields: dict[str, Any] = json.loads(stored)
    for name, kind in (("sentences", Sentence), ("citations", Citation), ("nearest", Citation)):
        fields[name] = tuple(kind(**_with_tuples(item)) for item in fields[name])
    return Answer(**fields)


def _with_tuples(item: dict[str, Any]) -> dict[str, Any]:
    """JSON knows lists only; our dataclasses hold tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in item.items()}
