"""Columns that each look as before and no longer belong together: values that came to the wrong rows, or a feature made of both.

A join on the wrong key, or rows shifted against each other, leaves every column as it was, and breaks how columns go together. So
correlations are compared: of ranks of numbers and of single levels, in the window and in the reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gristmill.features.rows import levels
from gristmill.modeling.artifact.column_counts import Floats
from gristmill.modeling.artifact.drift_reference import as_numbers

LEAST_LOST = 0.15
"""By how much a correlation must have come nearer to zero."""

LEFT = 0.5
"""Share of a correlation that may be left for it to count as lost."""

MOST_LEVELS = 8
"""Most frequent levels of a column that are looked at."""


@dataclass(frozen=True)
class Broken:
    """Columns whose values no longer go with those of others.

    Attributes
    ----------
    sides
        The columns on either side of what is broken: the fault is in one of them. One side alone where they cannot be told apart.
    words
        What speaks for it.
    """

    sides: tuple[tuple[str, ...], ...]
    words: str


def broken_relations(reference: pd.DataFrame, window: pd.DataFrame, kinds: Mapping[str, str], significance: float) -> list[Broken]:
    """Return which columns no longer go together, each group once.

    Parameters
    ----------
    reference, window
        Raw rows.
    kinds
        Column -> contracted kind, of the columns that have no other fault.
    significance
        Chance of finding any where there is none.
    """
    names = [name for name, kind in kinds.items() if kind in ("numeric", "boolean", "date", "categorical")]
    if len(names) < 2:
        return []
    lost = _lost(reference, window, {name: kinds[name] for name in names}, significance)
    return [_broken(part, lost) for part in _parts(lost)]


def _lost(
    reference: pd.DataFrame, window: pd.DataFrame, kinds: Mapping[str, str], significance: float
) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the pairs of columns that went together and do not any more, with the correlation there was and what is left."""
    from scipy.special import ndtri  # noqa: PLC0415

    owners, tables = _tables(reference, window, kinds)
    before, after = (np.corrcoef(table, rowvar=False) for table in tables)
    error = np.sqrt(sum(1 / max(len(table) - 3, 1) for table in tables))
    places = [(one, two) for one in range(len(owners)) for two in range(one) if owners[one] != owners[two]]
    least = -ndtri(significance / 2 / max(len(places), 1)) * error
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for one, two in places:
        was, now = float(before[one, two]), float(after[one, two])
        fell = abs(was) - abs(now) if was * now > 0 else abs(was)
        far = abs(np.arctanh(np.clip(was, -0.999, 0.999)) - np.arctanh(np.clip(now, -0.999, 0.999))) > least
        pair = (owners[two], owners[one])
        if far and fell >= LEAST_LOST and abs(now) <= LEFT * abs(was) and abs(was) > abs(found.get(pair, (0.0, 0.0))[0]):
            found[pair] = (was, now)
    return found


def _tables(reference: pd.DataFrame, window: pd.DataFrame, kinds: Mapping[str, str]) -> tuple[list[str], tuple[Floats, Floats]]:
    """Return both sides as columns that vary on each, and the raw column of each of them."""
    owners: list[str] = []
    columns: tuple[list[Floats], list[Floats]] = ([], [])
    for name, kind in kinds.items():
        for pair in _columns(reference[name], window[name], kind):
            if all(one.std() > 0 for one in pair):
                owners.append(name)
                for side, one in zip(columns, pair, strict=True):
                    side.append(one)
    tables = tuple(np.column_stack(side) if side else np.empty((0, 0)) for side in columns)
    return owners, (tables[0], tables[1])


def _columns(old: pd.Series, new: pd.Series, kind: str) -> list[tuple[Floats, Floats]]:
    """Return a column of both sides as ranks, or as one truth value a level."""
    if kind == "categorical":
        was, now = levels(old), levels(new)
        known = pd.Series(was).value_counts().index[:MOST_LEVELS]
        return [((was == level).astype(np.float64), (now == level).astype(np.float64)) for level in known]
    return [(_ranks(as_numbers(old, kind)), _ranks(as_numbers(new, kind)))]


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0 to 1; missing values lie in the middle."""
    return np.asarray(pd.Series(values).rank(pct=True).fillna(0.5), dtype=np.float64)


def _parts(lost: Mapping[tuple[str, str], object]) -> list[list[str]]:
    """Return the columns that hang together by what is lost."""
    parts: list[list[str]] = []
    for pair in lost:
        touched = [part for part in parts if set(pair) & set(part)]
        merged = [*dict.fromkeys([*(name for part in touched for name in part), *pair])]
        parts = [part for part in parts if part not in touched] + [merged]
    return parts


def _broken(part: Sequence[str], lost: Mapping[tuple[str, str], tuple[float, float]]) -> Broken:
    """Return the sides of one part, and its clearest pair in words."""
    own = {pair: values for pair, values in lost.items() if pair[0] in part}
    (one, two), (was, now) = max(own.items(), key=lambda item: abs(item[1][0]))
    words = f"{one!r} and {two!r} no longer go together (correlation {now:.2f}, was {was:.2f}), though each looks as before"
    side = {part[0]: 0}
    for _ in part:  # each pair lies across: its ends are on different sides
        for left, right in own:
            if left in side:
                side.setdefault(right, 1 - side[left])
            elif right in side:
                side[left] = 1 - side[right]
    if any(side[left] == side[right] for left, right in own):
        return Broken((tuple(part),), words)
    return Broken(tuple(tuple(name for name in part if side[name] == which) for which in (0, 1)), words)
