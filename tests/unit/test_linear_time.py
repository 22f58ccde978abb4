"""Tests that every regular expression takes linear time on the texts that are hardest for it.

Time is CPU time, and only its growth counts: four times the text may not take more than eight times as long.
"""

from __future__ import annotations

import re
from itertools import chain
from operator import attrgetter

import growth
import pytest
from pattern_inputs import Use, inputs, inside, uses

from app.text.language_data import LANGUAGES, language_data_of
from app.text.language_data.figure_names import _names
from app.text.tokens import WORD, WORD_WITH_COMMA
from ingest.chunking.splitting import SEPARATORS, TEXT_SEPARATORS

FOUND, FUNCTIONS = uses()
SEARCHED = attrgetter("cue", "ends", "border", "in_order")  # a language's, in the whole text
# Functions that make a pattern of what they are given, with such patterns.
GIVEN = {
    "app/text/tokens.py:_pattern": [WORD, WORD_WITH_COMMA],
    "app/text/identifiers.py:identifier_mentions": [re.compile(r"(?<!\w)a\s+1\s+a(?!\w)", re.IGNORECASE)],
    "app/text/language_data/figure_names.py:_names": [_names()[0]],
    "app/text/language_data/__init__.py:_subject": [],  # looked for at one place, as not_cue is
    "app/text/language_data/__init__.py:language_data_of": [
        one for name in LANGUAGES for one in inside(SEARCHED(language_data_of(name)))
    ],
    "app/answering/prompts.py:_defused": [re.compile(r"<(?=\s*+/?\s*+(?:passage|passage-a1)|\|)", re.IGNORECASE)],
    "app/evaluation/question_generator.py:located": [re.compile(r"a\s+a\s+b")],
    "ingest/chunking/splitting.py:_between_cuts": [
        re.compile(one) for one in chain(TEXT_SEPARATORS, *SEPARATORS.values())
    ],
}


def test_functions_that_make_patterns_are_known():
    assert set(GIVEN) == FUNCTIONS


TRIED = [(where, use) for use, where in FOUND.items()]
TRIED += [(where, Use(one, "search")) for where, patterns in GIVEN.items() for one in patterns]


@pytest.mark.slow
@pytest.mark.parametrize("use", [use for _, use in TRIED], ids=[f"{where} {use.how}" for where, use in TRIED])
def test_a_pattern_takes_linear_time(use):
    for text in inputs(use.pattern):
        found = growth.growth(use.run, lambda n, text=text: use.encoded(text.text(n)))
        assert found is None, f"{use}: {text} takes more than linear time: {found}"
