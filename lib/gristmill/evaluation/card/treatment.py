"""What the card says about missing values, outliers and duplicates: the policy, and what it did to training and test rows."""

from collections.abc import Mapping
from typing import Any

from gristmill.config.treatment import DEFAULTS
from gristmill.data.contract.treatment import settings_in_words
from gristmill.features.treated import COUNTS
from gristmill.reporting.wording import count, figure

MOST_COLUMNS = 30
"""Columns that the card lists; the stages' reports list all."""

Product = Mapping[str, Any] | None


def lines(selection: Product, evaluation: Product) -> list[dict[str, str]]:
    """Return a line for each column in which something was missing, far out or unseen, or whose policy is not the default.

    Parameters
    ----------
    selection
        Product of ``06_select``: what the model does to the rows it was fitted on.
    evaluation
        Product of ``07_evaluate``: what it did to the test rows.

    Returns
    -------
    list of dict
        ``column``, ``kind``, ``missing_values``, ``filled_by``, ``outliers``, and counts in words for ``train`` and ``test``;
        the columns with most to tell first.
    """
    train, test = _by_column(selection), _by_column(evaluation)
    told = [name for name, column in train.items() if _special(column) or _touched(column) or _touched(test.get(name, {}))]
    told.sort(key=lambda name: -_touched(train[name]) - _touched(test.get(name, {})))
    return [
        {
            "column": name,
            "kind": train[name]["kind"],
            "missing_values": train[name]["missing_values"],
            "filled_by": ", ".join(train[name]["filled_by"]) or "none",
            "outliers": _outliers(train[name]),
            "train": _cells(train[name]),
            "test": _cells(test.get(name, {})),
        }
        for name in told[:MOST_COLUMNS]
    ]


def policy_in_words(features: Any, quality: Product) -> str:
    """Return the policy of the case, and what became of duplicates."""
    found = (quality or {}).get("duplicate_rows")
    if not found:
        return settings_in_words(features)
    return (
        f"{settings_in_words(features)} Duplicates: *{found['policy']}*; {count(found['found'])} rows repeat another one, "
        f"{count(found['dropped'])} of them were dropped; {count(found['label_conflicts'])} rows contradict one with the same "
        "features."
    )


def _by_column(product: Product) -> dict[str, dict[str, Any]]:
    """Return the counts that a product holds, by column; none in a product without."""
    return {column["column"]: column for column in ((product or {}).get("treatment") or {}).get("columns", [])}


def _touched(column: Mapping[str, Any]) -> int:
    """Return how many cells of a column there is something to tell about."""
    return sum(column.get(key, 0) for key in COUNTS if key != "filled")


def _special(column: Mapping[str, Any]) -> bool:
    """Return whether a column's policy is not the default of its kind."""
    default = DEFAULTS[column["kind"]]
    return (column["missing_values"], column["outliers"]) != (default.missing, default.outliers)


def _outliers(column: Mapping[str, Any]) -> str:
    """Return what is done about outliers, and the limits."""
    if column["outliers"] == "keep":
        return "keep"
    lower, upper = (None if column[key] is None else figure(column[key]) for key in ("lower", "upper"))
    return f"{column['outliers']}, {lower or 'no lower limit'} to {upper or 'no upper limit'}"


def _cells(column: Mapping[str, Any]) -> str:
    """Return the counts of one column that are not zero, in words."""
    said = [f"{count(column[key])} {key.replace('_', ' ')}" for key in COUNTS if column.get(key)]
    return ", ".join(said) or "none"
