"""From rows as they stand in JSON to cells, each row by itself.

What is common (a float, a text that is a level, null) is read here directly; every other value goes through the functions that the
pipeline reads with, one value at a time: nothing is read differently, and nothing is accepted or refused here that is not there.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from gristmill.errors import DataError
from gristmill.features.rows import LARGEST, MISSING_LEVEL, date_part, levels, numbers
from gristmill.serving.compiled.cells import Cells
from gristmill.serving.compiled.contracted import Contracted
from gristmill.serving.compiled.moments import PARTS, moment_of
from gristmill.serving.compiled.sources import DateSource, LevelSource, NumberSource, Row, Source, UnusedSource

NAN = float("nan")
EXACT = 2**53
"""Whole numbers up to this size are floats without a loss."""

REMEMBERED = 4096
"""Values of one column that were not read directly, and whose reading is kept for the next time."""


class RowReader:
    """Reads rows from JSON.

    Parameters
    ----------
    sources
        What is read.
    n_numbers, n_levels
        How many numbers and levels that gives.
    contracted
        Reads what is not common.
    """

    def __init__(self, sources: Sequence[Source], n_numbers: int, n_levels: int, contracted: Contracted) -> None:
        self._sources, self._n_numbers, self._n_levels, self._contracted = sources, n_numbers, n_levels, contracted
        self._numbers = [(s.column, s.number, self._read_number(s)) for s in sources if isinstance(s, NumberSource)]
        self._levels = [(s.column, s.level, self._read_level(s)) for s in sources if isinstance(s, LevelSource)]
        self._dates = [(s.column, s.numbers, self._read_date(s)) for s in sources if isinstance(s, DateSource)]
        self._unused = [(s.column, self._read_unused(s)) for s in sources if isinstance(s, UnusedSource)]

    def rows(self, rows: Sequence[Row]) -> Cells:
        """Return the cells of rows as they stand in JSON, each row read by itself.

        Raises
        ------
        DataError
            A row lacks a column, or holds a value that its type cannot hold.
        """
        found = [[NAN] * self._n_numbers for _ in rows]
        codes = [[0] * self._n_levels for _ in rows]
        for place, row in enumerate(rows):
            try:
                self._read(row, found[place], codes[place])
            except (KeyError, DataError) as error:
                raise self._refusal(rows, place, error) from error
        shape = len(rows), self._n_numbers
        return Cells(
            np.array(found, dtype=np.float64).reshape(shape),
            np.array(codes, dtype=np.intp).reshape(len(rows), self._n_levels),
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
        absent = [source.column for source in self._sources if source.column not in rows[place]]
        if absent:
            return DataError(f"The column {absent[0]!r} is missing. Send it, or null where its value is not known.")
        for source in self._sources:
            column = [None] * place + [rows[place][source.column]]
            try:
                self._contracted.column(pd.Series(column, dtype=object if place else None, name=source.column))
            except DataError as wrong:
                return wrong
        return error

    def _remembered(self, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return ``read`` with a memory for values that can be remembered; 1, 1.0 and true are told apart."""
        kept = lru_cache(maxsize=REMEMBERED, typed=True)(read)

        def remembered(value: Any) -> Any:
            return kept(value) if isinstance(value, str | int | float) else read(value)

        return remembered

    def _read_number(self, source: NumberSource) -> Callable[[Any], float]:
        """Return what reads one number, or one truth value."""
        rest = self._remembered(lambda value: float(numbers(self._contracted.value(source.column, value))[0]))
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
        rest = self._remembered(lambda value: places.get(str(levels(self._contracted.value(source.column, value))[0]), unknown))
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
            one = self._contracted.value(source.column, value)
            return tuple(float(date_part(step, one)[0]) for step in source.steps)

        rest = self._remembered(parts)

        def moment(value: Any) -> tuple[float, ...]:
            if value is None:
                return gap
            found = moment_of(value) if source.iso and type(value) is str else None
            return rest(value) if found is None else tuple(PARTS[step](found) for step in source.steps)

        return moment

    def _read_unused(self, source: UnusedSource) -> Callable[[Any], object]:
        """Return what looks whether a value fits the contract."""
        kind = self._contracted.columns[source.column]["kind"]
        look = self._remembered(lambda value: self._contracted.value(source.column, value) is not None)
        direct = {"numeric": (float, int), "boolean": (bool,), "categorical": (str, int), "text": (str, int)}.get(kind, ())
        return lambda value: None if value is None or type(value) in direct else look(value)
