"""Computes a difference, change, growth, share, sum, ratio or average of two cells, and shows the calculation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product

from app.answering.computation.operands import JOINING, Cell, Cells, Sought, may_be_negative, table_of, terms_of
from app.answering.computation.periods import Asked, a_year_before, read_periods, without_periods
from app.answering.computation.question_words import DECISIVE, Wording
from app.answering.computation.requests import Operation, Request, read_requests
from app.answering.quotes import Composition, escaped
from app.answering.tables import Row
from app.text import Figure, Unit, percent, rounded, with_scale, without_zeros
from ingest.text import last_day

TWO_TIMES = {Operation.CHANGE, Operation.GROWTH}
# Names of columns that state a change, and of rows and tables that state shares.
CHANGES = re.compile(r"chang|growth|increase|decrease|varia|ver\u00e4nderung|%|\u0394|yoy|y/y", re.IGNORECASE)
SHARES = re.compile(r"percent|%|share|anteil|part|porcentaje|pourcentage", re.IGNORECASE)
RATIO_PLACES = 2
# Words that name figures ("earnings per share") or that forms of questions have.
ALLOWED = frozenset(("per", "than", "other", "before", "pro", "je", "par", "por", "vor", "nach"))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two agreed figures: each has all cells that state it, and the one that is shown."""

    first: Cell
    second: Cell
    stating: tuple[Cell, ...]


def add_two_figures(
    made: Composition, question: str, rows: Sequence[Row], language: str, *, comma_expected: bool
) -> bool:
    """Appends the calculation that a question asks for; returns False if there is none, or its figures are unclear.

    A change or share that a table already states is quoted.

    Args:
        made: the answer so far.
        question: the question.
        rows: rows with figures.
        language: the language of question and rows.
        comma_expected: True if the rows' language has a decimal comma.
    """
    asked = read_periods(" ".join(question.split()))
    requests = list(read_requests(asked.text))
    if not requests:
        return False
    cells = Cells(rows, Wording(language, JOINING), comma_expected)
    if (DECISIVE - ALLOWED) & {word.plain for word in cells.wording.words(asked.text)}:
        return False
    found = _pairs(requests, asked, cells)
    found = found or _pairs([one for request in requests for one in request.by_other_names(cells.names)], asked, cells)
    results = {(pair.first.figure.value, pair.second.figure.value) for _, pair in found}
    if len(results) != 1:
        return False
    request, pair = found[0]
    result = _result(request.operation, pair)
    if result is None:
        return False
    if stated := _stated(request.operation, pair, cells):
        _add_stated(made, stated)
    else:
        _add_calculation(made, request.operation, pair, result)
    return True


def _pairs(requests: Iterable[Request], asked: Asked, cells: Cells) -> list[tuple[Request, Pair]]:
    return [(request, pair) for request in requests if (pair := _pair(request, asked, cells))]


def _pair(request: Request, asked: Asked, cells: Cells) -> Pair | None:
    """Returns the two figures of a request; None if one of them is not clear, or they do not go together."""
    found = _two_times(request, asked, cells) if _is_two_times(request, cells) else _two_names(request, asked, cells)
    if found is None or not all(found):
        return None
    first, second = _closest(*found)
    if not all(may_be_negative(cells.wording, one) for one in (first, second)) or (first.row.place, first.column) == (
        second.row.place,
        second.column,
    ):
        return None
    if request.operation is Operation.SHARE and table_of(first.row) != table_of(second.row):
        return None  # a part may be one of another whole: iPhones, and what is sold in China
    fits = first.figure.unit.agrees(second.figure.unit)
    return Pair(first, second, (*found[0], *found[1])) if fits else None


def _is_two_times(request: Request, cells: Cells) -> bool:
    return request.operation in TWO_TIMES or not terms_of(cells.wording, without_periods(request.second))


def _two_times(request: Request, asked: Asked, cells: Cells) -> tuple[list[Cell], list[Cell]] | None:
    """Finds the figures of one thing at two times; the later one first, unless the question gives an order."""
    terms = terms_of(cells.wording, *(without_periods(one) for one in (request.first, request.second, request.rest)))
    sought = Sought(terms, months=asked.months)
    periods = list(dict.fromkeys(asked.periods))
    if not terms:
        return None
    if len(periods) == 1 and request.a_year_before:
        later = cells.find(replace(sought, period=periods[0]))
        before = {cell.row.place: a_year_before(cell.row, cell.column) for cell in later}
        earlier = cells.find(sought, lambda row: before.get(row.place, ()))
        return later, earlier
    if len(periods) != 2 or request.a_year_before:  # noqa: PLR2004 - two times
        return None
    if request.operation in TWO_TIMES:
        periods.sort(key=last_day, reverse=True)
    elif request.operation not in (Operation.DIFFERENCE, Operation.SUM, Operation.AVERAGE, Operation.RATIO):
        return None
    one, other = (cells.find(replace(sought, period=period)) for period in periods)
    return one, other


def _two_names(request: Request, asked: Asked, cells: Cells) -> tuple[list[Cell], list[Cell]] | None:
    """Finds the figures of two things."""
    rest = without_periods(request.rest)
    names = [terms_of(cells.wording, without_periods(phrase)) for phrase in (request.first, request.second)]
    places = [asked.in_phrase(phrase) for phrase in (request.first, request.second, request.rest)]
    if request.a_year_before or not all(names) or any(len(set(one)) > 1 for one in places):
        return None
    shared = terms_of(cells.wording, rest)
    found: list[list[Cell]] = []
    for mine, other in ((0, 1), (1, 0)):
        period = next((one[0] for one in (places[mine], places[2], places[other]) if one), "")
        sought = Sought(names[mine] | shared, names[other], period, asked.months)
        is_whole = found and request.operation is Operation.SHARE
        found.append(cells.find_whole(sought, found[0]) if is_whole else cells.find(sought))
    return found[0], found[1]


