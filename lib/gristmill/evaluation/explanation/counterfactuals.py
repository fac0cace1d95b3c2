"""The smallest changes to a row that lead the model to another decision.

Such a change is a statement about the model, not about the world: what it would have said of a row that differs in this
(Wachter, Mittelstadt and Russell 2018). One column is moved over its levels or its range of the training rows, then two and three
at a time, as far as nothing smaller is found. Fewer columns come first, and among as many the smaller move: a number counts in
units of its column's spread, any other level as one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.evaluation.explanation.hybrids import Predict
from gristmill.metrics.scores import Floats

GRID, FINER = 16, 24
"""Values of a range that are tried first, and then between the two of them where the decision changes."""

MOST_COLUMNS = {2: 10, 3: 7}
"""Columns that are combined: those that alone come nearest to another decision."""

MOST_VALUES = {2: 6, 3: 4}
"""Values of each of them."""

ONE_LEVEL = 1.0

Moved = tuple[str, Any, float]
"""A column, a value for it, and how far that is from the row's."""


@dataclass(frozen=True)
class Movable:
    """A column that may change.

    Attributes
    ----------
    name
        Of the column.
    levels
        The values it may have; none for a number.
    low, high
        Ends of the range of a number.
    spread
        What counts as a move of one.
    whole
        Whether only whole numbers are values.
    decimals
        Of other numbers, so that nobody is told to change a price to 75.1125.
    """

    name: str
    levels: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    spread: float = 1.0
    whole: bool = False
    decimals: int = 6


@dataclass(frozen=True)
class Goal:
    """Which decision is sought.

    Attributes
    ----------
    reached
        What the model says of rows -> which of them have it.
    nearness
        What the model says of rows -> how near each is, more is nearer.
    """

    reached: Callable[[Floats], NDArray[np.bool_]]
    nearness: Callable[[Floats], Floats]


@dataclass(frozen=True)
class Counterfactual:
    """A change that leads to another decision.

    Attributes
    ----------
    changes
        Column -> value before and value after.
    value
        What the model says of the changed row: probabilities, or a number.
    size
        How far the columns are moved together.
    """

    changes: Mapping[str, tuple[Any, Any]]
    value: Floats
    size: float


def counterfactuals(
    predict: Predict, row: pd.DataFrame, movable: Sequence[Movable], goal: Goal, *, most: int = 5, at_once: int = 3
) -> list[Counterfactual]:
    """Return the smallest changes found that reach a goal, those of fewest columns first.

    Parameters
    ----------
    predict
        Rows in their contracted types -> probabilities ``(n_rows, n_classes)`` or numbers ``(n_rows,)``.
    row
        One row.
    movable
        What may change.
    goal
        What is sought; the row must not have reached it.
    most
        How many are wanted.
    at_once
        How many columns may change together, 1 to 3.

    Returns
    -------
    list
        One for each set of columns; none of them has fewer columns of another's that would do by the same or smaller moves.
    """
    search = _Search(predict, row, goal)
    singles = {column.name: _moves(column, row[column.name].iloc[0]) for column in movable}
    singles = {name: moves for name, moves in singles.items() if moves}
    found, nearest = search.alone(singles, {column.name: column for column in movable})
    for n_columns in range(2, at_once + 1):
        if len(found) >= most:
            break
        found += search.together(_few(nearest, n_columns), n_columns, found)
    return sorted(found, key=lambda one: (len(one.changes), one.size))[:most]


