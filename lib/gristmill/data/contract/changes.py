"""Changes of the rows of a table, as the behaviour tests of a case file state them: a step up, another value, a gap."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.durations import seconds
from gristmill.data.contract.conditions import MISSING, described, level, level_texts, number, numbers_of
from gristmill.errors import DataError

Action = Literal["move", "set", "any", "missing", "typo"]
Changed = tuple[pd.Series, NDArray[np.bool_]]
"""The column after a change, and which of its rows were changed."""

_MOVE = re.compile(r"(up|down)(?:\s+(?:by\s+)?(.+))?")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_FEWEST_LETTERS = 4


@dataclass(frozen=True)
class Change:
    """What is done to one column.

    Attributes
    ----------
    column, kind
        Name of the column, and its kind in the contract.
    text
        The change in words, such as ``tenure up 12``.
    action
        ``move`` by a step, ``set`` to a value, ``any`` other value of the column, ``missing``, or ``typo`` (letters swapped).
    step
        How far a number moves, downwards if negative (dates: days); None for half the distance between the quartiles.
    upwards
        Direction of a step of that size.
    relative
        Whether ``step`` is a share of the row's own number.
    value
        What is put in.
    low, high
        The range that the contract knows; a move that would leave it is not made.
    whole
        Whether the column holds whole numbers alone.
    """

    column: str
    kind: str
    text: str
    action: Action
    step: float | None = None
    upwards: bool = True
    relative: bool = False
    value: Any = None
    low: float = -np.inf
    high: float = np.inf
    whole: bool = False

    def resolved(self, values: pd.Series) -> "Change":
        """Return the change with its step in numbers: half the distance between the quartiles of ``values`` where none is given."""
        if self.action != "move" or self.step is not None:
            return self
        size = _half_spread(numbers_of(values), whole=self.whole)
        unit = " days" if self.kind == "date" else ""
        return replace(self, step=size if self.upwards else -size, text=f"{self.text} {size:.4g}{unit}")

    def apply(self, values: pd.Series, rng: np.random.Generator) -> Changed:
        """Return the column changed, and which rows of it are others than before, shape ``(n_rows,)``."""
        if self.action == "move":
            return self._moved(values)
        if self.action == "any":
            return _another(values, rng)
        if self.action == "typo":
            return _mistyped(values, rng)
        if self.action == "missing":
            return emptied(values, self.kind), values.notna().to_numpy()
        put = pd.Series([self.value] * len(values), index=values.index, name=values.name)
        if self.kind in ("numeric", "date"):
            return put, numbers_of(values) != numbers_of(put)
        return put, (level_texts(values) != level_texts(put)).to_numpy()

    def _moved(self, values: pd.Series) -> Changed:
        """Return numbers or dates one step further; those that would leave the known range stay."""
        numbers = numbers_of(values)
        step = self.resolved(values).step or 0.0
        size = np.abs(numbers) * step if self.relative else np.full(len(numbers), step)
        moved = numbers + (np.copysign(np.ceil(np.abs(size)), size) if self.whole else size)
        made = np.isfinite(moved) & (moved >= self.low) & (moved <= self.high) & (moved != numbers)
        if self.kind == "date":
            days = pd.Series(np.where(made, moved - numbers, 0.0), index=values.index)
            return values + pd.to_timedelta(days, unit="D"), made
        shown = pd.Series(np.where(made, moved, numbers), index=values.index, name=values.name)
        return shown, made


def emptied(values: pd.Series, kind: str) -> pd.Series:
    """Return a column of a kind with every value missing."""
    if kind == "numeric":
        return pd.Series(np.nan, values.index, name=values.name)
    if kind == "date" and pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(pd.NaT, values.index, dtype="datetime64[us]", name=values.name)
    return pd.Series([None] * len(values), values.index, dtype=object, name=values.name)


def _half_spread(numbers: NDArray[np.float64], *, whole: bool) -> float:
    """Return half the distance between the quartiles; the standard deviation, or 1, where that is zero."""
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return 1.0
    low, high = np.quantile(known, [0.25, 0.75])
    found = float((high - low) / 2) or float(known.std()) or 1.0
    return max(1.0, round(found)) if whole else found


def _another(values: pd.Series, rng: np.random.Generator) -> Changed:
    """Return each row with the value of a random row that has another one; missing values are none."""
    codes = pd.factorize(values.astype(object).where(values.notna(), None), use_na_sentinel=True)[0]
    known, after = np.flatnonzero(codes >= 0), np.arange(len(values))
    if len(known):
        after = rng.choice(known, len(values))
    for code in np.unique(codes[codes[after] == codes]):
        same, others = np.flatnonzero((codes == code) & (codes[after] == code)), known[codes[known] != code]
        after[same] = rng.choice(others, len(same)) if len(others) else same
    changed = codes[after] != codes
    taken = values.iloc[after].set_axis(values.index)
    return taken.where(changed, values), changed


def _mistyped(values: pd.Series, rng: np.random.Generator) -> Changed:
    """Return texts with two neighbouring letters of one word swapped; short texts stay."""
    texts, made = [], np.zeros(len(values), dtype=bool)
    for place, text in enumerate(values.astype(object)):
        spots = [i for i in range(len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha() and text[i] != text[i + 1]] if (
            isinstance(text, str) and len(text) >= _FEWEST_LETTERS
        ) else []  # fmt: skip
        if spots:
            spot = int(rng.choice(spots))
            text, made[place] = text[:spot] + text[spot + 1] + text[spot] + text[spot + 2 :], True  # noqa: PLW2901
        texts.append(text)
    return pd.Series(texts, index=values.index, dtype=object), made


def read_changes(change: Mapping[str, Any], contract: Mapping[str, Any], key: str) -> tuple[Change, ...]:
    """Return the changes that ``change`` of a behaviour test states.

    Parameters
    ----------
    change
        Column -> what is done to it.
    contract
        The data contract, whose columns may be named.
    key
        Where it stands in the case file, for messages.

    Raises
    ------
    DataError
        The table has no such column, or the change is not one of columns of its kind.
    """
    return tuple(_read(described(contract, name, key), value, f"{key}.{name}") for name, value in change.items())


def _read(column: Mapping[str, Any], value: Any, key: str) -> Change:
    """Return the change of one column."""
    name, kind = column["name"], column["kind"]
    words = " ".join(value.split()) if isinstance(value, str) else value
    if words == "any":
        return Change(name, kind, f"{name} another value", "any")
    if words == MISSING:
        return Change(name, kind, f"{name} missing", "missing")
    if kind in ("numeric", "date"):
        found = _MOVE.fullmatch(words) if isinstance(words, str) else None
        return _move(column, found[2], key, upwards=found[1] == "up") if found else _put(column, value, key)
    if words == "typo" and kind == "text":
        return Change(name, kind, f"{name} with a typing error", "typo")
    if kind == "text" or (isinstance(words, str) and _MOVE.fullmatch(words) and words not in (column["levels"] or ())):
        allowed = "`any`, `missing` or `typo`" if kind == "text" else "one of its values, `any` or `missing`"
        raise DataError(f"`{key}` of the case file: expected {allowed} for the {kind} column {name!r}, got {value!r}.")
    put = level(column, value, key)
    return Change(name, kind, f"{name} = {put}", "set", value=put == "True" if kind == "boolean" else put)


def _put(column: Mapping[str, Any], value: Any, key: str) -> Change:
    """Return the change that puts one number or date into a column."""
    name, kind = column["name"], column["kind"]
    try:
        found = number(column, value, key)
    except DataError as error:
        raise DataError(
            f"`{key}` of the case file: expected {'a date' if kind == 'date' else 'a number'}, `up`, `down`, "
            f"{'`up 7 days`' if kind == 'date' else '`up 12`, `down 10%`'}, `any` or `missing` for the {kind} column {name!r}, "
            f"got {value!r}."
        ) from error
    put: Any = pd.Timestamp(0) + pd.Timedelta(days=found) if kind == "date" else found
    return Change(name, kind, f"{name} = {value}", "set", value=put)


def _move(column: Mapping[str, Any], amount: str | None, key: str, *, upwards: bool) -> Change:
    """Return the change that moves a number or a date."""
    name, kind = column["name"], column["kind"]
    ends = [column["minimum"], column["maximum"]]
    if kind == "date":
        ends = [None if end is None else number(column, end, key) for end in ends]
    low, high = (-np.inf if ends[0] is None else ends[0]), (np.inf if ends[1] is None else ends[1])
    text = f"{name} {'up' if upwards else 'down'}{f' {amount}' if amount else ''}"
    whole = kind == "numeric" and str(column["dtype"]).lower().startswith(("int", "uint"))
    step, relative = None, False
    if amount is not None:
        step, relative = _amount(column, amount, key)
        step = step if upwards else -step
    return Change(name, kind, text, "move", step, upwards, relative, None, low, high, whole)


def _amount(column: Mapping[str, Any], amount: str, key: str) -> tuple[float, bool]:
    """Return how far a step goes, and whether that is a share."""
    wanted = "a duration such as `7 days`" if column["kind"] == "date" else "a number or a share such as `10%`"
    if column["kind"] == "date":
        try:
            return seconds(amount) / 86_400, False
        except ValueError as error:
            raise DataError(f"`{key}` of the case file: expected {wanted} after `up` or `down`, got {amount!r}.") from error
    share = _SHARE.fullmatch(amount)
    try:
        size = float(share[1]) / 100 if share else float(amount)
    except ValueError:
        size = 0.0
    if not 0 < size < np.inf:
        raise DataError(f"`{key}` of the case file: expected {wanted} above zero after `up` or `down`, got {amount!r}.")
    return size, share is not None
