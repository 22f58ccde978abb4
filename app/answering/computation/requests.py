"""Recognises questions for a calculation with two figures, and which words name each of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

from app.text import renamed_figures


class Operation(StrEnum):
    """A calculation with two figures."""

    DIFFERENCE = "Difference"
    CHANGE = "Change"
    GROWTH = "Growth"
    SHARE = "Share"
    SUM = "Sum"
    RATIO = "Ratio"
    AVERAGE = "Average"


@dataclass(frozen=True, slots=True)
class Request:
    """A calculation, the phrases that name its figures, and the rest of the question, which applies to both.

    A change and a growth have one phrase, for one thing at two times. `a_year_before` is True if the second time is the
    same period of the year before.
    """

    operation: Operation
    first: str
    second: str = ""
    rest: str = ""
    a_year_before: bool = False

    def by_other_names(self, known: Callable[[str], bool]) -> Iterator[Request]:
        """Yields the request with other names of the figures in its phrases: "net sales" for "revenue".

        Args:
            known: tells if a name may be that of a figure here.
        """
        for first, second in product(_renamed(self.first, known), _renamed(self.second, known)):
            if (first, second) != (self.first, self.second):
                yield replace(self, first=first, second=second)


# Words that other things have too: a department is called "Sales", and staff has a turnover.
OF_OTHER_THINGS = frozenset(("sales", "turnover", "expenses", "expense", "costs", "expenditure", "spending"))
# "The data center business": a word for the kind of thing that a name before it is.
KIND = re.compile(r"(?<=\w)\s(?:business|businesses|division)\b(?=\W*(?:(?:in|for|during)\b\W*)*$)", re.IGNORECASE)


def _renamed(phrase: str, known: Callable[[str], bool]) -> Iterator[str]:
    """Yields a phrase, the same without a word for its kind, and each with another name of a figure in it."""
    for one in dict.fromkeys((phrase, phrase if known("business") else KIND.sub(" ", phrase))):
        yield one
        for other, renamed in renamed_figures(one):
            if other.casefold() not in OF_OTHER_THINGS and known(other):
                yield renamed


ANY_CASE = re.IGNORECASE
PART = r"(?:share|percentage|percent|proportion|fraction)"
AND = re.compile(r"\s(?:and|plus|und|et|y)\s", ANY_CASE)
BE = re.compile(
    r"\s(?:is|was|were|are|did|does|do|has|have|had|comes?|came|represents?|represented|ist|war|hat|hatten?|macht|machte"
    r"|est|\u00e9tait|repr\u00e9sentent|repr\u00e9sente|repr\u00e9sentait|es|fue|representan?|represent\u00f3)\s",
    ANY_CASE,
)
CHANGED = re.compile(
    r"\s(?:been\s)?(?:changed?|differ(?:ed)?|increased?|decreased?|grow|grown|grew|rise|risen|rose|fall|fallen|fell"
    r"|drop|dropped|declined?|improved?|(?:go|gone)\s(?:up|down)|gestiegen|gesunken|gefallen|gewachsen|zugenommen"
    r"|abgenommen|ver\u00e4ndert|ge\u00e4ndert)\b(?P<percent>\s(?:in|by)\s(?:percent|%))?",
    ANY_CASE,
)
CHANGE = r"(?:change|increase|decrease|growth|decline|rise|drop)"
FRENCH = r"(?:a|ont)\s(?:augment\u00e9|diminu\u00e9|baiss\u00e9|progress\u00e9|chang\u00e9|vari\u00e9)\s"
SPANISH = (
    r"(?:aument(?:\u00f3|aron)|creci(?:\u00f3|eron)|disminuy(?:\u00f3|eron)"
    r"|cambi(?:\u00f3|aron)|subi\u00f3|baj\u00f3)\s"
)
# "The same quarter of the previous year", "year over year", and the same in other words.
YEAR_BEFORE = re.compile(
    r",?\s(?:(?:(?:as\s)?compared\s(?:to|with)|versus|vs\.?|relative\sto|over|from|than(?:\sin)?|against)\s)?(?:the\s)?"
    r"(?:same|corresponding|comparable|prior[\s-]year|year[\s-]ago)\s(?:quarter|period|three\smonths|months?)"
    r"(?:\s(?:of|in|from)\s(?:the\s)?(?:previous|prior|last|preceding)\s(?:fiscal\s)?year"
    r"|\s(?:a|one)\syear\s(?:earlier|ago|before))?\b"
    r"|\b(?:year[\s-]over[\s-]year|year[\s-]on[\s-]year|yoy)\b|\s(?:from|than)\s(?:a|one)\syear\s(?:earlier|ago|before)\b"
    r"|\sgegen\u00fcber\sdem\sVorjahr(?:esquartal|eszeitraum)?\b"
    r"|\spar\srapport\s\u00e0\sl['\u2019]ann\u00e9e\spr\u00e9c\u00e9dente\b",
    ANY_CASE,
)
# Verbs by which a part belongs to a whole; they name no row.
BELONGS = re.compile(
    r"\b(?:contributed?|represent(?:ed)?|account(?:ed)?\sfor|ma[dk]e\sup|generated?|com(?:e|es)\sfrom|came\sfrom"
    r"|consist(?:ed)?\sof)\b|(?<!\S)(?:from|due\sto|made)\b",
    ANY_CASE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """A way to ask: marks in their order, and the phrases between and after them, "a" and "b".

    If `leads`, the first phrase is before the first mark. What is before and after the phrases is the rest.
    """

    operation: Operation
    phrases: str
    marks: tuple[re.Pattern[str], ...]
    leads: bool = False

    def read(self, text: str) -> tuple[dict[str, str], str] | None:
        """Returns the phrases by name, and the rest; None if the text has another form."""
        gaps, at = [], 0
        for mark in self.marks:
            found = mark.search(text, at)
            if found is None:
                return None
            gaps.append(text[at : found.start()])
            at = found.end()
        gaps.append(text[at:])
        first = 0 if self.leads else 1
        last = first + len(self.phrases)
        named = dict(zip(self.phrases, gaps[first:last], strict=True))
        return named, " ".join(gaps[:first] + gaps[last:])


DIFFERENCE, CHANGED_BY, GROWTH, SHARE = Operation.DIFFERENCE, Operation.CHANGE, Operation.GROWTH, Operation.SHARE
# Of several forms that fit, the first is meant.
FORMS = (
    Form(SHARE, "ba", (re.compile(rf"\b(?:what|which)\s{PART}\sof\s", ANY_CASE), BE)),
    Form(SHARE, "ab", (re.compile(rf"\sas\s(?:an?|the)\s{PART}\sof\s", ANY_CASE),), leads=True),
    Form(
        SHARE,
        "ab",
        (
            re.compile(r"\b(?:what|which)\s(?:is|was|were)\s", ANY_CASE),
            re.compile(rf"['\u2019]?s?\s{PART}\sof\s", ANY_CASE),
        ),
    ),
    Form(SHARE, "ba", (re.compile(r"\bwelchen\sAnteil\s(?:am|an(?:\sde[nr])?|von)\s", ANY_CASE), BE)),
    Form(SHARE, "ba", (re.compile(r"\bquel(?:le)?\s(?:part|proportion|pourcentage)\s(?:de|du|des)\s", ANY_CASE), BE)),
    Form(SHARE, "ba", (re.compile(r"\bqu\u00e9\s(?:porcentaje|proporci\u00f3n|parte)\s(?:de|del)\s", ANY_CASE), BE)),
    Form(
        Operation.RATIO,
        "ab",
        (re.compile(r"\bratio\s(?:of|between)\s", ANY_CASE), re.compile(r"\s(?:to|and)\s", ANY_CASE)),
    ),
    Form(
        Operation.AVERAGE,
        "ab",
        (re.compile(r"\b(?:average|mean|Durchschnitt|moyenne|promedio)\s(?:of|von|de)\s", ANY_CASE), AND),
    ),
    Form(
        DIFFERENCE,
        "ab",
        (re.compile(r"\bdifference\s(?:between|in)\s|\b(?:Differenz|Unterschied)\szwischen\s", ANY_CASE), AND),
    ),
    Form(DIFFERENCE, "ab", (re.compile(r"\b(?:diff\u00e9rence|diferencia)\sentre\s", ANY_CASE), AND)),
    Form(GROWTH, "a", (re.compile(r"\bwhat\s(?:percent|percentage)\s(?:did|has|have|had)\s", ANY_CASE), CHANGED)),
    Form(GROWTH, "a", (re.compile(r"\bum\swie\s?viel\sProzent\s(?:ist|sind|hat|haben)\s", ANY_CASE), CHANGED)),
    Form(
        GROWTH,
        "a",
        (
            re.compile(
                rf"\b(?:growth\srate|percent(?:age)?\s{CHANGE}|{CHANGE}\sin\spercent)\s(?:of|in|for)\s", ANY_CASE
            ),
        ),
    ),
    Form(
        GROWTH,
        "a",
        (re.compile(rf"\bde\squel\spourcentage\s{FRENCH}|\ben\squ\u00e9\sporcentaje\s{SPANISH}", ANY_CASE),),
    ),
    Form(CHANGED_BY, "a", (re.compile(r"\bhow\smuch\s(?:did|has|have)\s", ANY_CASE), CHANGED)),
    Form(CHANGED_BY, "a", (re.compile(r"\bum\swie\s?viel\s(?:ist|sind|hat|haben)\s", ANY_CASE), CHANGED)),
    Form(CHANGED_BY, "a", (re.compile(rf"\bwhat\s(?:is|was)\sthe\s{CHANGE}\s(?:in|of)\s", ANY_CASE),)),
    Form(CHANGED_BY, "a", (re.compile(rf"\bde\scombien\s{FRENCH}|\bcu\u00e1nto\s{SPANISH}", ANY_CASE),)),
    Form(
        DIFFERENCE,
        "ab",
        (
            re.compile(
                r"\bhow\smuch\s(?:higher|lower|more|less|greater|larger|bigger|smaller|fewer)\s"
                r"(?:(?:is|was|were|are|did|does)\s)?",
                ANY_CASE,
            ),
            re.compile(r"\sthan\s", ANY_CASE),
        ),
    ),
    Form(
        Operation.SUM,
        "ab",
        (
            re.compile(
                r"\b(?:sum|total|combined\s(?:total|amount|value)|Summe|somme|suma)\s(?:of|von|aus|de|des)\s", ANY_CASE
            ),
            AND,
        ),
    ),
    Form(
        Operation.SUM,
        "ab",
        (AND, re.compile(r"\s(?:combined|(?:taken\s)?together|in\stotal|zusammen|insgesamt)\b", ANY_CASE)),
        leads=True,
    ),
    Form(Operation.SUM, "ab", (re.compile(r"\bcombined\s", ANY_CASE), AND)),
)
SPLIT = {Operation.SUM, Operation.DIFFERENCE, Operation.AVERAGE}


def read_requests(text: str) -> Iterator[Request]:
    """Yields the readings of a question as a calculation with two figures; none if it asks for no such thing.

    Names that contain "and" give several readings: "research and development and marketing".

    Args:
        text: a question in one line, whose periods are replaced by stand-ins.
    """
    plain = YEAR_BEFORE.sub(" ", text)
    for form in FORMS:
        found = form.read(plain.strip(" ?.!"))
        if found is None:
            continue
        phrases, rest = found
        first = BELONGS.sub(" ", phrases["a"]) if form.operation is SHARE else phrases["a"]
        operation = GROWTH if form.operation is CHANGED_BY and _in_percent(plain) else form.operation
        request = Request(operation, first, phrases.get("b", ""), rest, plain != text)
        yield request
        if operation in SPLIT:
            yield from _resplit(request)
        return


def _in_percent(text: str) -> bool:
    """Returns True if a question for a change wants it in percent: "How much did sales grow in percent?"."""
    return any(found["percent"] for found in CHANGED.finditer(text))


def _resplit(request: Request) -> Iterator[Request]:
    """Yields the other ways of dividing two names at one of the words for "and"."""
    for joint in AND.finditer(request.second):
        first = f"{request.first} and {request.second[: joint.start()]}"
        yield replace(request, first=first, second=request.second[joint.end() :])
