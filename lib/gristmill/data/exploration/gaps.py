"""Missing values: which columns lack them together, and what another column says about why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

MOST_COLUMNS = 12
MOST_PATTERNS = 8
_FEWEST = 5
_SAME_ROWS = 0.95


@dataclass(frozen=True)
class Explained:
    """A column that is missing where another column has one certain value, and nowhere else.

    ``rows`` is the number of rows where both are so.
    """

    column: str
    where: str
    value: str
    rows: int


def patterns(train: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return which columns are missing together, the most frequent combination first.

    Parameters
    ----------
    train
        Training rows.
    columns
        Columns to look at; of those with gaps, the :data:`MOST_COLUMNS` with most are.

    Returns
    -------
    DataFrame
        Indexed by the number of rows, one row a combination: for each column, whether it is missing. The :data:`MOST_PATTERNS`
        most frequent ones; rows without a gap make up one of them.
    """
    shares = train[list(columns)].isna().mean()
    shown = shares[shares > 0].sort_values(ascending=False, kind="stable").index[:MOST_COLUMNS]
    if shown.empty:
        return pd.DataFrame(index=pd.Index([len(train)], name="rows"))
    gaps = train[list(shown)].isna().set_axis(pd.RangeIndex(len(train)))
    counted = gaps.value_counts(sort=True).head(MOST_PATTERNS)
    found = pd.DataFrame(list(counted.index), columns=list(shown), index=pd.Index(counted.to_numpy(), name="rows"))
    return found.astype(bool)


def in_words(train: pd.DataFrame, columns: Sequence[str]) -> str:
    """Return how many rows have gaps, and whether gaps come together, as a sentence."""
    gaps = train[list(columns)].isna()
    several = gaps.sum(axis=1)
    if not several.any():
        return "No training row has a gap."
    lone = int((several == 1).sum())
    most = f"at most {several.max()} in one row" if several.max() > 1 else "never two in one row"
    return f"{(several > 0).mean():.1%} of the rows have a gap, {lone:,} of them in one column alone; {most}."


def explained(train: pd.DataFrame, columns: Sequence[str]) -> list[Explained]:
    """Return the columns whose gaps another column explains: they are missing where it has one value, and nowhere else.

    Such a gap is not unknown but does not apply, as the total of a customer's bills before the first one.
    """
    found = []
    for name in columns:
        gap = train[name].isna().to_numpy()
        if _FEWEST <= gap.sum() < len(gap):
            found += [one for other in columns if other != name and (one := _explanation(train, name, gap, other))][:1]
    return found


def _explanation(train: pd.DataFrame, name: str, gap: np.ndarray[tuple[int], np.dtype[np.bool_]], other: str) -> Explained | None:
    """Return the value of another column that marks the same rows as the gaps do, or None."""
    inside = train[other].to_numpy()[gap]
    counts = pd.Series(inside).value_counts()
    if counts.empty:
        return None
    both, value = int(counts.iloc[0]), counts.index[0]
    everywhere = int((train[other] == value).sum())
    if both / (int(gap.sum()) + everywhere - both) < _SAME_ROWS:
        return None
    return Explained(name, other, f"{value:g}" if isinstance(value, float | int) else str(value), both)