class _Search:
    """Tries changed copies of a row, many at a time."""

    def __init__(self, predict: Predict, row: pd.DataFrame, goal: Goal) -> None:
        self._predict, self._row, self._goal = predict, row, goal

    def alone(
        self, moves: Mapping[str, list[Moved]], columns: Mapping[str, Movable]
    ) -> tuple[list[Counterfactual], list[list[Moved]]]:
        """Return the smallest change of each column that does alone, and the moves of the others, the nearest column first."""
        tried = [(move,) for column in moves.values() for move in column]
        if not tried:
            return [], []
        values = self._said(tried)
        reached, nearness = self._goal.reached(values), self._goal.nearness(values)
        found, left, start = [], [], 0
        for name, column in moves.items():
            part = slice(start, start + len(column))
            start += len(column)
            hits = np.flatnonzero(reached[part])
            if len(hits):
                best = column[min(hits, key=lambda place: column[place][2])]
                found.append(self._refined(columns[name], best))
            else:
                order = np.argsort(-nearness[part], kind="stable")
                left.append((float(nearness[part].max()), [column[place] for place in order]))
        left.sort(key=lambda one: -one[0])
        return found, [column for _, column in left]

    def together(self, columns: list[list[Moved]], n_columns: int, found: Sequence[Counterfactual]) -> list[Counterfactual]:
        """Return the smallest change of each set of columns that does together and holds no set that was found."""
        known = [set(one.changes) for one in found]
        sets = [chosen for chosen in combinations(columns, n_columns) if not _holds(known, chosen)]
        tried = [change for chosen in sets for change in product(*chosen)]
        if not tried:
            return []
        values = self._said(tried)
        best: dict[tuple[str, ...], int] = {}
        for place in np.flatnonzero(self._goal.reached(values)):
            names = tuple(move[0] for move in tried[place])
            if names not in best or _size(tried[place]) < _size(tried[best[names]]):
                best[names] = int(place)
        return [self._made(tried[place], values[place]) for place in best.values()]

    def _refined(self, column: Movable, move: Moved) -> Counterfactual:
        """Return the smallest move in the direction of one that does: of a range, only some values were tried."""
        name, value, _ = move
        before = self._row[name].iloc[0]
        if column.levels or pd.isna(before):
            return self._made((move,), self._said([(move,)])[0])
        between = np.linspace(float(before), float(value), FINER + 1)[1:]
        finer = [move_ for move_ in _as_moves(column, between, float(before)) if move_[2] <= move[2]] or [move]
        values = self._said([(one,) for one in finer])
        hits = np.flatnonzero(self._goal.reached(values))
        place = min(hits, key=lambda one: finer[one][2]) if len(hits) else len(finer) - 1
        return self._made((finer[place],), values[place])

    def _said(self, tried: Sequence[tuple[Moved, ...]]) -> Floats:
        """Return what the model says of copies of the row, each changed in its own way."""
        copies: dict[str, Any] = {
            name: self._row[name].take(np.zeros(len(tried), dtype=np.intp)).array for name in self._row.columns
        }
        for name in {move[0] for change in tried for move in change}:
            numbers = pd.api.types.is_numeric_dtype(self._row[name]) and not pd.api.types.is_bool_dtype(self._row[name])
            copies[name] = self._row[name].to_numpy(np.float64 if numbers else object).repeat(len(tried))
        for place, change in enumerate(tried):
            for name, value, _ in change:
                copies[name][place] = value
        return np.asarray(self._predict(pd.DataFrame(copies)), dtype=np.float64)

    def _made(self, change: Sequence[Moved], value: Floats) -> Counterfactual:
        changes = {name: (self._row[name].iloc[0], after) for name, after, _ in change}
        return Counterfactual(changes, np.asarray(value, dtype=np.float64), _size(change))


def _moves(column: Movable, before: Any) -> list[Moved]:
    """Return the values a column may be moved to, each with how far that is."""
    if column.levels:
        return [(column.name, level, ONE_LEVEL) for level in column.levels if pd.isna(before) or level != before]
    if column.high <= column.low:
        return []
    grid = np.linspace(column.low, column.high, GRID)
    return _as_moves(column, grid, None if pd.isna(before) else float(before))


def _as_moves(column: Movable, values: Floats, before: float | None) -> list[Moved]:
    """Return numbers as moves, each once; from a missing value any number is as far as another level."""
    values = np.unique(np.rint(values) if column.whole else np.round(values, column.decimals))
    kept = [float(value) for value in values if before is None or value != before]
    typed = [int(value) if column.whole else value for value in kept]
    sizes = [ONE_LEVEL if before is None else abs(value - before) / column.spread for value in kept]
    return [(column.name, value, size) for value, size in zip(typed, sizes, strict=True)]


def _few(columns: list[list[Moved]], n_columns: int) -> list[list[Moved]]:
    """Return few columns, and few values of each: half of them the nearest to the goal, half the smallest moves."""
    most = MOST_VALUES[n_columns]
    made = []
    for moves in columns[: MOST_COLUMNS[n_columns]]:
        nearest, smallest = moves[: most // 2], sorted(moves, key=lambda move: move[2])
        made.append(list(dict.fromkeys([*nearest, *smallest]))[:most])
    return made


def _holds(known: Sequence[set[str]], chosen: Sequence[Sequence[Moved]]) -> bool:
    names = {moves[0][0] for moves in chosen}
    return any(one <= names for one in known)


def _size(change: Sequence[Moved]) -> float:
    return float(sum(move[2] for move in change))
