"""Filters a model's reasoning out of its stream. Pure.

Servers that know their model omit its reasoning or send it separately. Others send it inline: between marks that differ
by model, without the start mark if the prompt's template contains it (vLLM, llama.cpp), or as channels (gpt-oss,
"harmony").
"""

from __future__ import annotations

import re

from app.models import Retracted

# Tags for reasoning, and tags also found in documents, whose content may be part of the answer.
NAMES = ("think", "thinking", "seed:think")
COMMON_NAMES = ("thought", "thoughts", "reasoning", "reflection")
COMMON_ENDS = frozenset(f"</{name}>" for name in COMMON_NAMES)
FINAL = "<|channel|>final<|message|>"
PAIRS = {
    **{f"<{name}>": f"</{name}>" for name in (*NAMES, *COMMON_NAMES)},
    "\u25c1think\u25b7": "\u25c1/think\u25b7",
    "[think]": "[/think]",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|channel|>": FINAL,
    "<|start|>assistant<|channel|>": FINAL,
}
# The remains of channel marks where a server drops the special tokens.
UNMARKED, UNMARKED_END = "analysis", "assistantfinal"
ENDS = (*dict.fromkeys(PAIRS.values()), UNMARKED_END)
# End-of-turn marks of channels, if a server sends them as text.
TURN_ENDS = ("<|return|>", "<|end|>", "<|call|>")
TAGS = {begin: end for begin, end in PAIRS.items() if end != FINAL}
MARK = re.compile("|".join(map(re.escape, (*ENDS, *TURN_ENDS, *TAGS))), re.IGNORECASE)
LONGEST = max(map(len, (*PAIRS, *ENDS, *TURN_ENDS)))
# A mark after one of these is quoted, not real; so is one in a block of code.
QUOTES = tuple("`~\"'\u2018\u201c\u201e\u00ab*_([{")
FENCE = re.compile("`{3,}|~{3,}")
# Characters that continue a sentence after a mark.
GOES_ON = frozenset(".,;:!?)]}\u2019\u201d\u00bb")


class _Said:
    """The state of the text so far, as far as the handling of marks depends on it."""

    def __init__(self) -> None:
        self.first = ""
        """The beginning, as many characters as UNMARKED has."""
        self._last = ""
        self._fence = ""  # the open one
        self._run = ""  # of fence characters at the end
        self._enclosed = ""  # the end mark of a pair whose start mark is part of the answer

    @property
    def is_quoting(self) -> bool:
        """True if the next text is in a code block or after a quotation mark."""
        return bool(self._fence) or self._last in QUOTES

    def add(self, text: str) -> None:
        """Records more of the answer, at least one character."""
        self.first = (self.first + text)[: len(UNMARKED)]
        self._last = text[-1]
        text = self._run + text
        whole = text.rstrip(text[-1]) if text[-1] in "`~" else text
        for run in FENCE.findall(whole):
            if run.startswith(self._fence):
                self._fence = "" if self._fence else run
        self._run = text[len(whole) :][:LONGEST]

    def ends_before(self, mark: str, after: str) -> bool:
        """Returns True if the text so far was reasoning that ends with this mark; `after` is the text behind it."""
        begins_line = self._last in {"", "\n"}
        if mark in TAGS:
            self._enclosed = "" if begins_line else TAGS[mark]
            return False
        if mark == self._enclosed:
            self._enclosed = ""
            return False
        return mark not in COMMON_ENDS and (begins_line or (not self._last.isspace() and _begins_answer(after)))


