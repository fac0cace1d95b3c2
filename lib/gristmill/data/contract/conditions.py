"""Conditions on the columns of a table: which rows lie in a segment, in words that a reader of the table would use."""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.kinds import FALSE_TEXTS, TRUE_TEXTS, parse_dates
from gristmill.errors import DataError

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]

_INFINITE = math.inf
MISSING = "missing"
_COMPARED = {
    "at least": ("low", False), "at most": ("high", False), "above": ("low", True), "below": ("high", True),
    ">=": ("low", False), "<=": ("high", False), ">": ("low", True), "<": ("high", True),
    "≥": ("low", False), "≤": ("high", False),
}  # fmt: skip
_COMPARISON = re.compile(rf"({'|'.join(map(re.escape, sorted(_COMPARED, key=len, reverse=True)))})\s*(\S.*)")
_RANGE = re.compile(r"(\S.*?)\s+to\s+(\S.*)")
_EXPECTED = "a number, `at least 5`, `at most 5`, `above 5`, `below 5`, `5 to 9` or `missing`"


def numbers_of(values: pd.Series) -> Numbers:
    """Return a column of numbers, or of dates as days since 1970, shape ``(n_rows,)``; not a number where a value is missing."""
    if pd.api.types.is_datetime64_any_dtype(values):
        moments = parse_dates(values, None)
        return np.asarray((moments - pd.Timestamp(0)).dt.total_seconds() / 86_400, dtype=np.float64)
    found = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def level_texts(values: pd.Series) -> pd.Series:
    """Return the levels of a column as text, missing where they are; ``True`` and ``False`` for booleans."""
    texts = values.astype(object).map(str, na_action="ignore")
    return texts.where(values.notna(), None)


@dataclass(frozen=True)
class Condition:
    """What holds of one column: a range of numbers or days, some levels, or that it is missing.

    Attributes
    ----------
    column
        Name of the column.
    text
        The condition in words, such as ``tenure ≤ 9`` or ``plan = basic``.
    low, high, open_low, open_high
        A range of numbers (dates: days since 1970), and whether its ends lie outside; infinite where there is none.
    levels
        Levels, or numbers, one of which the column has; None for a range.
    missing
        Whether a missing value fulfils the condition.
    negated
        Whether the levels are those the column does *not* have.
    """

    column: str
    text: str
    low: float = -_INFINITE
    high: float = _INFINITE
    open_low: bool = False
    open_high: bool = False
    levels: tuple[str, ...] | tuple[float, ...] | None = None
    missing: bool = False
    negated: bool = False

    def holds(self, frame: pd.DataFrame) -> Mask:
        """Return which rows of a table fulfil the condition, shape ``(n_rows,)``."""
        values = frame[self.column]
        absent = values.isna().to_numpy()
        if self.levels is None:
            if not self.bounded:
                return absent if self.missing else ~absent
            numbers = numbers_of(values)
            above = numbers > self.low if self.open_low else numbers >= self.low
            inside = above & (numbers < self.high if self.open_high else numbers <= self.high)
        elif self.levels and isinstance(self.levels[0], float):
            inside = np.isin(numbers_of(values), np.array(self.levels, dtype=np.float64))
        else:
            inside = level_texts(values).isin(self.levels).to_numpy()
        inside = (inside != self.negated) & ~absent
        return np.asarray(inside | absent if self.missing else inside)

    @property
    def bounded(self) -> bool:
        """Whether there is a range."""
        return bool(np.isfinite(self.low) or np.isfinite(self.high))


def is_missing(column: str) -> Condition:
    """Return the condition that a column is missing."""
    return Condition(column, f"{column} is missing", missing=True)


def has_level(column: str, levels: Sequence[str] | Sequence[float]) -> Condition:
    """Return the condition that a column has one of some levels or numbers."""
    shown = [f"{level:.15g}" if isinstance(level, float) else level for level in levels]
    text = f"{column} = {shown[0]}" if len(shown) == 1 else f"{column} is one of {', '.join(shown)}"
    return Condition(column, text, levels=tuple(levels))  # type: ignore[arg-type]


def members(frame: pd.DataFrame, conditions: Sequence[Condition]) -> Mask:
    """Return which rows of a table fulfil all conditions, shape ``(n_rows,)``."""
    inside = np.ones(len(frame), dtype=bool)
    for condition in conditions:
        inside &= condition.holds(frame)
    return inside


def in_words(conditions: Sequence[Condition]) -> str:
    """Return conditions that hold together in words."""
    return " and ".join(condition.text for condition in conditions) or "all rows"


