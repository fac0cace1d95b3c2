"""What a table's columns are, written down once and held against every later table.

The contract is inferred from the rows a model is built on. Batch scoring, the service and a second test table go through
:func:`coerce`, which gives rows the contracted types or says which value of which column cannot have them.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.contract.treatment import policies
from gristmill.data.kinds import FALSE_TEXTS, TRUE_TEXTS, is_numeric, kind_of, parse_dates
from gristmill.data.targets import class_text, find_classes, learnable_numbers
from gristmill.errors import DataError, UnfitValueError

MOST_LEVELS = 200
"""Levels up to which a contract lists them all."""

_SAFE_TO_SUM = 1e290
_LARGEST_WHOLE = 2.0**63

Contract = dict[str, Any]


def infer(frame: pd.DataFrame, case: Any, declared: Mapping[str, tuple[str, str | None]] | None = None) -> Contract:
    """Return the contract that the rows of ``frame`` suggest.

    Parameters
    ----------
    frame
        Rows with a target.
    case
        The case, which says what the columns are for.
    declared
        Kind of columns, and the format of dates written as text, where a person's data contract states them; the others' are
        told from the values.

    Returns
    -------
    dict
        ``target``, ``task``, ``classes`` (None for a regression) and ``columns``: ``name``, ``kind``, ``dtype``, ``format``
        (of dates written as text), ``role``, ``used`` (whether the model may see it), ``nullable``, ``missing_share``,
        ``levels`` (up to 200, else None), ``n_levels``, ``minimum``, ``maximum``, ``mean`` and ``example``.

    Raises
    ------
    DataError
        A column that the case names is not in the table, or has a policy that its kind does not know; or the target has not
        the classes, or numbers, it should have.
    """
    check_columns(list(frame.columns), case)
    target, classes = frame[case.target], None
    if case.task == "regression":
        target = learnable_numbers(target)
    else:
        classes = find_classes(target, case.positive_class)
    hidden, kinds = set(case.non_feature_columns), declared or {}
    columns = [
        _describe(target if name == case.target else frame[name], role_of(name, case), kinds.get(name), used=name not in hidden)
        for name in frame.columns
    ]
    contract = {"target": case.target, "task": case.task, "classes": classes, "columns": columns}
    policies(case, contract)
    return contract


def nearest_column(name: str, columns: Sequence[str]) -> str:
    """Return "; did you mean ...?" for the column nearest to ``name``, or the columns there are."""
    near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5) or [c for c in columns if c.strip().lower() == name.lower()]
    if near:
        return f"did you mean {near[0]!r}?"
    listed = ", ".join(repr(column) for column in columns[:12])
    return f"it has {listed}{', ...' if len(columns) > 12 else ''}."


def check_columns(columns: Sequence[str], case: Any) -> None:
    """Refuse a case that names a column which is not among those of its table.

    Raises
    ------
    DataError
        The message names the key of the case file and the nearest column.
    """
    named = {
        "target": [case.target], "id_columns": case.id_columns, "time_column": [case.time_column],
        "group_column": [case.group_column], "sensitive_features": case.sensitive_features,
        "features.exclude": case.features.exclude, "features.columns": tuple(case.features.columns),
        "validation.columns": tuple(case.validation.columns), "validation.allow_proxies": case.validation.allow_proxies,
        "validation.known_later": case.validation.known_later,
    }  # fmt: skip
    for key, names in named.items():
        for name in names:
            if name is not None and name not in columns:
                raise DataError(
                    f"`{key}` of the case {case.name!r} names the column {name!r}, which the table does not have; "
                    + nearest_column(name, columns)
                )


def role_of(name: str, case: Any) -> str:
    """Return what the case uses a column for."""
    if name == case.target:
        return "target"
    if name in case.id_columns:
        return "id"
    if name == case.group_column:
        return "group"
    if name == case.time_column:
        return "time"
    return "sensitive" if name in case.sensitive_features else "feature"


def is_idle(name: str, case: Any) -> bool:
    """Return whether a column serves nothing: the case excludes it, and does not name it for anything else."""
    return name in case.features.exclude and role_of(name, case) == "feature"


def _describe(values: pd.Series, role: str, declared: tuple[str, str | None] | None, *, used: bool) -> dict[str, Any]:
    """Return what a contract says of one column, its kind told from the values unless it is declared."""
    kind, date_format = declared or kind_of(values)
    values = values if declared is None else _as_declared(values, kind)
    present = values.dropna()
    described: dict[str, Any] = {
        "name": values.name,
        "kind": kind,
        "dtype": str(values.dtype),
        "format": date_format,
        "role": role,
        "used": used,
        "nullable": bool(values.isna().any()),
        "missing_share": float(values.isna().mean()),
        "levels": None,
        "n_levels": int(present.nunique()),
        "minimum": None,
        "maximum": None,
        "mean": None,
        "example": None if present.empty else str(present.iloc[0]),
    }
    described.update(_range(present, kind, date_format))
    if kind in ("categorical", "boolean") and described["n_levels"] <= MOST_LEVELS:
        described["levels"] = sorted(present.astype(str).unique())
    return described


def _as_declared(values: pd.Series, kind: str) -> pd.Series:
    """Return a column as values of a kind that it is not stored as: codes as levels, numbers written as text as numbers."""
    stored = {"numeric": is_numeric(values), "boolean": pd.api.types.is_bool_dtype(values), "date": True}
    if stored.get(kind, values.dtype == object):
        return values
    return _coerce_column(values, {"name": values.name, "kind": kind, "dtype": "int64"})


def _range(present: pd.Series, kind: str, date_format: str | None) -> dict[str, Any]:
    """Return minimum, maximum and mean of numbers, and the first and last of dates."""
    if kind == "numeric":
        finite = present.astype(float)[np.isfinite(present.astype(float))]
        if len(finite):
            return {"minimum": float(finite.min()), "maximum": float(finite.max()), "mean": _mean(finite)}
    if kind == "date" and len(present):
        dates = parse_dates(present, date_format)
        return {"minimum": dates.min().isoformat(), "maximum": dates.max().isoformat()}
    return {}


def _mean(finite: pd.Series) -> float:
    """Return the mean, whose sum may be beyond the largest float."""
    largest = float(finite.abs().max())
    scale = largest if largest > _SAFE_TO_SUM else 1.0
    return float((finite / scale).mean() * scale)


def coerce(frame: pd.DataFrame, contract: Contract, *, require_target: bool = False) -> pd.DataFrame:
    """Return the contracted columns of ``frame``, in the contract's order and types, with the index of ``frame``.

    Columns the model does not see (identifiers, group, target, what the case excludes) may be absent; columns that the
    contract does not know are left out. Infinite numbers become missing values. An already coerced table is returned as it is.

    ============ ==========================================================================
    kind         type
    ============ ==========================================================================
    numeric      ``int64`` where contracted and no value is missing, else ``float64``
    boolean      ``bool``, or objects True, False and None where a value is missing
    date         ``datetime64[us]`` without a zone, in UTC
    categorical  objects: text or None; whole numbers without a decimal point
    text         as categorical
    ============ ==========================================================================

    Parameters
    ----------
    frame
        Rows as a user gives them: from CSV, Parquet or JSON.
    contract
        What :func:`infer` returned.
    require_target
        Whether the target must be there, as in a test table.

    Raises
    ------
    DataError
        A column is missing, or holds a value that its type cannot hold; the message names column, row and value.
    """
    columns = {}
    for column in contract["columns"]:
        name = column["name"]
        if name in frame.columns:
            columns[name] = _coerce_column(frame[name], column)
        elif column["used"] or (require_target and name == contract["target"]):
            raise DataError(
                f"The column {name!r} is missing; the model was built on it. Rows must have every column of the data contract; "
                f"of this name, {nearest_column(name, [str(given) for given in frame.columns])}"
            )
    return pd.DataFrame(columns, index=frame.index)


def _coerce_column(values: pd.Series, column: Mapping[str, Any]) -> pd.Series:
    """Return one column in its contracted type."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    kind = column["kind"]
    if kind == "numeric":
        return _numbers(values, whole=column["dtype"].lower().startswith(("int", "uint")), column=column)
    if kind == "boolean":
        return _booleans(values, column)
    if kind == "date":
        dates = parse_dates(values, column.get("format"))
        if column.get("format") and dates.isna().sum() > values.isna().sum():
            dates = dates.fillna(parse_dates(values.where(dates.isna()), "ISO8601"))
        return _complete(dates, values, column, "a date")
    texts = class_text(values) if is_numeric(values) else values.astype("string").astype(object)
    return texts.where(texts.notna(), None).astype(object)


