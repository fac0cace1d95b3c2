"""How far the ways of measuring importance agree, which columns they rank apart, and why that may be."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.evaluation.explanation.local_reasons import column_levels
from gristmill.reporting.wording import figure

SAME_TALE = 0.4
"""Cramér's V from which two columns are said to tell much the same."""


def agreement(importances: Mapping[str, pd.Series], top: int = 5) -> list[dict[str, Any]]:
    """Return, for each two ways of measuring importance, how far they rank the columns alike.

    Parameters
    ----------
    importances
        Name of a method -> importance by column.
    top
        How many of the first columns are compared.

    Returns
    -------
    list
        ``{"methods", "rank_correlation", "shared_top", "top"}``; Spearman's correlation over the columns both know, None where
        one of them finds every column alike.
    """
    found = []
    for (one, first), (other, second) in combinations(importances.items(), 2):
        both = pd.concat([first.rename("first"), second.rename("second")], axis=1, join="inner").rank(ascending=False)
        varied = len(both) > 1 and bool((both.std() > 0).all())
        leading = [set(values.sort_values(ascending=False, kind="stable").index[:top]) for values in (first, second)]
        found.append(
            {
                "methods": [one, other],
                "rank_correlation": float(both["first"].corr(both["second"])) if varied else None,
                "shared_top": len(leading[0] & leading[1]),
                "top": min(top, len(both)),
            }
        )
    return found


def agreement_table(pairs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return what :func:`agreement` found as a reader would write it."""
    lines = {
        " and ".join(pair["methods"]): {
            "rank correlation": figure(pair["rank_correlation"], 2),
            "first columns shared": f"{pair['shared_top']} of {pair['top']}",
        }
        for pair in pairs
    }
    return pd.DataFrame.from_dict(lines, orient="index")


def disagreements(importances: Mapping[str, pd.Series], rows: pd.DataFrame, top: int = 3) -> list[dict[str, Any]]:
    """Return the columns that the ways of measuring importance rank most differently, and why that may be.

    Parameters
    ----------
    importances
        Name of a method -> importance by column.
    rows
        Explained rows, in which columns that tell the same are looked for.
    top
        How many columns at most.

    Returns
    -------
    list
        ``feature``, ``ranks`` (by method, 1 is the most important) and ``because``; columns whose ranks lie less than three places,
        or less than a quarter of the columns, apart are left out, the widest apart come first.
    """
    ranks = pd.DataFrame({name: values.rank(ascending=False, method="average") for name, values in importances.items()}).dropna()
    apart = (ranks.max(axis=1) - ranks.min(axis=1)).sort_values(ascending=False, kind="stable")
    wide = apart[apart >= max(3.0, len(ranks) / 4)].index[:top]
    return [
        {
            "feature": name,
            "ranks": {key: float(rank) for key, rank in ranks.loc[name].items()},
            "because": _because(name, ranks, rows),
        }
        for name in wide
    ]


def _because(name: Any, ranks: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Return the likeliest reason why the methods rank a column differently."""
    twin, strength = closest_column(name, rows)
    if strength >= SAME_TALE:
        return f"{twin} tells much the same: either can stand in for the other when one is shuffled"
    distance = (ranks.loc[name] - ranks.loc[name].median()).abs()
    odd = str(distance.idxmax())
    if odd == "LIME":
        return "LIME speaks of the rows shown, which are unlike most"
    if odd == "permutation" and ranks.loc[name, odd] > ranks.loc[name].median():
        return "it moves predictions of many rows, but not across what the score looks at"
    if odd == "permutation":
        return "few predictions move with it, and those that do decide the score"
    return "it moves predictions on one scale more than on another"


def closest_column(name: Any, rows: pd.DataFrame) -> tuple[str, float]:
    """Return the other column that tells most about ``name``, and how much: Cramér's V of the two in levels, bias corrected."""
    own = column_levels(rows[name]).codes
    found = {str(other): _cramers_v(own, column_levels(rows[other]).codes) for other in rows.columns if other != name}
    best = max(found, key=lambda other: found[other], default="")
    return best, found.get(best, 0.0)


def _cramers_v(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Return Cramér's V of two codings, corrected for chance (Bergsma 2013)."""
    table = pd.crosstab(one, other).to_numpy(dtype=np.float64)
    n, (n_one, n_other) = table.sum(), table.shape
    if min(n_one, n_other) < 2 or n < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum() / n)
    phi = max(0.0, phi - (n_one - 1) * (n_other - 1) / (n - 1))
    sides = [count - (count - 1) ** 2 / (n - 1) for count in (n_one, n_other)]
    return float(np.sqrt(phi / max(min(sides) - 1, 1e-12)))


def disagreement_table(found: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return what :func:`disagreements` found as a reader would write it."""
    lines = {
        part["feature"]: {
            **{f"rank by {name}": figure(rank, 1) for name, rank in part["ranks"].items()},
            "likely because": part["because"],
        }
        for part in found
    }
    return pd.DataFrame.from_dict(lines, orient="index")
