"""What a table is like that makes learning from it hard, and what is done about it, in sentences for the report."""

from typing import Any

import pandas as pd

from gristmill.features.proposals import FEWEST_ROWS, MOST_COLUMNS

FEW_ROWS = 500
"""Rows below which every figure is noisy."""

WIDE = 10
"""Rows a feature below which a model can learn the training rows by heart."""

RARE = 0.1
"""Share of the rows below which a class is rare."""


def remarks(plan: dict[str, Any], target: pd.Series) -> list[str]:
    """Return one sentence for everything that is out of the ordinary, and for what a level never seen will be.

    Parameters
    ----------
    plan
        What :func:`gristmill.features.builder.make_plan` returned.
    target
        The target of the training rows.
    """
    found = [*_size(plan), *_balance(plan, target), *_levels(plan)]
    repeated, constant = _dropped(plan, "repeats", "correlation"), _dropped(plan, "same value", "missing in every")
    if constant:
        found.append(f"**Constant columns** are left out: {_listed(constant)}.")
    if repeated:
        found.append(f"**Columns that repeat another** are left out: {_listed(repeated)}.")
    return found


def _dropped(plan: dict[str, Any], *words: str) -> list[str]:
    """Return the columns that were left out for a reason with one of the words."""
    return [item["column"] for item in plan["dropped"] if any(word in item["reason"] for word in words)]


def _size(plan: dict[str, Any]) -> list[str]:
    """Return what is to be said of few rows and many features."""
    n_rows, n_features, found = plan["rows"], len(plan["features"]), []
    if n_rows < FEW_ROWS:
        found.append(
            f"**Few rows** ({n_rows:,}): strong penalties and small leaves are tried first, intervals are wide, and fewer than "
            f"{FEWEST_ROWS} rows propose no features."
        )
    if n_features * WIDE > n_rows or n_features > MOST_COLUMNS:
        selection = plan["settings"].get("selection")
        done = f"`features.selection: {selection['method']}` is on" if selection else "`features.selection` could leave some out"
        found.append(f"**Many features** ({n_features:,} for {n_rows:,} rows): {done}; above {MOST_COLUMNS} none are proposed.")
    return found


def _balance(plan: dict[str, Any], target: pd.Series) -> list[str]:
    """Return what is to be said of classes of unequal size."""
    shares = target.value_counts(normalize=True)
    if not plan["n_classes"] or shares.empty or shares.iloc[-1] >= RARE:
        return []
    augmented = plan["settings"].get("augmentation", {}).get("method") == "smote"
    done = "rows between its neighbours are made up in the folds" if augmented else "no row is made up or weighed"
    return [
        f"**A rare class** (`{shares.index[-1]}`, {shares.iloc[-1]:.1%} of the rows): the "
        f"split keeps its share in every fold, {done}, and "
        "the threshold of `06_select` is chosen by what a decision is worth, not at one half."
    ]


def _levels(plan: dict[str, Any]) -> list[str]:
    """Return what is to be said of columns of levels."""
    levels = [feature for feature in plan["features"] if feature["step"] == "level"]
    if not levels:
        return []
    many = [feature["source"] for feature in levels if feature["levels"] > plan["settings"]["max_levels"]]
    found = [
        "**A level never seen** counts as a rare one to linear and neural models, has a code of its own for forests and is missing "
        f"to boosting; levels below {plan['settings']['rare_level_share']:.1%} of the rows are pooled."
    ]
    if many:
        found.append(
            f"**Many levels** in {_listed(many)}: encoded by the target's mean in other inner folds, for linear models, networks "
            "and forests; a level never seen has the mean of all rows."
        )
    return found


def _listed(names: list[str]) -> str:
    """Return the first names of a list, as code."""
    shown = ", ".join(f"`{name}`" for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8:,} more"
