"""Streams a language model's answer from passages, drops markers that name no passage, and can be stopped."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from app.answering.prompts import answer_prompt, condense_prompt
from app.cancellation import CancelToken
from app.llm import ChatLLM, Spending
from app.models import Event, Passage, Prompt, Retracted, Token, Turn, Waiting
from app.retrieval import rewritten
from app.text import MarkerFilter
from ingest.errors import LLMContextTooLong, LLMError, QuestionError
from ingest.models import Query
from ingest.settings import Settings


@dataclass(frozen=True, slots=True)
class Reworded:
    """A question reworded to be understood alone; `query` is None if the model failed, as the notice explains."""

    query: Query | None
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """The text a model wrote; "" if it failed before its first word. `numbers` maps passages to footnotes.

    `notices` are lines for the user. `prompt` is `Prompt.template`.
    """

    text: str
    numbers: dict[int, int]
    incomplete: bool = False
    notices: tuple[str, ...] = ()
    prompt: str = ""


class Writer:
    """Makes a language model reword questions and answer them.

    Args:
        llm: the model.
        settings: the prompts' folder.
        cancel: stops the model's answer and its request.
    """

    def __init__(self, llm: ChatLLM, settings: Settings, cancel: CancelToken) -> None:
        self._llm = llm
        self._cancel = cancel
        self._prompts = settings.prompts_dir

    def standalone(
        self, question: str, history: Sequence[Turn], spending: Spending
    ) -> Generator[Event, None, Reworded]:
        """Rewords the question so that it is understood alone; a failure of the model becomes a notice."""
        reply = ""
        try:
            with closing(self._llm.stream(condense_prompt(self._prompts, question, history), spending)) as pieces:
                for piece in self._cancel.until(pieces):
                    if isinstance(piece, Waiting):
                        yield piece
                    else:
                        reply = "" if isinstance(piece, Retracted) else reply + piece
        except LLMError as error:
            return Reworded(None, f"{error} The question was searched without the model's help.")
        return Reworded(rewritten(question, reply))

    def write(self, searched: str, passages: Sequence[Passage], spending: Spending) -> Generator[Event, None, Written]:
        """Streams an answer from passages; if the model reports that the context is too long, retries with fewer.

        Failures become notices, and so does the reason for a cancellation.

        Raises:
            QuestionError: the question and one passage do not fit into the model's context.
        """
        prompt = answer_prompt(self._prompts, searched, passages, self._llm.context_tokens)
        left_out = ""  # the notice of how many passages the last attempt used
        while True:
            try:
                written = yield from self._stream(prompt, spending)
            except LLMContextTooLong as error:
                fewer = self._with_fewer(searched, prompt, error)
                if fewer is None:
                    return Written("", {}, notices=(left_out, str(error)))
                prompt, left_out = fewer, self._left_out(len(fewer.passages))
            else:
                return replace(written, notices=(left_out, *written.notices), prompt=prompt.template)

    def _with_fewer(self, searched: str, prompt: Prompt, error: LLMContextTooLong) -> Prompt | None:
        """Returns a prompt with the better half of the passages; None if there is only one, or it does not fit."""
        kept = prompt.passages[: len(prompt.passages) // 2]
        if not kept:
            return None
        if error.context_tokens:
            self._llm.learn_context(error.context_tokens)
        try:
            return answer_prompt(self._prompts, searched, kept, self._llm.context_tokens)
        except QuestionError:
            return None

    def _left_out(self, n: int) -> str:
        said = "the best passage alone was" if n == 1 else f"the best {n} passages were"
        return (
            f"Not all passages fit into the context of {self._llm.name}: {said} used. Set "
            "FOOTNOTE_LLM_CONTEXT_TOKENS to the model's context."
        )

    def _stream(self, prompt: Prompt, spending: Spending) -> Generator[Event, None, Written]:
        markers = MarkerFilter(len(prompt.passages))
        text, cut = "", ""
        try:
            with closing(self._llm.stream(prompt, spending)) as pieces:
                for piece in self._cancel.until(pieces):
                    if isinstance(piece, Waiting | Retracted):
                        if isinstance(piece, Retracted):
                            text, markers = "", MarkerFilter(len(prompt.passages))
                        yield piece
                        continue
                    out = markers.feed(piece)
                    out = out if text else out.lstrip()
                    if out:
                        text += out
                        yield Token(out)
        except LLMError as error:
            if not text and isinstance(error, LLMContextTooLong):
                raise
            cut = str(error)
        if self._cancel.cancelled:
            cut = cut or self._cancel.reason
        rest = markers.end() if text else markers.end().lstrip()
        if rest:
            yield Token(rest)
        return Written(text + rest, markers.numbers, incomplete=bool(cut), notices=(cut,))
