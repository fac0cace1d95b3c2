"""Segments of several columns: where a shallow tree, grown on the losses of *other* rows, finds them larger.

The tree is grown on rows that take no part in the test (the out-of-fold predictions of the training rows), so that its segments are
fixed before the tested losses are looked at, and a test of them is as honest as one of segments that a person had named. Slices by
trees: Chung et al. 2019, "Slice Finder: Automated Data Slicing for Model Validation".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gristmill.data.contract.conditions import Condition, has_level, is_missing, level_texts, numbers_of
from gristmill.data.kinds import is_numeric
from gristmill.evaluation.errors.segments import Segment, is_ordered, range_condition
from gristmill.metrics.scores import Floats

MAX_DEPTH = 3
MAX_LEVELS = 20
"""Levels of a column that the tree may tell apart; the most frequent."""

MAX_CELLS = 20_000_000
"""Rows times columns that the tree is grown on."""

MAX_ROWS, FEWEST_ROWS = 20_000, 100
_LEAST_SHARE = 0.02


@dataclass(frozen=True)
class _Split:
    """One column of the tree's matrix: numbers of a column, or whether it has a level (None: whether it is missing)."""

    column: str
    level: str | None = None
    ordered: bool = False
    dates: bool = False
    whole: bool = False
    gaps: bool = False


def grow(
    losses: Floats, frame: pd.DataFrame, columns: Sequence[str], *, least_share: float, random_state: int = 0
) -> list[Segment]:
    """Return the segments of a shallow tree in which these rows' losses are larger than on average.

    Parameters
    ----------
    losses
        Loss of each row, shape ``(n_rows,)``.
    frame
        The same rows, with the columns to split by; at most 20,000 are looked at, fewer of very wide tables.
    columns
        Columns that may be split by.
    least_share
        Smallest share of the rows that a segment may have; never less than two in a hundred.
    random_state
        Seed of the sample, and of ties.

    Returns
    -------
    list
        Every node below the root with a mean loss above that of all rows, as conditions; none of fewer than 100 rows.
    """
    from sklearn.tree import DecisionTreeRegressor  # noqa: PLC0415 - a second to import

    if len(losses) < FEWEST_ROWS or not len(columns):
        return []
    rng = np.random.default_rng(random_state)
    most = int(np.clip(MAX_CELLS // (len(columns) * 5), 1_000, MAX_ROWS))
    if len(losses) > most:
        keep = np.sort(rng.choice(len(losses), most, replace=False))
        losses, frame = losses[keep], frame.iloc[keep]
    splits, matrix = _matrix(frame, columns)
    if not splits or losses.std() == 0:
        return []
    leaf = max(1, int(np.ceil(max(least_share, _LEAST_SHARE) * len(losses))))
    tree = DecisionTreeRegressor(max_depth=MAX_DEPTH, min_samples_leaf=leaf, random_state=random_state).fit(matrix, losses)
    return _segments(tree.tree_, splits, float(losses.mean()))


def _matrix(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[list[_Split], np.ndarray]:
    """Return what the tree may split by, and the rows in those terms, shape ``(n_rows, n_splits)``."""
    splits: list[_Split] = []
    parts: list[np.ndarray] = []
    for column in columns:
        values = frame[column]
        absent = values.isna().to_numpy()
        if is_ordered(values):
            numbers = numbers_of(values)
            known = numbers[np.isfinite(numbers)]
            whole = is_numeric(values) and bool(len(known)) and bool((known % 1 == 0).all())
            splits.append(_Split(column, ordered=True, dates=not is_numeric(values), whole=whole, gaps=bool(absent.any())))
            parts.append(numbers.astype(np.float32))
            continue
        texts = level_texts(values)
        frequent = texts.value_counts()
        for level in frequent.index[:MAX_LEVELS]:
            if frequent[level] >= _LEAST_SHARE * len(frame):
                splits.append(_Split(column, str(level)))
                parts.append((texts == level).to_numpy(dtype=np.float32))
        if absent.any():
            splits.append(_Split(column))
            parts.append(absent.astype(np.float32))
    return splits, np.column_stack(parts) if parts else np.empty((len(frame), 0), dtype=np.float32)


def _segments(tree: object, splits: Sequence[_Split], overall: float) -> list[Segment]:
    """Return the nodes of a fitted tree whose mean loss is above that of all rows, parents first."""
    found: list[Segment] = []

    def visit(node: int, path: tuple[tuple[_Split, float, bool, bool], ...]) -> None:
        if path and tree.value[node, 0, 0] > overall:  # type: ignore[attr-defined]
            found.append(Segment(_conditions(path)))
        if tree.children_left[node] < 0:  # type: ignore[attr-defined]
            return
        split, cut = splits[tree.feature[node]], float(tree.threshold[node])  # type: ignore[attr-defined]
        gaps_left = bool(tree.missing_go_to_left[node])  # type: ignore[attr-defined]
        visit(int(tree.children_left[node]), (*path, (split, cut, True, gaps_left)))  # type: ignore[attr-defined]
        visit(int(tree.children_right[node]), (*path, (split, cut, False, not gaps_left)))  # type: ignore[attr-defined]

    visit(0, ())
    return found


def _conditions(path: Sequence[tuple[_Split, float, bool, bool]]) -> tuple[Condition, ...]:
    """Return the conditions of a path from the root, those on the range of one column as one."""
    ranges: dict[str, tuple[float, float, bool, bool]] = {}
    made: dict[tuple[str, str | None], Condition] = {}
    for split, cut, left, gaps in path:
        if split.ordered:
            low, high, kept, _ = ranges.get(split.column, (-np.inf, np.inf, True, split.dates))
            edge = float(np.floor(cut)) if split.whole else cut
            low, high = (low, min(high, edge)) if left else (max(low, edge), high)
            kept = kept and gaps and split.gaps
            ranges[split.column] = (low, high, kept, split.dates)
            made[split.column, None] = _range(split.column, low, high, kept=kept, dates=split.dates)
        elif split.level is None:
            made[split.column, None] = is_missing(split.column) if not left else _known(split.column)
        else:
            made[split.column, split.level] = _level(split.column, split.level, has=not left)
    return tuple(made.values())


def _range(column: str, low: float, high: float, *, kept: bool, dates: bool) -> Condition:
    """Return the condition of a range; where it has no end left, that the column is missing or known."""
    if low >= high:
        return is_missing(column)
    return range_condition(column, low, high, dates=dates, missing=kept)


def _known(column: str) -> Condition:
    """Return the condition that a column is not missing."""
    return Condition(column, f"{column} is known")


def _level(column: str, level: str, *, has: bool) -> Condition:
    """Return the condition that a column has a level, or not; a missing value is not the level."""
    if has:
        return has_level(column, [level])
    return Condition(column, f"{column} ≠ {level}", levels=(level,), missing=True, negated=True)
