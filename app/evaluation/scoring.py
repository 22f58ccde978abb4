"""Scores the passages and the answer of a question, by metric. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.evaluation import metrics
from app.evaluation.datasets import EvaluationQuestion
from app.evaluation.metrics import Range
from app.models import Answer
from ingest.models import SearchHit, StoredChunk

DEEPEST = f"{metrics.RECALL}@{max(metrics.RECALL_CUTOFFS)}"
REFUSAL_PRECISION, REFUSAL_RECALL = "Refusal precision", "Refusal recall"
OMEGA = "Span precision Ω"
ANSWERED, CITED = "Answered", "Source cited"
# Prefixes of the metrics' names, the main ones first.
METRICS = (
    *("Span recall", "Span precision@", "Span IoU", "Span precision", "Quote", "Page"),
    *(metrics.NDCG, metrics.MRR, metrics.RECALL, metrics.PRECISION),
    *(REFUSAL_PRECISION, REFUSAL_RECALL, ANSWERED, CITED),
)
# Most documents listed in an expectation, and most characters of each quoted text.
MOST_EXPECTED, MOST_QUOTED = 3, 300


@dataclass(frozen=True, slots=True)
class Search:
    """The search results of a question.

    Attributes:
        text: the question as searched.
        seconds: duration of the search for the first k passages.
        hits: the first k passages.
        ranked: documents of more passages, best first, with repeats, for the metrics at 10.
        deep: documents of still more passages, for the metric at 100.
    """

    text: str
    seconds: float
    hits: Sequence[SearchHit]
    ranked: Sequence[str] = ()
    deep: Sequence[str] = ()


def ranking_scores(searches: Sequence[tuple[EvaluationQuestion, Search]], k: int) -> dict[str, dict[str, float]]:
    """Scores document rankings, by question id, for questions that have relevant documents and no spans."""
    judged = [(question, search) for question, search in searches if question.relevant and not question.spans]
    relevant = {question.id: question.relevant for question, _ in judged}
    scores = metrics.ranking_scores({question.id: search.ranked for question, search in judged}, relevant, k)
    deep = metrics.ranking_scores({question.id: search.deep for question, search in judged}, relevant, k)
    return {ident: found | {DEEPEST: deep[ident][DEEPEST]} for ident, found in scores.items()}


def passage_scores(
    question: EvaluationQuestion,
    hits: Sequence[tuple[str, SearchHit]],
    k: int,
    chunks: Mapping[str, Sequence[Range]],
) -> dict[str, float]:
    """Scores the first k passages by the question's spans, quote or page.

    Args:
        question: the question with its expected result.
        hits: each with its document's name in the set.
        k: the number of passages requested.
        chunks: all chunks of each document, for precision Ω.
    """
    scores: dict[str, float] = {}
    if question.spans:
        retrieved = [(document, (hit.chunk.start, hit.chunk.end)) for document, hit in hits]
        document = question.spans[0].document
        references = [(span.start, span.end) for span in question.spans]
        found = metrics.span_scores(retrieved, document, references)
        scores |= {f"Span {name}@{k}": score for name, score in found.items()}
        scores[OMEGA] = metrics.precision_omega(chunks.get(document, ()), references)
    if question.quote:
        texts = [*(hit.chunk.text for document, hit in hits if document in question.relevant), *_joined(question, hits)]
        scores[f"Quote@{k}"] = float(metrics.quote_found(question.quote, texts))
    if question.page is not None:
        on_page = (document in question.relevant and hit.chunk.page == question.page for document, hit in hits)
        scores[f"Page@{k}"] = float(any(on_page))
    return scores


def answer_scores(question: EvaluationQuestion, answer: Answer, ids: Mapping[str, str]) -> dict[str, float]:
    """Scores whether a question was correctly answered or refused, if the set says which is correct.

    Refusal precision counts only refused questions, refusal recall only those without an answer.
    """
    scores: dict[str, float] = {}
    if question.answerable is not None:
        if not question.answerable:
            scores[REFUSAL_RECALL] = float(answer.refused)
        if answer.refused:
            scores[REFUSAL_PRECISION] = float(not question.answerable)
    if question.answerable or (question.answerable is None and question.relevant):
        scores[ANSWERED] = float(not answer.refused)
    if question.relevant and not answer.refused:
        sources = {ids.get(citation.document, citation.document) for citation in answer.citations}
        cited = any(metrics.names_source(name, source) for name in question.relevant for source in sources)
        scores[CITED] = float(cited)
    return scores


def is_wanted(question: EvaluationQuestion, document: str, chunk: StoredChunk) -> bool:
    """Returns True if a question should find this chunk."""
    if question.spans:
        return any(s.document == document and s.start < chunk.end and chunk.start < s.end for s in question.spans)
    if document not in question.relevant or (question.page is not None and chunk.page != question.page):
        return False
    return not question.quote or metrics.quote_found(question.quote, [chunk.text])


def expectation(question: EvaluationQuestion, corpus: Mapping[str, str]) -> str:
    """Describes what a question should find."""
    if question.spans:
        texts = [corpus[span.document][span.start : span.end] for span in question.spans]
        return f"{question.spans[0].document}: {' … '.join(_shortened(text) for text in texts)}"
    if not question.relevant:
        return "nothing: the documents do not answer it"
    names = list(question.relevant)
    found = "; ".join(
        f"{name}: {_shortened(corpus[name])}" if name in corpus else name for name in names[:MOST_EXPECTED]
    )
    more = f", and {len(names) - MOST_EXPECTED} more" if len(names) > MOST_EXPECTED else ""
    page = f", page {question.page}" if question.page is not None else ""
    quote = f": {_shortened(question.quote)}" if question.quote else ""
    return f"{found}{more}{page}{quote}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_QUOTED else f"{line[:MOST_QUOTED].rsplit(' ', 1)[0]} …"


def _joined(question: EvaluationQuestion, hits: Sequence[tuple[str, SearchHit]]) -> list[str]:
    """Joins consecutive retrieved chunks, because a quote may cross their boundary."""
    chunks = sorted(
        (hit.chunk for document, hit in hits if document in question.relevant),
        key=lambda chunk: (chunk.version_id, chunk.position),
    )
    texts: list[str] = []
    version, position, end = "", -1, 0
    for chunk in chunks:
        if texts and chunk.version_id == version and chunk.position == position + 1:
            texts[-1] += chunk.text[end - chunk.start :] if chunk.start < end else f" {chunk.text}"
        else:
            texts.append(chunk.text)
        version, position, end = chunk.version_id, chunk.position, max(chunk.end, chunk.start)
    return texts