def _numbers(values: pd.Series, *, whole: bool, column: Mapping[str, Any]) -> pd.Series:
    """Return numbers, infinite ones as missing."""
    numbers = pd.to_numeric(values, errors="coerce")
    numbers = _complete(numbers.astype("float64") if numbers.hasnans or not whole else numbers, values, column, "a number")
    if whole and not numbers.hasnans and pd.api.types.is_integer_dtype(numbers):
        return numbers.astype("int64")
    numbers = numbers.astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    fits = whole and not numbers.hasnans and bool((numbers % 1 == 0).all()) and bool((numbers.abs() < _LARGEST_WHOLE).all())
    return numbers.astype("int64") if fits else numbers


def _booleans(values: pd.Series, column: Mapping[str, Any]) -> pd.Series:
    """Return truth values, read from text and from 0 and 1 as well."""
    if pd.api.types.is_bool_dtype(values) and not values.hasnans:
        return values.astype(bool)
    texts = values.astype("string").str.strip().str.lower()
    truths = pd.Series(None, index=values.index, dtype=object, name=values.name)
    truths = truths.mask(texts.isin(TRUE_TEXTS).astype(bool), True).mask(texts.isin(FALSE_TEXTS).astype(bool), False)  # noqa: FBT003
    truths = _complete(truths, values, column, "true or false")
    return truths.where(truths.notna(), None) if truths.isna().any() else truths.astype(bool)


