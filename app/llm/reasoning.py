"""What a model says to itself before it answers, left out of a stream. Pure.

Servers that know their model leave its thoughts out, or send them apart. Others send them as they come: between marks
that differ by model, without the first mark where the template of the prompt holds it (vLLM, llama.cpp), or as channels
(gpt-oss, "harmony").
"""

from __future__ import annotations

import re

from app.models import Retracted

# Tags that mark thoughts, and tags that documents have too: what those enclose may be a part of the answer.
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
# What is left of channels where a server drops their marks.
UNMARKED, UNMARKED_END = "analysis", "assistantfinal"
ENDS = (*dict.fromkeys(PAIRS.values()), UNMARKED_END)
# The end of a turn in channels, where a server sends it as text.
TURN_ENDS = ("<|return|>", "<|end|>", "<|call|>")
TAGS = {begin: end for begin, end in PAIRS.items() if end != FINAL}
MARK = re.compile("|".join(map(re.escape, (*ENDS, *TURN_ENDS, *TAGS))), re.IGNORECASE)
LONGEST = max(map(len, (*PAIRS, *ENDS, *TURN_ENDS)))
# Before a mark that is spoken of instead of meant; so is one in a block of code.
QUOTES = tuple("`~\"'\u2018\u201c\u201e\u00ab*_([{")
FENCE = re.compile("`{3,}|~{3,}")
# Behind a mark in the middle of a sentence.
GOES_ON = frozenset(".,;:!?)]}\u2019\u201d\u00bb")


class _Said:
    """What of an answer was said, as far as the marks that come in it depend on that."""

    def __init__(self) -> None:
        self.first = ""
        """As many characters as UNMARKED has."""
        self._last = ""
        self._fence = ""  # the one that is open
        self._run = ""  # of a fence's characters, at the end
        self._enclosed = ""  # the last mark of a pair whose first one is a part of the answer

    @property
    def is_quoting(self) -> bool:
        """Whether what comes next is in a block of code, or behind a quotation mark."""
        return bool(self._fence) or self._last in QUOTES

    def add(self, text: str) -> None:
        """Takes note of more of the answer, at least one character."""
        self.first = (self.first + text)[: len(UNMARKED)]
        self._last = text[-1]
        text = self._run + text
        whole = text.rstrip(text[-1]) if text[-1] in "`~" else text
        for run in FENCE.findall(whole):
            if run.startswith(self._fence):
                self._fence = "" if self._fence else run
        self._run = text[len(whole) :][:LONGEST]

    def ends_before(self, mark: str, after: str) -> bool:
        """Whether what was said was a thought, whose last mark this one is; `after` is the text behind it."""
        begins_line = self._last in {"", "\n"}
        if mark in TAGS:
            self._enclosed = "" if begins_line else TAGS[mark]
            return False
        if mark == self._enclosed:
            self._enclosed = ""
            return False
        return mark not in COMMON_ENDS and (begins_line or (not self._last.isspace() and _begins_answer(after)))


class ThoughtFilter:
    """Lets the answer of a stream through, without the thoughts before it.

    Thoughts whose first mark is missing are recognised by their last one: what came until then is taken back. The last
    mark has to begin a line, or stand between text and an answer with no space around it. Tags of `COMMON_NAMES`
    enclose thoughts only at the beginning, and only where the text behind them does not go on with their sentence.

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
        self._thought: list[str] = []  # what was read of it, for the case that it is none
        self._channels = self._shown = False
        self._said = _Said()

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

    def _over(self, *, final: bool) -> bool:  # noqa: ARG002 - as the other steps
        self._rest = ""
        return False

    def _say(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._shown = self._shown or not self._hold
            self._said.add(text)

    def _is_meant(self, mark: str, after: str) -> bool:
        """Whether a mark is one, and not a part of the answer."""
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
        """How many characters at the end of what is not decided may be the beginning of a mark."""
        tail = self._rest[-LONGEST:].lower()
        marks = [*PAIRS.values(), *TAGS, *(TURN_ENDS if self._channels else ()), *self._unmarked_end()]
        return next((n for n in range(len(tail), 0, -1) if any(mark.startswith(tail[-n:]) for mark in marks)), 0)

    def _unmarked_end(self) -> tuple[str, ...]:
        return (UNMARKED_END,) if (self._said.first + self._rest).startswith(UNMARKED) else ()


def _is_decided(after: str) -> bool:
    """Whether enough has come behind a mark for `_begins_answer`."""
    return bool(after.strip()) or len(after) >= LONGEST


def _begins_answer(after: str) -> bool:
    """Whether the text behind a mark can be the beginning of an answer, and not the rest of a sentence."""
    first = after.lstrip()[:1]
    return after[:1] not in {" ", "\t"} and not first.islower() and first not in GOES_ON
