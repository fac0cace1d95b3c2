"""From the values of rows to cells: numbers as numbers, levels as their places in a vocabulary.

Values are read as the data contract and the row-wise features of :mod:`gristmill.features.rows` read them. What is common (a float,
a text that is a level, null) is read here directly; every other value goes through those very functions, one value at a time, so
that nothing is read differently, and nothing is accepted or refused here that is not there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.contract.schema import coerce
from gristmill.errors import DataError
from gristmill.features.rows import LARGEST, MISSING_LEVEL, date_part, levels, numbers
from gristmill.serving.compiled.cells import Cells, Floats, Places
from gristmill.serving.compiled.parts import part

NAN = float("nan")
EXACT = 2**53
"""Whole numbers up to this size are floats without a loss."""

FIRST_YEAR, LAST_YEAR = 1700, 2200
"""Years within which a date is read directly; the contract's own reading has limits not far beyond."""

REMEMBERED = 4096
"""Values of one column that were not read directly, and whose reading is kept for the next time."""

Row = Mapping[str, object]
Column = Mapping[str, Any]


@part
@dataclass(frozen=True)
class NumberSource:
    """A column that gives one number, to the place ``number`` among the numbers.

    Attributes
    ----------
    column
        Name of the column.
    number
        Place among the numbers.
    truth
        Whether the contract says that it holds truth values.
    """

    column: str
    number: int
    truth: bool


@part
@dataclass(frozen=True)
class DateSource:
    """A column of dates, of which each of ``steps`` gives a number; ``numbers`` holds their places."""

    column: str
    steps: tuple[str, ...]
    numbers: tuple[int, ...]
    iso: bool


@part
@dataclass(frozen=True)
class LevelSource:
    """A column whose levels are looked up in ``vocabulary``; ``level`` is its place among the levels.

    ``written`` says whether the contract holds its values as text, so that a text is the level that it stands for.
    """

    column: str
    level: int
    vocabulary: tuple[str, ...]
    written: bool


@part
@dataclass(frozen=True)
class UnusedSource:
    """A column that rows must have and whose values must fit the contract, but that no part of the model reads."""

    column: str


Source = NumberSource | DateSource | LevelSource | UnusedSource


@part
@dataclass(frozen=True)
class Intake:
    """What is read of a row.

    Attributes
    ----------
    sources
        The columns, in the order in which rows need them.
    n_numbers, n_levels
        How many numbers and levels they give.
    """

    sources: tuple[Source, ...]
    n_numbers: int
    n_levels: int

    def reader(self, contract: Mapping[str, Any]) -> "Reader":
        """Return what reads rows under a data contract."""
        return Reader(self, contract)


