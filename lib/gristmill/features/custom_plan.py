"""What a custom function adds to a plan of features, once it is known to look at one row at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gristmill.errors import DataError
from gristmill.features.custom import Function, call, kinds_of, load_version, locate

ROWS_ALONE = 10
"""Rows that are looked at one by one."""

PARTS = 10
"""Parts that the shuffled rows are cut into."""

SOUNDED_ROWS = 200
"""Rows on which it is found out which columns a custom feature comes from."""

MOST_SOUNDED = 200
"""Columns from which on that is not found out: it takes a call a column."""

TOLERANCE = 1e-9
"""Relative difference below which two numbers are the same: sums in another order."""


@dataclass(frozen=True)
class CustomFeatures:
    """What a custom function makes of the training rows.

    Attributes
    ----------
    made
        Its columns, with the index of the training rows.
    kinds
        Column -> ``numeric``, ``boolean`` or ``categorical``.
    entry
        What the plan says of it: ``function``, ``digest``, ``reads`` (the columns it is handed), ``columns`` (those it makes) and
        ``sources`` (column made -> columns that were seen to move it).
    """

    made: pd.DataFrame
    kinds: Mapping[str, str]
    entry: dict[str, Any]

    def contract_with(self, contract: Mapping[str, Any]) -> dict[str, Any]:
        """Return the contract with an entry for every column made."""
        own = [{"name": name, "kind": kind, "role": "feature", "used": True} for name, kind in self.kinds.items()]
        return {**contract, "columns": [*contract["columns"], *own]}


def custom_features(train: pd.DataFrame, case: Any, contract: Mapping[str, Any]) -> CustomFeatures | None:
    """Return what the case's custom function makes of the training rows; None if the case names none.

    The function is handed every column that the model may see, and none that it may not.

    Parameters
    ----------
    train
        Training rows with all raw columns.
    case
        The case; ``features.custom`` and ``non_feature_columns`` are read.
    contract
        The data contract.

    Raises
    ------
    CaseFileError
        There is no such function, or its module cannot be imported.
    DataError
        It fails on the rows, gives something else than new columns, or a row's values depend on other rows.
    """
    name = case.features.custom
    if name is None:
        return None
    hidden = {case.target, *case.non_feature_columns}
    reads = [
        column["name"]
        for column in contract["columns"]
        if column["name"] not in hidden and column["role"] not in ("target", "id", "group")
    ]
    digest = locate(name).digest
    function, rows = load_version(name, digest), train[reads]
    made = call(name, function, rows)
    taken = [column for column in made.columns if column in train.columns]
    if taken:
        raise DataError(f"The custom features {name!r} make a column {taken[0]!r}, which the table has already. Rename it.")
    kinds = kinds_of(name, made)
    require_row_wise(name, function, rows, made)
    entry = {"function": name, "digest": digest, "reads": reads, "columns": list(kinds), "sources": _sources(name, function, rows)}
    return CustomFeatures(made, kinds, entry)


def require_row_wise(name: str, function: Function, rows: pd.DataFrame, made: pd.DataFrame) -> None:
    """Refuse a custom function that gives a row something else alone, or among other rows, than among all.

    Rows spread over the table are asked about alone; and all of them, shuffled, in parts.

    Parameters
    ----------
    name
        ``module:function``, for messages.
    function
        The function.
    rows
        Raw rows.
    made
        What the function made of all of them.

    Raises
    ------
    DataError
        The message names the column and the row.
    """
    alone = np.unique(np.linspace(0, len(rows) - 1, min(ROWS_ALONE, len(rows))).astype(np.int64))
    shuffled = np.random.default_rng(0).permutation(len(rows))
    parts = [part for part in np.array_split(shuffled, PARTS) if len(part)]
    for positions in (*alone.reshape(-1, 1), *parts):
        again, before = call(name, function, rows.iloc[positions]), made.iloc[positions]
        if list(again.columns) != list(made.columns):
            raise DataError(
                f"The custom features {name!r} give the columns {', '.join(made.columns)} for all rows, but "
                f"{', '.join(again.columns)} for {len(positions):,} of them. Return the same columns for any rows."
            )
        for column in made.columns:
            differs = ~_same(before[column], again[column])
            if differs.any():
                row = int(np.argmax(differs))
                raise DataError(
                    f"The custom feature {column!r} of {name!r} depends on other rows: row {before.index[row]!r} has "
                    f"{before[column].iloc[row]!r} among all rows and {again[column].iloc[row]!r} among {len(positions):,}. "
                    "Compute it from its own row alone: what other rows tell has to be learnt inside the folds."
                )


def _same(one: pd.Series, other: pd.Series) -> Any:
    """Return where two columns agree: both missing, the same text, or the same number but for rounding."""
    first, second = one.astype(object).to_numpy(), other.astype(object).to_numpy()
    gaps = pd.isna(first) & pd.isna(second)
    numbers, others = (pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=np.float64) for values in (first, second))
    return gaps | (first.astype(str) == second.astype(str)) | np.isclose(numbers, others, rtol=TOLERANCE, atol=0)


def _sources(name: str, function: Function, rows: pd.DataFrame) -> dict[str, list[str]]:
    """Return for each column made the columns which move it when their values are exchanged between rows.

    It is for reading alone, and says all columns where there are too many to try.
    """
    sample = rows.iloc[np.random.default_rng(0).permutation(len(rows))[:SOUNDED_ROWS]]
    before = call(name, function, sample)
    found: dict[str, list[str]] = {str(column): [] for column in before.columns}
    for read in rows.columns:
        moved = list(found) if rows.shape[1] > MOST_SOUNDED else _moved(name, function, sample, str(read), before)
        for column in moved:
            found[column].append(str(read))
    return found


def _moved(name: str, function: Function, sample: pd.DataFrame, read: str, before: pd.DataFrame) -> list[str]:
    """Return the columns made that change when one column's values are handed on by a row, in both its orders."""
    values = sample[read]
    exchanged = sample.assign(**{read: pd.Series(values.array.take(np.roll(np.arange(len(sample)), 1)), index=sample.index)})
    try:
        after = call(name, function, exchanged)
    except DataError:  # it looks at the column, and minds what such rows hold
        return [str(column) for column in before.columns]
    return [str(column) for column in before.columns if not _same(before[column], after[column]).all()]
