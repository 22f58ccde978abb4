"""What a model says to itself before it answers, left out of a stream. Pure.

Servers that know their model leave its thoughts out, or send them apart. Others send them as they come: between marks
that differ by model, without the first mark where the template of the prompt holds it (vLLM, llama.cpp), or as channels
(gpt-oss, "harmony").
"""

from __future__ import annotations

import re

from app.models import Retracted

NAMES = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "seed:think")
FINAL = "<|channel|>final<|message|>"
PAIRS = {
    **{f"<{name}>": f"</{name}>" for name in NAMES},
    "\u25c1think\u25b7": "\u25c1/think\u25b7",
    "[think]": "[/think]",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|channel|>": FINAL,
    "<|start|>assistant<|channel|>": FINAL,
}
# What is left of channels where a server drops their marks.
UNMARKED, UNMARKED_END = "analysis", "assistantfinal"
ENDS = (*dict.fromkeys(PAIRS.values()), UNMARKED_END)
# The end of a turn in channels, where a server sends it as text.
TURN_ENDS = ("<|return|>", "<|end|>", "<|call|>")
MARK = re.compile("|".join(map(re.escape, (*ENDS, *TURN_ENDS))), re.IGNORECASE)
LONGEST = max(map(len, (*PAIRS, *ENDS, *TURN_ENDS)))
# Before a mark that is spoken of instead of meant; so is one in a block of code.
QUOTES = tuple("`\"'\u2018\u201c\u201e\u00ab")
FENCE = "```"


class ThoughtFilter:
    """Lets the answer of a stream through, without the thoughts before it.

    Thoughts whose first mark is missing are told by their last one: what came until then is taken back.

    Args:
        hold: gives nothing before the end of a thought came, or of the stream: for a model that is known to begin in
            the middle of one.
    """

    def __init__(self, *, hold: bool = False) -> None:
        self.retracted = False
        """Whether thoughts without their first mark came."""
        self._hold = hold
        self._out: list[str | Retracted] = []
        self._rest = ""  # not decided yet
        self._step = self._begin
        self._end = ""  # of the thought that is being read
        self._channels = self._shown = False
        self._first, self._last, self._ticks, self._fences = "", "", 0, 0

    def feed(self, piece: str) -> list[str | Retracted]:
        """What is sure after the next piece."""
        self._rest += piece
        return self._taken(final=False)

    def end(self) -> list[str | Retracted]:
        """The rest, when the stream is over."""
        self._hold = False
        return self._taken(final=True)

    def cut(self) -> list[str | Retracted]:
        """The rest, when the stream broke off: without what is held, which may be the middle of a thought."""
        return self._taken(final=True)

    def _taken(self, *, final: bool) -> list[str | Retracted]:
        while self._step(final=final):
            pass
        if self._hold:
            return []
        out, self._out = self._out, []
        return out

    def _begin(self, *, final: bool) -> bool:
        """Decides whether a thought or the answer comes next. Steps return whether another can be made."""
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

    def _think(self, *, final: bool) -> bool:  # noqa: ARG002 - as the other steps
        found = next((one for one in MARK.finditer(self._rest) if one.group().lower() == self._end), None)
        self._rest = self._rest[found.end() :] if found else self._rest[-LONGEST:]
        if found:
            self._step = self._begin
        return found is not None

    def _answer(self, *, final: bool) -> bool:
        found = MARK.search(self._rest)
        if found is None:
            sure = len(self._rest) - (0 if final else self._begun_mark())
            self._say(self._rest[:sure])
            self._rest = self._rest[sure:]
            return False
        self._say(self._rest[: found.start()])
        self._rest = self._rest[found.end() :]
        mark = found.group().lower()
        if not self._is_meant(mark):
            self._say(found.group())
        elif mark in TURN_ENDS:
            self._step = self._over
        else:
            self._retract(mark)
        return True

    def _over(self, *, final: bool) -> bool:  # noqa: ARG002 - as the other steps
        self._rest = ""
        return False

    def _say(self, text: str) -> None:
        if not text:
            return
        self._out.append(text)
        self._shown = self._shown or not self._hold
        self._first = (self._first + text)[: len(UNMARKED)]
        self._last = text[-1]
        ticked = "`" * self._ticks + text
        self._fences += ticked.count(FENCE)
        self._ticks = (len(ticked) - len(ticked.rstrip("`"))) % len(FENCE)

    def _is_meant(self, mark: str) -> bool:
        if mark in TURN_ENDS:
            return self._channels
        if mark == UNMARKED_END:
            return self._first == UNMARKED
        return self._fences % 2 == 0 and self._last not in QUOTES

    def _retract(self, mark: str) -> None:
        self._out = [Retracted()] if self._shown else []
        self._channels = self._channels or mark in {FINAL, UNMARKED_END}
        self.retracted, self._shown, self._hold = True, False, False
        self._first, self._last, self._ticks, self._fences = "", "", 0, 0
        self._step = self._begin

    def _begun_mark(self) -> int:
        """How many characters at the end of what is not decided may be the beginning of a mark."""
        tail = self._rest[-LONGEST:].lower()
        marks = [*PAIRS.values(), *(TURN_ENDS if self._channels else ()), *self._unmarked_end()]
        return next((n for n in range(len(tail), 0, -1) if any(mark.startswith(tail[-n:]) for mark in marks)), 0)

    def _unmarked_end(self) -> tuple[str, ...]:
        return (UNMARKED_END,) if (self._first + self._rest).startswith(UNMARKED) else ()
