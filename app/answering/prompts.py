"""Builds the messages for the model from prompts/*.md and passages, sized for its context."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from pathlib import Path, PurePath

from app.models import Passage, Prompt, Turn
from app.text import MARKER, most_tokens, without_rule
from ingest.errors import QuestionError, SettingsError

DIVIDER = "\n---\n"
PLACEHOLDERS = {
    "answer": ("{passages}", "{question}"),
    "condense": ("{history}", "{question}"),
    "questions": ("{passage}",),
}
# Text in a passage that looks like one of Footnote's own markers.
PLANTED = re.compile(rf"(?<![\w\])]){MARKER.pattern}")
# Tokens of the context reserved for the answer, and the largest share of the context that they may take.
ANSWER_TOKENS = 1024
ANSWER_SHARE = 0.25
# Most characters of an earlier answer that are repeated to the model.
MOST_TURN_CHARACTERS = 600
MOST_TURNS = 6
# Hexadecimal digits of a template's SHA-256 that identify its version.
HASH_DIGITS = 12


def answer_prompt(
    folder: Path, question: str, passages: Sequence[Passage], context_tokens: int, fence: str = ""
) -> Prompt:
    """Builds the prompt that asks for an answer from passages.

    Passages are in order, best first. Models make best use of the beginning and the end of a long context ("Lost in
    the Middle", Liu et al., 2023). With the best passage first, [1] is the best search result, the worst are left out,
    and a model that truncates a long prompt still reads the best.

    Args:
        folder: the folder of answer.md.
        question: the standalone question.
        passages: best first; the last ones are left out if not all fit into the context.
        context_tokens: the model's context window.
        fence: the tag around each passage; random unless given, so that no document can forge it.

    Raises:
        SettingsError: answer.md is missing or lacks a placeholder.
        QuestionError: not even one passage fits.
    """
    system, user, template = _template(folder, "answer")
    fence = fence or f"passage-{secrets.token_hex(4)}"
    system = system.replace("{fence}", fence)
    room = (
        context_tokens - min(ANSWER_TOKENS, int(ANSWER_SHARE * context_tokens)) - most_tokens(system + user + question)
    )
    fitting: list[Passage] = []
    parts: list[str] = []
    names = _document_names(passages)
    for passage in passages:
        part = _fenced(passage, names[passage.document], fence)
        room -= most_tokens(part)
        if room < 0:
            break
        fitting.append(passage)
        parts.append(part)
    if passages and not fitting:
        raise QuestionError(
            f"The question leaves no room for passages in the model's context of {context_tokens:,} tokens. "
            "Shorten it, or raise FOOTNOTE_LLM_CONTEXT_TOKENS if the model's context is larger."
        )
    return Prompt(system, _filled(user, passages="\n\n".join(parts), question=question), tuple(fitting), template)


def condense_prompt(folder: Path, question: str, history: Sequence[Turn]) -> Prompt:
    """Builds the prompt that asks for a standalone question.

    Raises:
        SettingsError: condense.md is missing or lacks a placeholder.
    """
    system, user, template = _template(folder, "condense")
    turns = (f"User: {turn.question}\nAnswer: {turn.answer[:MOST_TURN_CHARACTERS]}" for turn in history[-MOST_TURNS:])
    return Prompt(system, _filled(user, history="\n\n".join(turns), question=question), (), template)


def question_prompt(folder: Path, document: str, heading: Sequence[str], text: str, fence: str = "") -> Prompt:
    """Builds the prompt that asks for a question answered by a chunk.

    Args:
        folder: the folder of questions.md.
        document: the chunk's source.
        heading: the headings above the chunk.
        text: the chunk's text.
        fence: the tag around the chunk; random unless given, so that no document can forge it.

    Raises:
        SettingsError: questions.md is missing or lacks a placeholder.
    """
    system, user, template = _template(folder, "questions")
    fence = fence or f"passage-{secrets.token_hex(4)}"
    place = f"document={_attribute(Path(document).name)} heading={_attribute(' > '.join(heading))}"
    passage = f"<{fence} {place}>\n{text}\n</{fence}>"
    return Prompt(system.replace("{fence}", fence), _filled(user, passage=passage), (), template)


def _template(folder: Path, name: str) -> tuple[str, str, str]:
    """Returns a prompt's rules, its question, and the hash of the file's text."""
    path = folder / f"{name}.md"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The prompt {path} could not be read: {error}. Restore the file.") from error
    system, divider, user = text.partition(DIVIDER)
    missing = [placeholder for placeholder in PLACEHOLDERS[name] if placeholder not in user]
    if not divider or missing:
        what = f"the placeholder {' and '.join(missing)} below" if missing else "the line --- between"
        raise SettingsError(f"The prompt {path} lacks {what} its rules and its question. Restore it.")
    digest = hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]
    return system.strip(), user.strip(), digest


def _filled(template: str, **values: str) -> str:
    """Replaces the placeholders in one pass, so that braces in a value are not replaced in turn."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found.group(1), found.group()), template)


def _fenced(passage: Passage, document: str, fence: str) -> str:
    """Returns a passage in its fence, below the caption and the header of the table in which it begins."""
    place = {
        "document": document,
        "title": passage.title if passage.title.casefold() not in document.casefold() else "",
        "periods": ", ".join(passage.periods),
        "place": passage.place,
        "heading": " / ".join(passage.heading),
    }
    named = " ".join([f"n={passage.n}", *(f"{name}={_attribute(value)}" for name, value in place.items() if value)])
    caption = passage.caption if passage.caption not in passage.heading else ""
    lead = f"{caption}\n\n{without_rule(passage.header)}".strip()
    text = f"{lead}\n\n{passage.text}" if lead and not passage.header else f"{lead}\n{passage.text}"
    return f"<{fence} {named}>\n[{passage.n}] {_defused(text.strip(), fence)}\n</{fence}>"


def _document_names(passages: Sequence[Passage]) -> dict[str, str]:
    """Returns the file name of each document, with as many of its folders as tell it from the others."""
    parts = {one.document: PurePath(one.document).parts for one in passages}
    names = {}
    for document, own in parts.items():
        others = [other for key, other in parts.items() if key != document]
        depth = next((n for n in range(1, len(own)) if all(other[-n:] != own[-n:] for other in others)), len(own))
        names[document] = "/".join(own[-depth:])
    return names


def _defused(text: str, fence: str) -> str:
    """Replaces anything that looks like a fence, a chat control token, or one of Footnote's markers.

    Brackets directly after a word are kept: they are code ("rows[1]"), and a marker copied from there is verified
    anyway.
    """
    text = re.sub(rf"<(?=\s*+/?\s*+(?:passage|{re.escape(fence)})|\|)", "\u2039", text, flags=re.IGNORECASE)
    return PLANTED.sub(lambda marker: f"({marker.group()[1:-1]})", text)


def _attribute(value: str) -> str:
    plain = " ".join(value.split()).translate({ord(c): "'" for c in '"<>'})
    return f'"{plain}"'
