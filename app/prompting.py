"""prompts/*.md + passages -> messages that fit the model's context."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from app.models import Passage, Prompt, Turn
from ingest.errors import QuestionError, SettingsError

DIVIDER = "\n---\n"
PLACEHOLDERS = {"answer": ("{passages}", "{question}"), "condense": ("{history}", "{question}")}
# What prompts/answer.md asks for where the passages do not answer.
REFUSAL = "I could not find this in the documents."
REFUSALS = re.compile(
    r"(could ?n[o']t|can ?no?t|can't|unable to|was not able to|did not) (find|answer|locate)|"
    r"do(es)? ?n[o']t (contain|mention|provide|answer|include|say|specify)|no (information|mention)|"
    r"not (in|mentioned in|found in|covered by) the (documents?|passages?)",
    re.IGNORECASE,
)
MOST_REFUSAL_CHARACTERS = 300
# Bytes of UTF-8 a token has at least, on average, over the tokenizers of current models: errs on the safe side.
BYTES_PER_TOKEN = 3
# What is kept free of the context for the answer, in tokens, and at most as a share of it.
ANSWER_TOKENS = 1024
ANSWER_SHARE = 0.25
# Characters of an earlier answer that are repeated to the model.
MOST_TURN_CHARACTERS = 600
MOST_TURNS = 6


def answer_prompt(
    folder: Path, question: str, passages: Sequence[Passage], context_tokens: int, fence: str = ""
) -> Prompt:
    """The prompt that asks for an answer from passages.

    Args:
        folder: where answer.md lies.
        question: the standalone question.
        passages: best first; the last ones are left out where the context has no room for all.
        context_tokens: the model's context window.
        fence: the name of the lines around a passage; random unless given, so that no document can forge it.

    Raises:
        SettingsError: answer.md is missing, or lacks a placeholder.
        QuestionError: there is no room for even one passage.
    """
    system, user = _template(folder, "answer")
    fence = fence or f"passage-{secrets.token_hex(4)}"
    system = system.replace("{fence}", fence)
    room = context_tokens - min(ANSWER_TOKENS, int(ANSWER_SHARE * context_tokens)) - _tokens(system + user + question)
    fitting: list[Passage] = []
    parts: list[str] = []
    for passage in passages:
        part = _fenced(passage, fence)
        room -= _tokens(part)
        if room < 0:
            break
        fitting.append(passage)
        parts.append(part)
    if passages and not fitting:
        raise QuestionError(
            f"The question leaves no room for passages in the model's context of {context_tokens:,} tokens. "
            "Shorten it, or raise FOOTNOTE_LLM_CONTEXT_TOKENS if the model has more."
        )
    return Prompt(system, _filled(user, passages="\n\n".join(parts), question=question), tuple(fitting))


def condense_prompt(folder: Path, question: str, history: Sequence[Turn]) -> Prompt:
    """The prompt that asks for a standalone question.

    Raises:
        SettingsError: condense.md is missing, or lacks a placeholder.
    """
    system, user = _template(folder, "condense")
    turns = (f"User: {turn.question}\nAnswer: {turn.answer[:MOST_TURN_CHARACTERS]}" for turn in history[-MOST_TURNS:])
    return Prompt(system, _filled(user, history="\n\n".join(turns), question=question))


def is_refusal(answer: str) -> bool:
    """Whether a model's answer, which cites nothing, says that the passages do not answer."""
    said = " ".join(answer.split())
    return REFUSAL.rstrip(".").casefold() in said.casefold() or (
        len(said) <= MOST_REFUSAL_CHARACTERS and bool(REFUSALS.search(said))
    )


def _template(folder: Path, name: str) -> tuple[str, str]:
    path = folder / f"{name}.md"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The prompt {path} could not be read: {error}. Restore the file.") from error
    system, divider, user = text.partition(DIVIDER)
    missing = [placeholder for placeholder in PLACEHOLDERS[name] if placeholder not in user]
    if not divider or missing:
        what = f"the placeholder {' and '.join(missing)} below" if missing else "the line --- between"
        raise SettingsError(
            f"The prompt {path} lacks {what} its rules and its question. Put it back; the file says what it is for."
        )
    return system.strip(), user.strip()


def _filled(template: str, **values: str) -> str:
    """Placeholders replaced in one pass, so that a value with braces in it is not filled in turn."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found.group(1), found.group()), template)


def _fenced(passage: Passage, fence: str) -> str:
    place = [f"n={passage.n}", f"document={_attribute(Path(passage.document).name)}"]
    if passage.place:
        place.append(f"place={_attribute(passage.place)}")
    if passage.heading:
        place.append(f"heading={_attribute(' > '.join(passage.heading))}")
    return f"<{fence} {' '.join(place)}>\n[{passage.n}] {passage.text}\n</{fence}>"


def _attribute(value: str) -> str:
    plain = " ".join(value.split()).translate({ord(c): "'" for c in '"<>'})
    return f'"{plain}"'


def _tokens(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
