"""Stores conversations with their answers and sources in SQLite; they survive a reload or a crash."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from app.models import Answer, Turn, Usage
from app.packing import pack_answer, unpack_answer
from ingest.conversation_schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION
from ingest.docstore import Database
from ingest.filters import Filter
from ingest.text import storable, storable_values

CONVERSATIONS = "SELECT id, title, collection, updated, filter FROM conversations"
EXCHANGES = "SELECT id, question, answer, helpful, earlier FROM exchanges"
MOST_TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. `updated` is in seconds since the epoch; `title` is "" until a question was asked.

    `within` selects the documents searched; an empty filter: all.
    """

    id: str
    title: str
    collection: str
    updated: float
    within: Filter = field(default_factory=Filter)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer; the answer is None if it was never completed.

    `helpful` is the user's rating; None if there is none. `earlier` is the language model usage of replaced answers;
    None for an answer whose server reported none.
    """

    id: int
    question: str
    answer: Answer | None
    helpful: bool | None = None
    earlier: tuple[Usage | None, ...] = ()

    @property
    def usages(self) -> tuple[Usage | None, ...]:
        """The language model usage of each attempt to answer, including the last."""
        if self.answer is None or not self.answer.asked_model:
            return self.earlier
        return (*self.earlier, self.answer.usage)

    def as_turn(self) -> Turn | None:
        """The turn as context for later questions; None without an answer."""
        return Turn(self.question, self.answer.text) if self.answer else None


class ChatStore:
    """The conversations in one SQLite file; safe for concurrent threads and processes.

    Args:
        database: the file, opened with this module's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._query = database.query
        self._transaction = database.transaction

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the store at `path`, creating it if needed.

        Raises:
            DocumentStoreError: it cannot be opened, is damaged, or was written by a newer Footnote.
        """
        return cls(Database(path, SCHEMA, SCHEMA_VERSION, MIGRATIONS))

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def create(self, collection: str, within: Filter | None = None) -> Conversation:
        """Creates a conversation about a collection, or some of its documents."""
        conversation = Conversation(uuid.uuid4().hex[:12], "", collection, time.time(), within or Filter())
        with self._transaction() as db:
            db.execute(
                "INSERT INTO conversations (id, title, collection, updated, filter) VALUES (?, ?, ?, ?, ?)",
                _row(conversation),
            )
        return conversation

    def conversations(self) -> list[Conversation]:
        """Returns all conversations that have a question, most recently used first."""
        rows = self._query(
            f"{CONVERSATIONS} c WHERE EXISTS (SELECT 1 FROM exchanges WHERE conversation = c.id)"  # noqa: S608 - constant
            " ORDER BY updated DESC"
        )
        return [_conversation(row) for row in rows]

    def get(self, conversation_id: str) -> Conversation | None:
        """Returns a conversation, or None if it was deleted."""
        rows = self._query(f"{CONVERSATIONS} WHERE id = ?", conversation_id)
        return _conversation(rows[0]) if rows else None

    def rename(self, conversation_id: str, title: str) -> None:
        """Changes a conversation's title."""
        with self._transaction() as db:
            db.execute("UPDATE conversations SET title = ? WHERE id = ?", (_title(title), conversation_id))

    def delete(self, conversation_id: str) -> None:
        """Deletes a conversation with all its exchanges."""
        with self._transaction() as db:
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def set_collection(self, conversation_id: str, collection: str) -> None:
        """Switches a conversation to another collection."""
        with self._transaction() as db:
            db.execute("UPDATE conversations SET collection = ? WHERE id = ?", (collection, conversation_id))

    def set_filter(self, conversation_id: str, within: Filter) -> None:
        """Sets the documents that a conversation searches from now on."""
        with self._transaction() as db:
            db.execute("UPDATE conversations SET filter = ? WHERE id = ?", (_filter(within), conversation_id))

    def add_question(self, conversation_id: str, question: str) -> int:
        """Saves a question before it is answered; the first one becomes the conversation's title.

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
                (conversation_id, storable(question), time.time()),
            ).fetchone()
            return int(row[0])

    def add_answer(self, exchange_id: int, answer: Answer) -> None:
        """Saves the answer of a question, with its sentences and sources.

        The language model usage of a replaced answer is kept in `Exchange.earlier`.
        """
        with self._transaction() as db:
            for before in map(_exchange, db.execute(f"{EXCHANGES} WHERE id = ?", (exchange_id,)).fetchall()):
                earlier = json.dumps([asdict(one) if one else None for one in before.usages])
                db.execute(
                    "UPDATE exchanges SET answer = ?, earlier = ? WHERE id = ?", (_stored(answer), earlier, exchange_id)
                )

    def rate(self, exchange_id: int, *, helpful: bool | None) -> None:
        """Saves the user's rating of an answer; None removes it."""
        with self._transaction() as db:
            db.execute("UPDATE exchanges SET helpful = ? WHERE id = ?", (helpful, exchange_id))

    def exchanges(self, conversation_id: str) -> list[Exchange]:
        """Returns the questions and answers of a conversation, in order."""
        rows = self._query(f"{EXCHANGES} WHERE conversation = ? ORDER BY id", conversation_id)
        return [_exchange(row) for row in rows]


def _row(conversation: Conversation) -> tuple[str, str, str, float, str]:
    one = conversation
    return one.id, one.title, one.collection, one.updated, _filter(one.within)


def _conversation(row: Sequence[Any]) -> Conversation:
    values = [*row[:-1], Filter.from_json(json.loads(row[-1]))]
    return Conversation(*values)


def _exchange(row: Sequence[Any]) -> Exchange:
    number, question, answer, helpful, earlier = row
    usages = tuple(Usage(**one) if one else None for one in json.loads(earlier))
    return Exchange(number, question, _answer(answer), None if helpful is None else bool(helpful), usages)


def _filter(within: Filter) -> str:
    return json.dumps(within.as_json())


def _title(text: str) -> str:
    plain = " ".join(storable(text).split())
    return plain if len(plain) <= MOST_TITLE_CHARACTERS else plain[: MOST_TITLE_CHARACTERS - 1].rstrip() + "…"


def _stored(answer: Answer) -> str:
    return json.dumps(pack_answer(answer))


def _answer(stored: str | None) -> Answer | None:
    return None if stored is None else unpack_answer(storable_values(json.loads(stored)))
