"""Reads cells as exact decimal numbers with their unit, and writes results in the same form. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from app.text.tables.cell_scales import cell_scale
from app.text.tables.rows import TableRow

SIGNS = "$\u20ac\u00a3\u00a5"
MINUS = "\u2212"
# "$(1,234)", "(8)%", "-3", "€ 119.00", "1.234,50 €", "12 km": at most one sign, one number and one unit.
CELL = re.compile(
    rf"(?P<open>\(?)(?P<minus>[-\u2212\u2013]?)(?P<sign>[{SIGNS}]?)\s?(?P<inner>[-\u2212\u2013(]?)"
    rf"(?P<number>\d(?:[\d.,'\u2019\u00a0\u202f]|\s(?=\d{{3}}(?!\d)))*+)\s?(?P<close>\)?)\s?"
    rf"(?P<unit>[%\u2030{SIGNS}]|[^\W\d_][\w/\u00b2\u00b3]{{0,11}})?(?P<last>\)?)"
)
SPACES = re.compile(r"[\s'\u2019\u00a0\u202f]")
# Groups of three digits with one kind of mark: alone, such a number has two readings.
GROUPS = re.compile(r"\d{1,3}(?P<mark>[.,])\d{3}(?:(?P=mark)\d{3})*")
POINT, COMMA = ".", ","
# Whole numbers by the decimal mark that may follow them.
WHOLE = {POINT: re.compile(r"\d+|\d{1,3}(?:,\d{3})+"), COMMA: re.compile(r"\d+|\d{1,3}(?:\.\d{3})+")}
PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Unit:
    """A currency sign, the name of a scale ("million"), and a unit after the number; each may be ""."""

    sign: str = ""
    scale: str = ""
    after: str = ""

    @property
    def is_percent(self) -> bool:
        """True for shares."""
        return self.after == PERCENT

    def agrees(self, other: Unit) -> bool:
        """Returns True if figures of both units can be added; a missing currency sign agrees with any."""
        same = (self.scale, self.after) == (other.scale, other.after)
        return same and len({self.sign, other.sign} - {""}) <= 1


@dataclass(frozen=True, slots=True)
class Figure:
    """An exact number with its unit, and the mark between whole and fraction in its table."""

    value: Decimal
    unit: Unit = Unit()
    mark: str = POINT

    @property
    def places(self) -> int:
        """Digits after the decimal mark."""
        return max(0, -int(self.value.as_tuple().exponent))

    def with_value(self, value: Decimal) -> Figure:
        """Returns another figure of the same unit."""
        return replace(self, value=value)

    def __str__(self) -> str:
        """Writes the figure: "\u2212$6,791 million"."""
        unit = self.unit
        number = f"{abs(self.value):,f}"
        if self.mark == COMMA:
            number = number.translate(str.maketrans(",.", ".,"))
        joined = "" if unit.after in ("", "%", "\u2030") else " "
        after = f" {unit.scale}" if unit.scale else f"{joined}{unit.after}"
        return f"{MINUS if self.value < 0 else ''}{unit.sign}{number}{after}"


def decimal_mark(cells: Iterable[str], *, comma_expected: bool) -> str | None:
    """Returns the decimal mark of a table's figures; None if they contradict each other or could be read in two ways.

    Args:
        cells: the cells of the table.
        comma_expected: True if the table's language has a decimal comma.
    """
    sure: set[str] = set()
    unsure: set[str] = set()
    for cell in cells:
        found = CELL.fullmatch(cell)
        number = SPACES.sub("", found["number"]) if found else ""
        dots, commas = number.count("."), number.count(",")
        if dots and commas:
            sure.add(POINT if number.rindex(".") > number.rindex(",") else COMMA)
        elif dots or commas:
            mark, other = (POINT, COMMA) if dots else (COMMA, POINT)
            grouped = GROUPS.fullmatch(number)
            if dots + commas == 1:
                (unsure if grouped else sure).add(mark)
            elif grouped:  # else it is no number, but a date or a version
                sure.add(other)
    if sure or not unsure:
        return (sure or {POINT}).pop() if len(sure) < 2 else None  # noqa: PLR2004 - both marks
    return POINT if not comma_expected and unsure == {COMMA} else None


def read_figure(cell: str, mark: str) -> Figure | None:
    """Returns the figure that is a whole cell; None for anything else.

    Args:
        cell: a cell of a table.
        mark: the decimal mark of the table.
    """
    found = CELL.fullmatch(cell)
    if found is None or ((found["unit"] or "") in SIGNS and found["unit"] and found["sign"]):
        return None
    bracketed = bool(found["open"] or found["inner"] == "(")
    if bracketed != bool(found["close"] or found["last"]):
        return None
    number = SPACES.sub("", found["number"])
    whole, _, fraction = number.partition(mark)
    group = POINT if mark == COMMA else COMMA
    if not WHOLE[mark].fullmatch(whole) or (fraction and not fraction.isdecimal()):
        return None
    value = Decimal(f"{whole.replace(group, '')}.{fraction}" if fraction else whole.replace(group, ""))
    is_negative = bracketed or found["minus"] or found["inner"]
    after = found["unit"] or ""
    sign = found["sign"] or (after if after in SIGNS else "")
    return Figure(-value if is_negative else value, Unit(sign, "", "" if after in SIGNS else after), mark)


def figure_at(row: TableRow, column: int, mark: str) -> Figure | None:
    """Returns the figure of a row's cell with the scale and the currency that its table states."""
    figure = read_figure(row.cells[column], mark)
    if figure is None:
        return None
    scale = cell_scale(row, column)
    if scale is None:
        return figure
    return replace(figure, unit=Unit(figure.unit.sign or scale.currency, scale.name, figure.unit.after))


def rounded(value: Decimal, places: int) -> Decimal:
    """Rounds to a number of places, halves away from zero."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def without_zeros(value: Decimal, places: int) -> Decimal:
    """Rounds an average to at least `places` digits after the decimal mark, and to two more if they are not zero."""
    exact = rounded(value, places + 2)
    return next(short for n in range(places, places + 3) if (short := rounded(exact, n)) == exact)


def percent(value: Decimal, mark: str = POINT) -> Figure:
    """Returns a share of 1 in percent with one decimal."""
    return Figure(rounded(value * 100, 1), Unit(after=PERCENT), mark)