def _closest(first: Sequence[Cell], second: Sequence[Cell]) -> tuple[Cell, Cell]:
    """Returns the two cells to show: of the same row if there are such, or else of the same table."""
    pairs = list(product(first, second))
    same_row = (pair for pair in pairs if pair[0].row.place == pair[1].row.place)
    same_table = (pair for pair in pairs if table_of(pair[0].row) == table_of(pair[1].row))
    return next(same_row, None) or next(same_table, None) or pairs[0]


def _result(operation: Operation, pair: Pair) -> Figure | None:
    """Returns the result; None if it would be meaningless, as growth from a loss is."""
    first, second = pair.first.figure, pair.second.figure
    one, other = first.value, second.value
    unit = replace(first.unit, sign=first.unit.sign or second.unit.sign)
    exact = replace(first, unit=unit)
    if operation in (Operation.DIFFERENCE, Operation.CHANGE):
        points = Unit(after="percentage points")
        return replace(exact, value=one - other, unit=points if unit.is_percent else unit)
    if unit.is_percent:
        return None
    if operation is Operation.SUM:
        return exact.with_value(one + other)
    if operation is Operation.AVERAGE:
        return exact.with_value(without_zeros((one + other) / 2, max(first.places, second.places)))
    return _quotient(operation, first, second)


def _quotient(operation: Operation, first: Figure, second: Figure) -> Figure | None:
    """Returns a growth, ratio or share; None for negative figures, a divisor of zero, and a part above its whole."""
    one, other = first.value, second.value
    if one < 0 or other <= 0:
        return None
    if operation is Operation.GROWTH:
        return percent((one - other) / other, first.mark)
    if operation is Operation.RATIO:
        return Figure(rounded(one / other, RATIO_PLACES), mark=first.mark)
    return percent(one / other, first.mark) if one <= other else None


def _stated(operation: Operation, pair: Pair, cells: Cells) -> Cell | None:
    """Returns the cell that states the result, rounded as it may be; None if no table does."""
    first, second = pair.first.figure.value, pair.second.figure.value
    if operation in TWO_TIMES:
        rows = {cell.row.place: cell.row for cell in pair.stating}.values()
        near = [cell for row in rows for cell in cells.of(row) if CHANGES.search(row.row.header[cell.column])]
        wanted = first - second if operation is Operation.CHANGE else (first - second) / second * 100
    elif operation is Operation.SHARE:
        near = list(_shares(pair.first, cells))
        wanted = first / second * 100
    else:
        return None
    near = [cell for cell in near if cell.figure.unit.is_percent == (operation is not Operation.CHANGE)]
    return next((cell for cell in near if _rounds_to(cell.figure, wanted)), None)


def _shares(part: Cell, cells: Cells) -> Iterator[Cell]:
    """Yields the cells of shares in the same document whose row and column have the names of a part's."""
    for row in cells.rows:
        same = row.label == part.row.label and row.passage.version_id == part.row.passage.version_id
        if same and SHARES.search(f"{row.row.group} {row.row.caption}"):
            yield from (
                one for one in cells.of(row) if one.row.row.header[one.column] == part.row.row.header[part.column]
            )


def _rounds_to(figure: Figure, value: Decimal) -> bool:
    return abs(figure.value - value) < Decimal(1).scaleb(-figure.places)


def _add_stated(made: Composition, cell: Cell) -> None:
    """Appends the figure as its table states it."""
    note = made.cite(cell.row.passage, cell.row.row.start, cell.row.row.end)
    lead, figure = escaped(f"{cell.described}: "), escaped(with_scale(cell.row.row, cell.column))
    made.add(f"{lead}{figure} [{note}]", f"{lead}{figure}", [note], spans=[(len(lead), len(lead) + len(figure))])


def _add_calculation(made: Composition, operation: Operation, pair: Pair, result: Figure) -> None:
    """Appends "Difference, computed: $5 million (A, 2023) [1] \u2212 $3 million (B, 2023) [2] = $2 million"."""
    same = pair.first.described == pair.second.described
    notes, shown, said = [], [], []
    for cell in (pair.first, pair.second):
        note = made.cite(cell.row.passage, cell.row.row.start, cell.row.row.end)
        name = f"{cell.described}, {cell.row.passage.name}" if same else cell.described
        unit = replace(cell.figure.unit, sign=cell.figure.unit.sign or result.unit.sign)
        words = escaped(f"{replace(cell.figure, unit=unit)} ({name})")
        notes.append(note)
        shown.append(f"{words} [{note}]")
        said.append(words)
    lead = f"{operation}, computed: "
    divisor = f"{pair.second.figure}"
    text, words = (f"{lead}{_formula(operation, parts[0], parts[1], divisor)} = " for parts in (shown, said))
    made.add(f"{text}{result}", f"{words}{result}", notes, spans=[(len(text), len(text) + len(str(result)))])


def _formula(operation: Operation, one: str, other: str, divisor: str) -> str:
    if operation in (Operation.DIFFERENCE, Operation.CHANGE):
        return f"{one} \u2212 {other}"
    if operation is Operation.SUM:
        return f"{one} + {other}"
    if operation is Operation.AVERAGE:
        return f"({one} + {other}) \u00f7 2"
    if operation is Operation.GROWTH:
        return f"({one} \u2212 {other}) \u00f7 {divisor}"
    return f"{one} \u00f7 {other}"
