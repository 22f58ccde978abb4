"""Segments scripts without spaces, and stems Arabic and Hebrew lightly. Pure.

Thai, Lao, Khmer and Burmese write letters without spaces between words, Chinese and Japanese write characters. Pieces
of a fixed length replace words: two characters of Chinese and Japanese, as is usual in search engines, and three
letters of the others. Question words ("what", "how many") are removed first, so that no piece spans them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

# Scripts without spaces between words: letters of South-East Asia, characters of East Asia. For use in a class of re.
LETTERS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
CHARACTERS = (
    "\u3005-\u3007\u3031-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
SPACELESS = LETTERS + CHARACTERS
# Korean has spaces, but its words end in particles.
HANGUL = "\uac00-\ud7a3"
SPACELESS_RUN = re.compile(f"[{LETTERS}]+|[{HANGUL}{CHARACTERS}]+")
SPACELESS_LETTER = re.compile(f"[{LETTERS}]")
PIECE_LETTERS, PIECE_CHARACTERS = 3, 2
# Function and question words of Thai, Chinese and Japanese.
ASKING_THAI = "กี่|ใคร|เป็น|อะไร|เท่าไหร่|เท่าไร|ที่ไหน|เมื่อไหร่|เมื่อไร|อย่างไร|ทำไม|หรือไม่|ไหม|คือ|และ|ของ|ที่|ได้|ให้|โดย|จะ|มี"
ASKING_CHINESE = (
    "什么|多少|多久|哪里|哪个|哪些|怎么|怎样|如何|为什么|是否|谁|几|吗|呢|的"
    "|是|了|在|和|与|有|用|请问|請問|什麼|哪裡|為什麼|嗎"
)
ASKING_JAPANESE = (
    "いつ|どこ|だれ|誰|どの|どんな|どれ|いくら|いくつ|なぜ|ですか|ますか"
    "|です|ます|とは|から|まで|より|[のはがをにでともへか]"
)
ASKING_KOREAN = "얼마|며칠|언제|어디|누구|무엇|어떻게|어느|몇"
ASKING = re.compile(f"{ASKING_THAI}|{ASKING_CHINESE}|{ASKING_JAPANESE}|{ASKING_KOREAN}")
# Endings of Korean words.
PARTICLE = re.compile(
    "(?<=[\uac00-\ud7a3])(?:에서|으로|입니까|습니까|습니다|입니다|인가요|나요|이다|은|는|이|가|을|를|의|에|로|와|과|도)$"
)
ARABIC, HEBREW = "arabic", "hebrew"
LANGUAGE_OF_SCRIPT = {
    ARABIC: re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"),
    HEBREW: re.compile("[\u05d0-\u05ea\ufb1d-\ufb4f]"),
}
# Vowel signs and elongation of Arabic; points of Hebrew; letters with two spellings.
MARKS = re.compile("[\u064b-\u065f\u0670\u0640\u0591-\u05c7]")
SAME = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه"})
# The "light10" stems of Larkey, Ballesteros and Connell (2002), which performed best in Arabic retrieval.
ARTICLES = ("وال", "بال", "كال", "فال", "ال", "لل")
SUFFIXES = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي")
LEAST_STEM = 2
# Prefixed Hebrew words: and, the, in, to, from, that, as. Words that begin with one of these letters lose it as well.
PREFIX = re.compile("^[והבלמשכ]+(?=[\u05d0-\u05ea]{3})")
PLURAL = re.compile("(?<=[\u05d0-\u05ea]{2})(?:ים|ות|י|ה)$")
# A text is in a script if more than this fraction of its letters is.
MOST_OF = 0.5


def script_language(text: str) -> str:
    """Returns "arabic" or "hebrew" if a text is written in that script, or "" for any other."""
    if text.isascii():
        return ""
    letters = sum(map(str.isalpha, text))
    for language, script in LANGUAGE_OF_SCRIPT.items():
        if letters and len(script.findall(text)) > MOST_OF * letters:
            return language
    return ""


def word_pieces(text: str) -> Iterator[str]:
    """Yields the pieces that replace words, for each run of a script without spaces."""
    if text.isascii():
        return
    for run in SPACELESS_RUN.finditer(text):
        length = PIECE_LETTERS if SPACELESS_LETTER.match(run[0]) else PIECE_CHARACTERS
        for part in ASKING.split(PARTICLE.sub("", run[0])):
            yield from (part[at : at + length] for at in range(max(1, len(part) - length + 1)) if part)


@lru_cache(maxsize=50_000)
def light_stem(word: str, language: str) -> str:
    """Returns an Arabic or Hebrew word in normalised spelling, without article, prefixed words and common endings."""
    word = MARKS.sub("", word)
    return _arabic(word.translate(SAME)) if language == ARABIC else _hebrew(word)


def _arabic(word: str) -> str:
    if word.startswith("و") and len(word) > LEAST_STEM + 1 and not word.startswith("وال"):
        word = word[1:]
    for article in ARTICLES:
        if word.startswith(article) and len(word) >= len(article) + LEAST_STEM:
            word = word[len(article) :]
            break
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) >= len(suffix) + LEAST_STEM:
            word = word[: -len(suffix)]
    return word


def _hebrew(word: str) -> str:
    return PLURAL.sub("", PREFIX.sub("", word))
