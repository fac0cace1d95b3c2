"""A contract as a table for reading."""

from typing import Any

import pandas as pd

from gristmill.data.contract.terms import ColumnTerms, Limits, Terms

_MOST_LEVELS = 6


def as_table(terms: Terms) -> pd.DataFrame:
    """Return the columns of a contract as a table, one row a column: its type, what is expected and what is required."""
    rows = {name: [_type(column), _sentence(column.expect), _sentence(column.require)] for name, column in terms.columns.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["type", "expected", "required"])


def _type(column: ColumnTerms) -> str:
    """Return a column's type, with the format of its dates."""
    return column.type if column.format is None else f"{column.type}, {column.format}"


def _sentence(limits: Limits) -> str:
    """Return limits in words."""
    stated = limits.stated
    low, high = (_value(stated[name]) if name in stated else "" for name in ("minimum", "maximum"))
    parts = [f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"] if low or high else []
    if "missing" in stated:
        parts.append("never missing" if not stated["missing"] else f"{stated['missing']:.1%} missing at most")
    if "levels" in stated:
        parts.append(_levels(stated["levels"]))
    if "unique" in stated:
        parts.append("unique")
    if "pattern" in stated:
        parts.append(f"like {stated['pattern']}")
    if "outliers" in stated:
        parts.append(f"{stated['outliers']:.1%} outliers at most")
    return "; ".join(parts)


def _levels(levels: tuple[str, ...]) -> str:
    """Return levels, the first few by name."""
    more = f", and {len(levels) - _MOST_LEVELS:,} more" if len(levels) > _MOST_LEVELS else ""
    return f"one of {', '.join(map(repr, levels[:_MOST_LEVELS]))}{more}"


def _value(value: Any) -> str:
    """Return an end of a range."""
    return f"{value:,.10g}" if isinstance(value, float) else str(value)
