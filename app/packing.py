"""Packs answers, their events and search hits into JSON values, and unpacks them again. Pure.

The store of conversations and the local socket of a running chat use the same form.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.models import Answer, Citation, Event, Quote, Retracted, Retrieved, Sentence, Token, Usage, Waiting
from ingest.filters import Filter
from ingest.models import Query, SearchHit, StoredChunk

PLAIN: dict[str, type[Token | Waiting | Retracted]] = {one.__name__: one for one in (Token, Waiting, Retracted)}


def pack_answer(answer: Answer) -> dict[str, Any]:
    """Returns an answer as a JSON object, by the names of its fields."""
    return asdict(answer) | {"within": answer.within.as_json()}


def unpack_answer(packed: dict[str, Any]) -> Answer:
    """Restores the answer that `pack_answer` packed, or an older version of Footnote."""
    fields = dict(packed)
    for item in fields["sentences"]:
        item["quotes"] = [Quote(**quote) for quote in item.get("quotes", ())]
    for name, kind in (("sentences", Sentence), ("citations", Citation), ("nearest", Citation)):
        fields[name] = [kind(**_with_tuples(item)) for item in fields[name]]
    if usage := fields.pop("usage", None):
        fields["usage"] = Usage(**usage)
    fields["within"] = Filter.from_json(fields.get("within", {}))
    return Answer(**{name: _with_tuples(value) for name, value in fields.items()})


def pack_event(event: Event) -> dict[str, Any]:
    """Returns an event of an answer as a JSON object; the passages of `Retrieved` are left out."""
    if isinstance(event, Answer):
        return {"kind": "Answer", "fields": pack_answer(event)}
    if isinstance(event, Retrieved):
        return {"kind": "Retrieved", "fields": {"query": asdict(event.query), "notices": event.notices}}
    return {"kind": type(event).__name__, "fields": asdict(event)}


def unpack_event(packed: dict[str, Any]) -> Event:
    """Restores the event that `pack_event` packed; a `Retrieved` has no passages."""
    kind, fields = packed["kind"], packed["fields"]
    if kind == "Answer":
        return unpack_answer(fields)
    if kind == "Retrieved":
        return Retrieved(Query(**_with_tuples(fields["query"])), (), tuple(fields["notices"]))
    return PLAIN[kind](**fields)


def pack_hit(hit: SearchHit) -> dict[str, Any]:
    """Returns a search hit as a JSON object, by the names of its fields."""
    return asdict(hit)


def unpack_hit(packed: dict[str, Any]) -> SearchHit:
    """Restores the hit that `pack_hit` packed."""
    return SearchHit(packed["rank"], packed["score"], StoredChunk(**_with_tuples(packed["chunk"])))


def _with_tuples(value: Any) -> Any:
    """Converts JSON lists to tuples, which the dataclasses require."""
    if isinstance(value, list):
        return tuple(_with_tuples(item) for item in value)
    return {name: _with_tuples(item) for name, item in value.items()} if isinstance(value, dict) else value
