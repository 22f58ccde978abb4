"""Detects the language of a text by its most common words. Cheap; returns a language only in clear cases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from itertools import chain, repeat

from ingest.text.scripts import script_language
from ingest.text.stop_words import STOP_WORDS

ENGLISH = "english"
# Stop words, by the names of tantivy's stemmers.
COMMON_WORDS: dict[str, frozenset[str]] = {
    name: frozenset(" ".join(lines).split())
    for name, *lines in (
        (
            "german",
            "aber alle als am an auch auf aus bei bis das dass dem den der des die diese dieser dieses doch du durch",
            "ein eine einem einen einer eines er es für gibt hat habe haben hatte ich ihr ihre ihrer im in ist ja",
            "kann kein keine können man mehr mein mit muss nach nicht noch nur ob oder ohne seine seiner sein sich",
            "sie sind so soll sowie über um und uns unter viele vom von vor war warum was welche welcher welches wenn",
            "wer werden wie wieder wir wird wo worden wurde wurden zu zum zur zwischen",
        ),
        (
            "french",
            "à au aucun aussi autre aux avec ce ces cette chez combien comme comment contre dans de depuis des donc",
            "du elle elles en encore entre est et été être fait il ils j je l la le les leur leurs lors mais me même",
            "moi mon n ne nos notre nous on ont ou où par pas pendant peut plus pour pourquoi qu quand que quel quelle",
            "quelles quels qui s sa sans se ses si son sont sous sur toute tous tout très un une vos votre vous y",
        ),
        (
            "spanish",
            "a al algún como cómo con contra cual cuál cuáles cuando cuándo cuánto cuántos de del desde donde dónde",
            "durante e el él ella ellos en entre era es esa ese eso esta está están este esto estos fue ha hace han",
            "hasta hay la las le les lo los más me mi muy no nos o otra otro para pero por porque puede qué que quién",
            "se según ser si sin sobre son su sus también tiene todo todos un una uno y ya",
        ),
        (
            "italian",
            "a ad agli ai al alla alle allo anche c che chi ci come con contro cosa cui da dagli dai dal dalla dalle",
            "degli dei del della delle dello di dopo dove e è ed era essere fra gli ha hanno i il in io l la le lo",
            "loro ma nei nel nella nelle non o ogni per perché più può quale quali quando quanto questa questi questo",
            "sarà se senza si sia sono sotto su sua sue sul sulla suo suoi tra tutti un una uno",
        ),
        (
            "portuguese",
            "a ao aos as às até com como da das de depois do dos e é ela ele eles em entre era essa esse esta está",
            "este foi foram há isso isto já lhe mais mas me mesmo muito na não nas nem no nos num numa o onde os ou",
            "para pela pelas pelo pelos pode por porque qual quais quando quanto que quem são se sem ser seu seus só",
            "sob sobre sua suas também te tem têm todos um uma umas uns",
        ),
        (
            "dutch",
            "aan al alle als andere bij dan dat de der deze die dit doen door een en er geen had hebben heeft hem het",
            "hier hij hoe hoeveel hun ik in is ja je kan kunnen maar me meer men met mijn moet na naar niet nog nu of",
            "om omdat onder ons ook op over te tegen tot tussen uit van veel voor waar waarom wanneer was wat welke",
            "werd wie wij worden wordt zal ze zich zij zijn zo zonder zou",
        ),
        (
            "russian",
            "а без более бы был была были было быть в вам вас во вот все всех вы где для до его ее её если есть еще",
            "ещё же за и из или им их к как какая какие какой когда который которые кто ли между меня мне может можно",
            "мы на над не него нет ни но о об он она они от по под после почему при с свой себя сколько со так также",
            "такой там то того только тот у чего чем что чтобы это этого этой этот я",
        ),
        (
            "arabic",
            "في من على إلى الى عن مع هذا هذه ذلك تلك التي الذي الذين ما ماذا متى أين كيف كم هل هو هي هم كان كانت يكون",
            "تكون أن إن ان أو او ثم لا لم لن قد كل بعد قبل عند حتى منذ خلال بين أي لماذا أنا نحن له لها",
            "لهم به بها",
        ),
        (
            "hebrew",
            "של על את עם אל מן זה זו זאת הוא היא הם הן אני אתה אנחנו מה מי מתי איפה היכן איך כמה האם למה מדוע לא כן יש",
            "אין או גם כי אם רק כל אחרי לפני עד בין כאשר אשר לו לה להם היה הייתה יהיה איזה איזו",
        ),
    )
} | {ENGLISH: STOP_WORDS}
LANGUAGES = frozenset(COMMON_WORDS)
# The languages of each common word.
COMMON_IN = {
    word: tuple(name for name, words in COMMON_WORDS.items() if word in words)
    for word in frozenset().union(*COMMON_WORDS.values())
}
# Two letters at least, because single letters are also initials.
WORD = re.compile(r"[^\W\d_]{2,}")
# Most words and characters examined; the first lines are enough to detect the language.
MOST_WORDS, MOST_CHARACTERS = 300, 2_000
# A text must contain this many different common words of a language, as this fraction of its words, and more than for
# any other language by this factor: "die" and "in" are words of two. Of the 9,013 passages of four English evaluation
# sets, one is then detected as another language; it is Spanish.
LEAST_WORDS = 5
LEAST_SHARE = 0.12
MARGIN = 1.5
# The first of these for a question.
LEAST_ASKED = 2
# Letters and marks that distinguish a language from others with the same common words.
OWN_LETTERS = {
    "german": "äöüß",
    "french": "çœêèùûîô",
    "spanish": "ñ¿¡",
    "italian": "ìò",
    "portuguese": "ãõ",
    "russian": "ыэ",
}


def language_of(
    text: str, among: Collection[str] = LANGUAGES, *, least: int = LEAST_WORDS, margin: float = MARGIN
) -> str:
    """Detects the language of a passage; "" if it is unclear.

    Args:
        text: the passage.
        among: the candidate languages.
        least: number of different common words that a language must have in the text.
        margin: factor by which they must outnumber those of any other language; more than any other in any case.
    """
    if (script := script_language(text[:MOST_CHARACTERS])) in among:
        return script
    words = WORD.findall(text.lower())[:MOST_WORDS]
    common = Counter(chain.from_iterable(map(COMMON_IN.get, words, repeat(()))))
    counts = sorted(((common[name], name) for name in among), reverse=True)
    (most, best), next_most = counts[0], (counts[1][0] if len(counts) > 1 else 0)
    different = len(COMMON_WORDS[best].intersection(words))
    is_clear = different >= least and most >= LEAST_SHARE * len(words) and next_most < most >= margin * next_most
    return best if is_clear else ""


def asked_in(question: str, among: Collection[str]) -> str:
    """Detects the language of a question by its few words, or if those do not decide, its letters; "" if unclear."""
    told = language_of(question, among, least=LEAST_ASKED, margin=1)
    if told:
        return told
    words = set(WORD.findall(question.lower()))
    counts = {name: len(words & COMMON_WORDS[name]) for name in among}
    best = max(counts.values(), default=0)
    marked = [
        name
        for name, count in counts.items()
        if count == best and set(question.lower()) & set(OWN_LETTERS.get(name, ""))
    ]
    return marked[0] if best and len(marked) == 1 else ""