class ThoughtFilter:
    """Passes the answer of a stream through, without the reasoning before it.

    Reasoning without a start mark is recognised by its end mark; the text before it is then retracted. That mark must
    begin a line, or stand between text and the answer without spaces around it. Tags of `COMMON_NAMES` count only at
    the beginning, and only if the text behind them does not continue their sentence.

    Args:
        hold: returns nothing before the end of the reasoning or of the stream, for a model known to start inside its
            reasoning.
    """

    def __init__(self, *, hold: bool = False) -> None:
        self.retracted = False
        """True if reasoning without a start mark was found."""
        self._hold = hold
        self._out: list[str | Retracted] = []
        self._rest = ""  # undecided text
        self._step = self._begin
        self._end = ""  # the end mark of the current reasoning
        self._thought: list[str] = []  # its text, in case it is not reasoning
        self._channels = self._shown = False
        self._said = _Said()

    def feed(self, piece: str) -> list[str | Retracted]:
        """Returns the text that is certain after the next piece."""
        self._rest += piece
        return self._taken(final=False)

    def end(self) -> list[str | Retracted]:
        """Returns the remaining text at the end of the stream."""
        self._hold = False
        return self._taken(final=True)

    def cut(self) -> list[str | Retracted]:
        """Returns the remaining text of an interrupted stream, except held text, which may be unfinished reasoning."""
        return self._taken(final=True)

    def _taken(self, *, final: bool) -> list[str | Retracted]:
        while self._step(final=final):
            pass
        if self._hold:
            return []
        out, self._out = self._out, []
        return out

    def _begin(self, *, final: bool) -> bool:
        """Decides if reasoning or the answer comes next. Each step returns True if another step is possible."""
        self._rest = self._rest.lstrip()
        head = self._rest[:LONGEST].lower()
        self._end = next((end for begin, end in PAIRS.items() if head.startswith(begin)), "")
        if self._end:
            self._channels = self._channels or self._end == FINAL
            self._step = self._think
            return True
        if not head or (not final and any(begin.startswith(head) for begin in PAIRS)):
            return False
        self._step = self._answer
        return True

    def _think(self, *, final: bool) -> bool:
        found = next((one for one in MARK.finditer(self._rest) if one.group().lower() == self._end), None)
        if found is None:
            self._thought.append(self._rest[:-LONGEST])
            self._rest = self._rest[-LONGEST:]
            return False
        after = self._rest[found.end() :]
        if self._end not in COMMON_ENDS:
            self._rest, self._step = after, self._begin
        elif not final and not _is_decided(after):
            return False
        elif _begins_answer(after):
            self._rest, self._step = after, self._begin
        else:
            self._rest, self._step = "".join((*self._thought, self._rest)), self._answer
        self._thought.clear()
        return True

    def _answer(self, *, final: bool) -> bool:
        found = MARK.search(self._rest)
        if found is None:
            sure = len(self._rest) - (0 if final else self._begun_mark())
            self._say(self._rest[:sure])
            self._rest = self._rest[sure:]
            return False
        self._say(self._rest[: found.start()])
        self._rest, after = self._rest[found.start() :], self._rest[found.end() :]
        if not final and not _is_decided(after):
            return False
        self._rest, mark = after, found.group().lower()
        if not self._is_meant(mark, after):
            self._say(found.group())
        elif mark in TURN_ENDS:
            self._step = self._over
        else:
            self._retract(mark)
        return True

    def _over(self, *, final: bool) -> bool:  # noqa: ARG002 - same signature as the other steps
        self._rest = ""
        return False

    def _say(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._shown = self._shown or not self._hold
            self._said.add(text)

    def _is_meant(self, mark: str, after: str) -> bool:
        """Returns True if a mark is real, not part of the answer."""
        if mark in TURN_ENDS:
            return self._channels
        if mark == UNMARKED_END:
            return self._said.first == UNMARKED
        return not self._said.is_quoting and (mark == FINAL or self._said.ends_before(mark, after))

    def _retract(self, mark: str) -> None:
        self._out = [Retracted()] if self._shown else []
        self._channels = self._channels or mark in {FINAL, UNMARKED_END}
        self.retracted, self._shown, self._hold = True, False, False
        self._said = _Said()
        self._step = self._begin

    def _begun_mark(self) -> int:
        """Returns how many characters at the end of the undecided text may be the start of a mark."""
        tail = self._rest[-LONGEST:].lower()
        marks = [*PAIRS.values(), *TAGS, *(TURN_ENDS if self._channels else ()), *self._unmarked_end()]
        return next((n for n in range(len(tail), 0, -1) if any(mark.startswith(tail[-n:]) for mark in marks)), 0)

    def _unmarked_end(self) -> tuple[str, ...]:
        return (UNMARKED_END,) if (self._said.first + self._rest).startswith(UNMARKED) else ()


def _is_decided(after: str) -> bool:
    """Returns True if there is enough text behind a mark for `_begins_answer`."""
    return bool(after.strip()) or len(after) >= LONGEST


def _begins_answer(after: str) -> bool:
    """Returns True if the text behind a mark can start an answer, instead of continuing a sentence."""
    first = after.lstrip()[:1]
    return after[:1] not in {" ", "\t"} and not first.islower() and first not in GOES_ON
