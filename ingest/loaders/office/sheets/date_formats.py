"""Shows dates and times as a spreadsheet program does, by the format of their cell: 4-Mar-24, 14:30, March 2024."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from locale import windows_locale

from babel import Locale, UnknownLocaleError

MIDNIGHT = dt.time()
TOKEN = re.compile(
    r'"([^"]*)"?|\\(.)|_.?|\*.?|\[(h{1,9}|m{1,9}|s{1,9})\]|\[\$[^\]-]{0,99}-?([0-9a-f]{0,8})[^\]]{0,99}\]|\[[^\]]{0,255}\]'
    r"|(am/pm|a/p|y+|m+|d+|h+|s+(?:\.0+)?)|(.)",
    re.IGNORECASE | re.DOTALL,
)
LITERALS = re.compile(r'"[^"]*"?|\\.|_.|\*.|\[(?!(?:h{1,9}|m{1,9}|s{1,9})\])[^\]]{0,255}\]', re.IGNORECASE | re.DOTALL)
# Formats of the user's country, whichever that is.
SYSTEM = re.compile(r"\[\$-(?:F800|F400|x-sys)", re.IGNORECASE)
# The time of a day, which programs write for days without one.
TIME_AFTER_DATE = re.compile(r"([yd])[^ymd]*h[^ymd]*m+[^ymd]*$", re.IGNORECASE)
ENGLISH = "en_US"
NOON = 12
SHORT, ABBREVIATED, FULL = 2, 3, 4
Moment = dt.datetime | dt.date | dt.time | dt.timedelta


def is_date_format(code: str) -> bool:
    """Returns True if a format shows a number as a date or a time."""
    signs = LITERALS.sub("", code.split(";", maxsplit=1)[0]).casefold()
    return "general" not in signs and any(sign in signs for sign in "ymdhs")


def iso(value: Moment) -> str:
    """Returns a date or time in ISO 8601, without a time of midnight and without seconds of zero."""
    match value:
        case dt.datetime():
            if value.time() == MIDNIGHT:
                return value.date().isoformat()
            return value.isoformat(" ", "seconds" if value.second else "minutes")
        case dt.date():
            return value.isoformat()
        case dt.time():
            return value.isoformat("seconds" if value.second else "minutes")
    hours, rest = divmod(int(value.total_seconds()), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


@lru_cache(maxsize=4096)
def shown_date(value: Moment, code: str) -> str:
    """Returns a date or time as its format shows it, and in ISO 8601 where that could be read as another day."""
    if not code or SYSTEM.search(code) or not is_date_format(code):
        return iso(value)
    code = code.split(";", maxsplit=1)[0]
    if isinstance(value, dt.date) and (not isinstance(value, dt.datetime) or value.time() == MIDNIGHT):
        code = TIME_AFTER_DATE.sub(r"\1", code)
    text = " ".join("".join(_shown(value, code)).split())
    if isinstance(value, dt.time | dt.timedelta) or not text:
        return text or iso(value)
    signs = LITERALS.sub("", code).casefold()
    if not re.search("[yd]|m{3}", signs):
        return text
    return with_iso(text, value.date() if isinstance(value, dt.datetime) and "h" not in signs else value)


def with_iso(text: str, value: dt.date) -> str:
    """Adds the date in ISO 8601 to one that lacks its year or the order of whose numbers is not certain."""
    year = f"{value.year:04}"
    is_certain = year in text and ("/" not in text or text.startswith(year))
    return text if is_certain else f"{text} ({iso(value)})"


def _shown(value: Moment, code: str) -> Sequence[str]:
    tokens = list(TOKEN.finditer(code))
    twelve = any((token[5] or "").casefold() in {"am/pm", "a/p"} for token in tokens)
    language = next((found for token in tokens if (found := token[4])), "")
    parts: list[str] = []
    for i, token in enumerate(tokens):
        quoted, escaped, elapsed, _, sign, other = token.groups()
        if sign:
            is_minute = sign.casefold() in {"m", "mm"} and _is_minute(tokens, i)
            parts.append(_part(value, "n" * len(sign) if is_minute else sign.casefold(), twelve, language))
        elif elapsed:
            parts.append(_elapsed(value, elapsed.casefold()))
        else:
            parts.append(quoted or escaped or other or "")
    return parts


def _is_minute(tokens: Sequence[re.Match[str]], i: int) -> bool:
    """Returns True if an m stands for minutes: after hours, or before seconds."""
    signs = [(j, (token[5] or token[3]).casefold()) for j, token in enumerate(tokens) if token[5] or token[3]]
    before = [sign for j, sign in signs if j < i]
    after = [sign for j, sign in signs if j > i]
    return bool((before and before[-1][0] == "h") or (after and after[0][0] == "s"))


def _part(value: Moment, sign: str, twelve: bool, language: str) -> str:
    match value:
        case dt.datetime():
            date, time = value.date(), value.time()
        case dt.date():
            date, time = value, MIDNIGHT
        case dt.time():
            date, time = dt.date(1900, 1, 1), value
        case _:
            moment = dt.datetime(1900, 1, 1) + dt.timedelta(seconds=value.total_seconds() % 86400)  # noqa: DTZ001
            date, time = moment.date(), moment.time()
    return _of_date(date, sign, language) if sign[0] in "ymd" else _of_time(time, sign, twelve)


def _of_date(date: dt.date, sign: str, language: str) -> str:
    if sign[0] == "y":
        return f"{date.year % 100:02}" if len(sign) <= SHORT else f"{date.year:04}"
    number = date.month if sign[0] == "m" else date.day
    if len(sign) <= SHORT:
        return f"{number:0{len(sign)}}"
    locale = _locale(language)
    width = "abbreviated" if len(sign) == ABBREVIATED else "wide"
    if sign[0] == "d":
        return str(locale.days["format"][width][date.weekday()])
    return str(locale.months["format"]["narrow" if len(sign) > FULL else width][date.month])


def _of_time(time: dt.time, sign: str, twelve: bool) -> str:
    kind, _, fraction = sign.partition(".")
    if kind[0] == "a":
        is_morning = time.hour < NOON
        return ("AM" if is_morning else "PM")[: None if len(kind) > ABBREVIATED else 1]
    hour = ((time.hour - 1) % NOON + 1) if twelve else time.hour
    number = {"h": hour, "n": time.minute, "s": time.second}[kind[0]]
    tail = f".{f'{time.microsecond:06}'[: len(fraction)]}" if fraction else ""
    return f"{number:0{min(len(kind), SHORT)}}{tail}"


def _elapsed(value: Moment, sign: str) -> str:
    match value:
        case dt.timedelta():
            seconds = int(value.total_seconds())
        case dt.time():
            seconds = value.hour * 3600 + value.minute * 60 + value.second
        case dt.datetime():
            seconds = int((value - dt.datetime(1899, 12, 30)).total_seconds())  # noqa: DTZ001 - the day 0 of Excel
        case _:
            seconds = (value - dt.date(1899, 12, 30)).days * 86400
    return f"{seconds // {'h': 3600, 'm': 60, 's': 1}[sign[0]]:0{len(sign)}}"


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    """Returns the locale of a language number of Windows, in hexadecimal digits; English if it is unknown."""
    number = int(language, 16) & 0xFFFF if language else 0
    try:
        return Locale.parse(windows_locale.get(number, ENGLISH))
    except (ValueError, UnknownLocaleError):
        return Locale.parse(ENGLISH)