class Reader:
    """Reads rows, from JSON or from a frame, under one data contract.

    Parameters
    ----------
    intake
        What is read.
    contract
        The data contract of the model.
    """

    def __init__(self, intake: Intake, contract: Mapping[str, Any]) -> None:
        self.intake = intake
        self._columns: dict[str, Column] = {column["name"]: column for column in contract["columns"]}
        self._numbers = [(s.column, s.number, self._read_number(s)) for s in intake.sources if isinstance(s, NumberSource)]
        self._levels = [(s.column, s.level, self._read_level(s)) for s in intake.sources if isinstance(s, LevelSource)]
        self._dates = [(s.column, s.numbers, self._read_date(s)) for s in intake.sources if isinstance(s, DateSource)]
        self._unused = [(s.column, self._read_unused(s)) for s in intake.sources if isinstance(s, UnusedSource)]
        self._places = {
            s.column: {name: place for place, name in enumerate(s.vocabulary)} for s in intake.sources if isinstance(s, LevelSource)
        }

    def rows(self, rows: Sequence[Row]) -> Cells:
        """Return the cells of rows as they stand in JSON, each row read by itself.

        Raises
        ------
        DataError
            A row lacks a column, or holds a value that its type cannot hold.
        """
        found = [[NAN] * self.intake.n_numbers for _ in rows]
        codes = [[0] * self.intake.n_levels for _ in rows]
        for place, row in enumerate(rows):
            try:
                self._read(row, found[place], codes[place])
            except (KeyError, DataError) as error:
                raise self._refusal(rows, place, error) from error
        shape = len(rows), self.intake.n_numbers
        return Cells(
            np.array(found, dtype=np.float64).reshape(shape),
            np.array(codes, dtype=np.intp).reshape(len(rows), self.intake.n_levels),
        )

    def _read(self, row: Row, found: list[float], codes: list[int]) -> None:
        """Read one row into its numbers and codes."""
        for column, number, read in self._numbers:
            found[number] = read(row[column])
        for column, level, place in self._levels:
            codes[level] = place(row[column])
        for column, places, parts in self._dates:
            for number, value in zip(places, parts(row[column]), strict=True):
                found[number] = value
        for column, look in self._unused:
            look(row[column])

    def _refusal(self, rows: Sequence[Row], place: int, error: Exception) -> Exception:
        """Return the error of the row at ``place``, in the words of the pipeline's way."""
        absent = [source.column for source in self.intake.sources if source.column not in rows[place]]
        if absent:
            return DataError(f"The column {absent[0]!r} is missing. Send it, or null where its value is not known.")
        for source in self.intake.sources:
            column = [None] * place + [rows[place][source.column]]
            try:
                self._contracted(pd.Series(column, dtype=object if place else None, name=source.column))
            except DataError as wrong:
                return wrong
        return error

    def _contracted(self, values: pd.Series) -> pd.Series:
        """Return the values of a column in their contracted type."""
        frame = values.to_frame()
        return coerce(frame, {"columns": [self._columns[str(values.name)]]})[values.name]

    def _one(self, column: str, value: object) -> pd.Series:
        """Return one value of a column in its contracted type."""
        return self._contracted(pd.Series([value], name=column))

    def _remembered(self, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return ``read`` with a memory for values that can be remembered; 1, 1.0 and true are told apart."""
        kept = lru_cache(maxsize=REMEMBERED, typed=True)(read)

        def remembered(value: Any) -> Any:
            return kept(value) if isinstance(value, str | int | float) else read(value)

        return remembered

    def _read_number(self, source: NumberSource) -> Callable[[Any], float]:
        """Return what reads one number, or one truth value."""
        rest = self._remembered(lambda value: float(numbers(self._one(source.column, value))[0]))
        if source.truth:

            def truth(value: Any) -> float:
                return 1.0 if value is True else 0.0 if value is False else NAN if value is None else rest(value)

            return truth

        def number(value: Any) -> float:
            kind = type(value)
            if kind is float and -LARGEST <= value <= LARGEST:
                return float(value)
            if kind is int and -EXACT <= value <= EXACT:
                return float(value)
            return NAN if value is None else rest(value)

        return number

    def _read_level(self, source: LevelSource) -> Callable[[Any], int]:
        """Return what finds the place of one level."""
        places = {name: place for place, name in enumerate(source.vocabulary)}
        unknown, missing = len(places), places.get(MISSING_LEVEL, len(places))
        rest = self._remembered(lambda value: places.get(str(levels(self._one(source.column, value))[0]), unknown))
        if not source.written:
            return rest

        def level(value: Any) -> int:
            kind = type(value)
            if kind is str:
                return places.get(value, unknown)
            if kind is int and -EXACT <= value <= EXACT:
                return places.get(str(value), unknown)
            return missing if value is None else rest(value)

        return level

    def _read_date(self, source: DateSource) -> Callable[[Any], tuple[float, ...]]:
        """Return what reads the parts of one date."""
        gap = (NAN,) * len(source.steps)

        def parts(value: object) -> tuple[float, ...]:
            one = self._one(source.column, value)
            return tuple(float(date_part(step, one)[0]) for step in source.steps)

        rest = self._remembered(parts)

        def moment(value: Any) -> tuple[float, ...]:
            if value is None:
                return gap
            found = _iso(value) if source.iso and type(value) is str else None
            return rest(value) if found is None else tuple(_PARTS[step](found) for step in source.steps)

        return moment

    def _read_unused(self, source: UnusedSource) -> Callable[[Any], object]:
        """Return what looks whether a value fits the contract."""
        kind = self._columns[source.column]["kind"]
        look = self._remembered(lambda value: self._one(source.column, value) is not None)
        direct = {"numeric": (float, int), "boolean": (bool,), "categorical": (str, int), "text": (str, int)}.get(kind, ())
        return lambda value: None if value is None or type(value) in direct else look(value)

    def frame(self, frame: pd.DataFrame) -> Cells:
        """Return the cells of a frame that has every column once, column by column.

        Raises
        ------
        DataError
            A column holds a value that its type cannot hold.
        """
        found: Floats = np.empty((len(frame), self.intake.n_numbers))
        codes: Places = np.empty((len(frame), self.intake.n_levels), dtype=np.intp)
        for source in self.intake.sources:
            values = frame[source.column]
            if isinstance(source, LevelSource):
                codes[:, source.level] = self._codes(source, values)
            elif isinstance(source, NumberSource):
                found[:, source.number] = self._floats(source, values)
            else:
                made = self._contracted(values)
                if isinstance(source, DateSource):
                    for step, number in zip(source.steps, source.numbers, strict=True):
                        found[:, number] = date_part(step, made)
        return Cells(found, codes)

    def _floats(self, source: NumberSource, values: pd.Series) -> Floats:
        """Return a column of numbers; infinite ones are missing."""
        if not source.truth and isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiu":
            made = values.to_numpy(dtype=np.float64, copy=True)
            made[~np.isfinite(made)] = NAN
            return np.clip(made, -LARGEST, LARGEST, out=made)
        return numbers(self._contracted(values))

    def _codes(self, source: LevelSource, values: pd.Series) -> Places:
        """Return the place of every level of a column; each different one is looked up once."""
        places, unknown = self._places[source.column], len(source.vocabulary)
        codes: Any
        names: Any
        codes, names = (values.cat.codes.to_numpy(), values.cat.categories) if _is_text_category(values) else pd.factorize(values)
        if source.written and all(type(name) is str for name in names):
            found = [places.get(name, unknown) for name in names]
        else:
            codes, names = pd.factorize(levels(self._contracted(values)))
            found = [places.get(str(name), unknown) for name in names]
        table = np.array([*found, places.get(MISSING_LEVEL, unknown)], dtype=np.intp)  # -1, what is missing, is the last
        return np.asarray(table[codes], dtype=np.intp)


def _is_text_category(values: pd.Series) -> bool:
    """Return whether a column is stored as codes of texts."""
    return isinstance(values.dtype, pd.CategoricalDtype) and values.cat.categories.dtype == object


def _iso(text: str) -> datetime | None:
    """Return the moment that a text in one of the two commonest forms of ISO 8601 says; None for every other text."""
    plain = text.isascii() and text[4:5] == "-" and text[7:8] == "-" and text.replace("-", "").replace(":", "")[:8].isdigit()
    if not plain or len(text) not in (10, 19) or (len(text) == 19 and (text[10] not in "T " or text[13] + text[16] != "::")):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR and found.tzinfo is None else None


_EPOCH = date(1970, 1, 1).toordinal()
_PARTS: dict[str, Callable[[datetime], float]] = {
    "day number": lambda moment: float(moment.toordinal() - _EPOCH),
    "year": lambda moment: float(moment.year),
    "month": lambda moment: float(moment.month),
    "day": lambda moment: float(moment.day),
    "weekday": lambda moment: float(moment.weekday()),
    "hour": lambda moment: float(moment.hour),
}
