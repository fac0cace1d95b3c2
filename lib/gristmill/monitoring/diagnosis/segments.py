"""In which part of the rows the model got worse: by level, or by quarter of a number."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from gristmill.features.rows import MISSING_LEVEL, levels
from gristmill.modeling.artifact.column_counts import Floats
from gristmill.modeling.artifact.drift_reference import as_numbers

SMALLEST = 30
"""Rows that a segment must have on both sides."""


@dataclass(frozen=True)
class Segment:
    """Rows with something in common.

    Attributes
    ----------
    words
        What they have in common.
    rows
        How many the window has.
    before, after
        Mean loss on reference and window.
    share
        Part of the whole increase that falls on them; None where there is no increase beyond chance to be shared out.
    z
        The increase in units of its standard error.
    """

    words: str
    rows: int
    before: float
    after: float
    share: float | None
    z: float

    def to_record(self) -> dict[str, Any]:
        """Return the segment as JSON-able data."""
        return {name: getattr(self, name) for name in ("words", "rows", "before", "after", "share", "z")}


def worst_segments(
    reference: pd.DataFrame,
    window: pd.DataFrame,
    losses: tuple[Floats, Floats],
    kinds: Mapping[str, str],
    rise: float | None,
    n_segments: int = 5,
) -> list[Segment]:
    """Return the segments in which the loss rose most beyond chance, one a column, the clearest first.

    Parameters
    ----------
    reference, window
        Raw rows.
    losses
        Loss of each of their rows.
    kinds
        Column -> contracted kind.
    rise
        Increase of the mean loss; None where it is not beyond chance.
    n_segments
        How many to return at most.
    """
    whole = None if rise is None else rise * len(window)
    found = []
    for name, kind in kinds.items():
        if kind in ("text", "date"):
            continue
        parts = _parts(name, kind, reference[name], window[name])
        rated = [_rated(words, old, new, losses, whole) for words, old, new in parts if min(old.sum(), new.sum()) >= SMALLEST]
        if len(rated) > 1:
            found.append(max(rated, key=lambda one: one.z))
    return sorted(found, key=lambda one: -one.z)[:n_segments]


def _rated(words: str, old: Any, new: Any, losses: tuple[Floats, Floats], whole: float | None) -> Segment:
    """Return a segment with its losses."""
    before, after = losses[0][old], losses[1][new]
    error = np.sqrt(before.var() / len(before) + after.var() / len(after)) or 1e-12
    rise = float(after.mean() - before.mean())
    share = None if whole is None else rise * len(after) / whole
    return Segment(words, len(after), float(before.mean()), float(after.mean()), share, float(rise / error))


def _parts(name: str, kind: str, reference: pd.Series, window: pd.Series) -> list[tuple[str, Any, Any]]:
    """Return the parts of a column's values: words, and which reference and window rows are in it."""
    if kind in ("categorical", "boolean"):
        was, now = (levels(values) for values in (reference, window))
        known = [level for level in pd.Series(was).value_counts().index[:20] if level != MISSING_LEVEL]
        return [(f"{name} is {level}", was == level, now == level) for level in known]
    old, new = (as_numbers(values, kind) for values in (reference, window))
    ends = np.unique(np.nanquantile(old, [0, 0.25, 0.5, 0.75, 1])) if not np.isnan(old).all() else np.empty(0)
    cuts = [-np.inf, *ends[1:-1], np.inf]
    between = pairwise(cuts)
    return [(_named(name, low, high), (old >= low) & (old < high), (new >= low) & (new < high)) for low, high in between]


def _named(name: str, low: float, high: float) -> str:
    """Return a range of a number in words."""
    if low == -np.inf:
        return f"{name} below {high:.4g}"
    return f"{name} from {low:.4g}" if high == np.inf else f"{name} from {low:.4g} to {high:.4g}"
