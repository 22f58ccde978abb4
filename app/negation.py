"""Which words of a text are denied, and pairs of words that say the opposite. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app import terms
from app.facts import Word

CUE = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|without|cannot|hardly|lacks?|lacked|lacking|"
    r"fail(?:s|ed)? to|refus(?:es|ed) to|unable to|instead of|rather than|prevent(?:s|ed)? \w+ from)\b|"
    r"\b\w+n['\u2019]t\b|\bn['\u2019]t\b",
    re.IGNORECASE,
)
# Where these follow, nothing is denied: "not only …", "no. 4", "no longer than".
NO_CUE = re.compile(r"\s+(?:only|just|merely|necessarily)\b|\.\s*\d", re.IGNORECASE)
ENDS = re.compile(r"[.;:!?()]|,(?!\s*\w+ly\b)|\b(?:but|although|though|however|because|while|whereas)\b", re.IGNORECASE)
DENIES = frozenset({"not", "never", "no", "n't", "none", "neither", "nor", "without", "cannot"})
# How many words that carry meaning a cue denies.
REACH = 3
# Sides of words that say the opposite of each other. Written by hand; `opposite` knows those by prefix as well.
OPPOSITES = tuple(
    tuple(frozenset(form for word in side.split() for form in (word, terms.stem(word))) for side in pair.split("|"))
    for pair in (
        "increase increased rise rose grow grew up higher | decrease decreased fall fell drop dropped down lower",
        "gain gained grow grew increase | decline declined shrink shrank lose lost reduce reduced",
        "expand widen strengthen improve improved | shrink narrow weaken worsen worsened",
        "more greater larger bigger longer | fewer less smaller shorter",
        "most largest biggest longest highest maximum | least smallest shortest lowest minimum fewest",
        "many much most majority | few little minority",
        "high tall upper higher | low short lower",
        "before earlier prior early preceding | after later following late",
        "earliest oldest older old ancient | latest newest younger young new modern",
        "first initial | last final",
        "above over | below under beneath",
        "always often frequent common usual | never seldom rare rarely unusual",
        "all every | none",
        "inside internal inner interior indoor | outside external outer exterior outdoor",
        "allow allowed permit permitted legal | forbid forbidden prohibit prohibited ban banned illegal",
        "true right correct | false wrong incorrect",
        "right | left",
        "north northern northward | south southern southward",
        "east eastern eastward | west western westward",
        "open opened | close closed shut",
        "begin began begun start started | end ended stop stopped finish finished cease ceased",
        "accept accepted approve approved | reject rejected refuse refused deny denied",
        "support supported | oppose opposed",
        "include included | exclude excluded",
        "win won succeed success | lose lost fail failed failure",
        "male men man boy father son brother husband king | female women woman girl mother daughter sister wife queen",
        "positive | negative",
        "import imported | export exported",
        "buy bought | sell sold",
        "arrive arrived enter entered join joined | depart departed leave left quit",
        "create created build built | destroy destroyed demolish demolished",
        "attack attacked | defend defended",
        "born birth | died death",
        "public | private",
        "major | minor",
        "strong powerful | weak",
        "hot warm | cold cool",
        "wet | dry",
        "heavy dark | light",
        "fast quick rapid | slow",
        "rich wealthy | poor",
        "urban | rural",
        "domestic native | foreign",
        "natural | artificial",
        "temporary | permanent",
        "wide broad | narrow",
        "deep | shallow",
        "good better best | bad worse worst",
        "easy simple | difficult hard complex",
        "cheap | expensive",
        "safe | dangerous unsafe",
        "full | empty",
        "near close | far distant",
        "add added | remove removed subtract subtracted",
        "encourage encouraged promote | discourage discouraged prevent",
        "win profit surplus | loss deficit",
    )
)
# The same by word: it is asked of every two words of a claim and its source.
OPPOSITE_OF: dict[str, frozenset[str]] = {}
for _one, _other in (sides for pair in OPPOSITES for sides in (pair, pair[::-1])):
    OPPOSITE_OF |= {word: OPPOSITE_OF.get(word, frozenset()) | _other for word in _one}
PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "mis")
# Words that only look as if they had one: without it they say something else, not the opposite.
NOT_PREFIXED = frozenset(
    terms.stem(prefix + rest)
    for prefix, words in (
        ("in", "crease fluence form habit jury land sight struct tend tense valuable vest volve"),
        ("im", "part port press"),
        ("dis", "count ease play pose tress tribute trict"),
    )
    for rest in words.split()
)
# Letters of a stem that remain, so that what stands before it is a prefix: no "in" of "ink".
LEAST_STEM = 4


def denials(text: str, words: Sequence[Word]) -> tuple[tuple[str, ...], ...]:
    """For each word that denies, the terms within its reach: of "it does not open on Mondays" open and monday."""
    found = []
    for cue in CUE.finditer(text):
        if NO_CUE.match(text, cue.end()):
            continue
        stop = ENDS.search(text, cue.end())
        limit = stop.start() if stop else len(text)
        after = [word.term for word in words if word.says and cue.end() <= word.start < limit]
        found.append(tuple(after[:REACH]))
    return tuple(found)


def opposite(one: str, other: str) -> bool:
    """Whether two stems say the opposite of each other."""
    longer, shorter = sorted((one, other), key=len, reverse=True)
    prefixed = len(shorter) >= LEAST_STEM and longer in {f"{prefix}{shorter}" for prefix in PREFIXES}
    if prefixed and longer not in NOT_PREFIXED:
        return True
    return other in OPPOSITE_OF.get(one, ())
