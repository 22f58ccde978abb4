"""nDCG@10 of each leg alone, of the fused scores, and of reciprocal rank fusion for comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from app.retrieval import CANDIDATES, fuse
from bench.data import ingested, read
from ingest.models import SearchHit

SETS = ("scifact", "conversations")
K = 10
RRF = 60


def run(shared: Path) -> None:
    """Prints one row a dataset."""
    print("| set | documents | questions | BM25 | dense | reciprocal rank fusion | Footnote |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in SETS:
        data = read(shared / "eval" / name)
        sums = [0.0] * 4
        with ingested(data.corpus) as (footnote, sources):
            index = footnote.index("default")
            for question, text in data.questions.items():
                keyword = index.keyword_search(text, CANDIDATES)
                vector = index.vector_search(text, CANDIDATES)
                fused = [SearchHit(i, one.score, one.chunk) for i, one in enumerate(fuse([vector, keyword]), start=1)]
                for i, hits in enumerate((keyword, vector, _reciprocal([vector, keyword]), fused)):
                    sums[i] += ndcg([sources[hit.chunk.source] for hit in hits], data.relevant[question])
        n = len(data.questions)
        scores = " | ".join(f"{total / n:.3f}" for total in sums)
        print(f"| {name} | {len(data.corpus):,} | {n} | {scores} |", flush=True)


def ndcg(found: Sequence[str], relevant: dict[str, int]) -> float:
    """nDCG@10 over documents, each counted where it first appears."""
    ranked = list(dict.fromkeys(found))[:K]
    gain = sum(relevant.get(document, 0) / math.log2(i + 2) for i, document in enumerate(ranked))
    best = sum(grade / math.log2(i + 2) for i, grade in enumerate(sorted(relevant.values(), reverse=True)[:K]))
    return gain / best


def _reciprocal(legs: Sequence[Sequence[SearchHit]]) -> list[SearchHit]:
    scores: dict[str, float] = {}
    hits = {hit.chunk.id: hit for leg in legs for hit in leg}
    for leg in legs:
        for hit in leg:
            scores[hit.chunk.id] = scores.get(hit.chunk.id, 0.0) + 1 / (RRF + hit.rank)
    return [hits[chunk] for chunk in sorted(scores, key=lambda chunk: (-scores[chunk], chunk))]