def _complete(converted: pd.Series, given: pd.Series, column: Mapping[str, Any], wanted: str) -> pd.Series:
    """Refuse a value that was lost in conversion; empty text counts as missing."""
    lost = converted.isna() & given.notna()
    if lost.any() and given.dtype == object:
        lost &= given.map(lambda value: str(value).strip() != "")
    if lost.any():
        position = int(np.flatnonzero(lost)[0])
        raise UnfitValueError(
            f"Expected {wanted} in the column {column['name']!r}, got {given.iloc[position]!r} in row {position + 1}"
            f"{f' (and {int(lost.sum()) - 1} more)' if lost.sum() > 1 else ''}. "
            "Mend the value, or leave it empty if it is unknown.",
            wanted,
            np.flatnonzero(lost).tolist(),
        )
    return converted


def as_table(contract: Contract) -> pd.DataFrame:
    """Return the columns of a contract as a table for reading, one row a column."""
    shown = ["kind", "role", "used", "missing_share", "n_levels", "minimum", "maximum", "example"]
    table = pd.DataFrame(contract["columns"]).set_index("name")[shown]
    for end in ("minimum", "maximum"):
        table[end] = [f"{value:,.10g}" if isinstance(value, float) and pd.notna(value) else value for value in table[end]]
    return table


def column_names(contract: Contract, *roles: str) -> list[str]:
    """Return the names of the contracted columns that have one of ``roles``, in order."""
    return [column["name"] for column in contract["columns"] if column["role"] in roles]


def classes_of(contract: Contract) -> tuple[str, ...] | None:
    """Return the classes in code order, or None for a regression."""
    return None if contract["classes"] is None else tuple(contract["classes"])