def read_where(where: Mapping[str, Any], contract: Mapping[str, Any], key: str) -> tuple[Condition, ...]:
    """Return the conditions that ``where`` of a case file states.

    Parameters
    ----------
    where
        Column -> value, list of values, or comparison.
    contract
        The data contract, whose columns may be named.
    key
        Where it stands in the case file, for messages.

    Raises
    ------
    DataError
        The table has no such column, or the column no such values; the message names the nearest.
    """
    return tuple(_read(described(contract, name, key), value, f"{key}.{name}") for name, value in where.items())


def described(contract: Mapping[str, Any], name: str, key: str) -> Mapping[str, Any]:
    """Return what the contract says of a column.

    Raises
    ------
    DataError
        There is none of that name, or it is the target.
    """
    columns = {column["name"]: column for column in contract["columns"]}
    if name not in columns:
        near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, list(columns)[:12]))}."
        raise DataError(f"`{key}` of the case file names the column {name!r}, which the table does not have; {hint}")
    if name == contract["target"]:
        raise DataError(f"`{key}` of the case file names the target {name!r}, which the model is not told. Name a feature.")
    return columns[name]  # type: ignore[no-any-return]


def _read(column: Mapping[str, Any], value: Any, key: str) -> Condition:
    """Return the condition that one entry of ``where`` states."""
    name, kind = column["name"], column["kind"]
    several = value if isinstance(value, tuple | list) else (value,)
    if not several:
        raise DataError(f"`{key}` of the case file is an empty list, in which no row can lie. Name at least one value.")
    if several[0] == MISSING and len(several) == 1:
        return is_missing(name)
    if kind in ("numeric", "date"):
        if len(several) == 1 and isinstance(value, str):
            return _comparison(column, value, key)
        return has_level(name, [number(column, one, key) for one in several])
    if kind == "text":
        raise DataError(f"`{key}` of the case file: {name!r} holds free text, of which only `missing` can be asked, got {value!r}.")
    return has_level(name, [level(column, one, key) for one in several])


def _comparison(column: Mapping[str, Any], text: str, key: str) -> Condition:
    """Return the range of numbers or dates that a text states."""
    name, words = column["name"], " ".join(text.split())
    if found := _COMPARISON.fullmatch(words):
        end, is_open = _COMPARED[found[1]]
        sign = {"low": ("≥", ">"), "high": ("≤", "<")}[end][is_open]
        bounds = {end: number(column, found[2], key), f"open_{end}": is_open}
        return Condition(name, f"{name} {sign} {found[2]}", **bounds)  # type: ignore[arg-type]
    if found := _RANGE.fullmatch(words):
        low, high = number(column, found[1], key), number(column, found[2], key)
        if low > high:
            raise DataError(f"`{key}` of the case file: {text!r} holds no value; write the smaller one first.")
        return Condition(name, f"{found[1]} ≤ {name} ≤ {found[2]}", low, high)
    return has_level(name, [number(column, words, key)])


def number(column: Mapping[str, Any], value: Any, key: str) -> float:
    """Return a number, or a date as days since 1970, that is compared with a column or put into it.

    Raises
    ------
    DataError
        It is none.
    """
    if column["kind"] == "date":
        moment = pd.to_datetime(str(value), errors="coerce", utc=True)
        if not pd.isna(moment):
            return float((moment.tz_localize(None) - pd.Timestamp(0)).total_seconds() / 86_400)
        wanted = f"a date such as 2024-01-31, or {_EXPECTED.replace('a number, ', '').replace('5', '2024-01-31', 1)}"
    else:
        try:
            found = float(value) if not isinstance(value, bool) else math.nan
        except ValueError:
            found = math.nan
        if math.isfinite(found):
            return found
        wanted = _EXPECTED
    raise DataError(
        f"`{key}` of the case file: expected {wanted} of the {column['kind']} column {column['name']!r}, got {value!r}."
    )


def level(column: Mapping[str, Any], value: Any, key: str) -> str:
    """Return a level that the column has, as text; of booleans ``True`` or ``False``.

    Raises
    ------
    DataError
        The column never holds it.
    """
    text = str(value)
    if column["kind"] == "boolean":
        if text.strip().lower() in TRUE_TEXTS | FALSE_TEXTS:
            return str(text.strip().lower() in TRUE_TEXTS)
        raise DataError(f"`{key}` of the case file: expected `true` or `false` of {column['name']!r}, got {value!r}.")
    levels = column["levels"]
    if levels is None or text in levels:
        return text
    near = difflib.get_close_matches(text, levels, n=1, cutoff=0.5) or [one for one in levels if one.lower() == text.lower()]
    hint = f"did you mean {near[0]!r}?" if near else f"it holds {', '.join(map(repr, levels[:12]))}."
    raise DataError(f"`{key}` of the case file: the column {column['name']!r} never holds {value!r}; {hint}")
