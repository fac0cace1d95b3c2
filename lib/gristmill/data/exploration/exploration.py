"""Which columns tell something about the target, and which go together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.contract.schema import Contract
from gristmill.data.kinds import is_numeric
from gristmill.data.leakage.proxies import looked_at, power

MOST_ASSOCIATED = 16
MOST_COMPARED = 60
_MANY_LEVELS = 50
_CLOSE = 0.8


def telling(train: pd.DataFrame, case: Any, contract: Contract) -> pd.DataFrame:
    """Return how much of the target each column foretells alone, most telling first.

    Returns
    -------
    DataFrame
        Indexed by column: ``value``, the share of the error of a constant guess that the column removes out of fold; for two
        classes 2 x ROC-AUC - 1, which does not depend on how rare one of them is.
    """
    rows = looked_at(train, case.target, case.task)
    found = {}
    for column in _usable(contract, case)[: 10 * MOST_COMPARED]:
        strength = power(rows[column["name"]], rows[case.target], column, case.task)
        found[column["name"]] = strength.skill if strength.auc is None else max(0.0, 2 * strength.auc - 1)
    made = pd.DataFrame({"value": found}).rename_axis("column")
    return made.sort_values("value", ascending=False, kind="stable")


def _usable(contract: Contract, case: Any) -> list[dict[str, Any]]:
    """Return the contracted columns that the model may see and that hold something to compare."""
    return [
        one for one in contract["columns"] if one["used"] and one["name"] != case.target and one["n_levels"] + one["nullable"] > 1
    ]


def associations(train: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return how strongly columns go together, from 0 to 1, shape ``(n_columns, n_columns)``.

    Two numbers: the rank correlation without its sign. Two columns of levels: Cramer's V, corrected for chance (Bergsma 2013). One
    of each: the correlation ratio. Rows where either is missing are left out; at most ten thousand rows are looked at.
    """
    rows = train[columns].sample(min(len(train), 10_000), random_state=0)
    coded = {name: _coded(rows[name]) for name in columns}
    values = np.eye(len(columns))
    for row, one in enumerate(columns):
        for column in range(row):
            values[row, column] = values[column, row] = _association(coded[one], coded[columns[column]])
    return pd.DataFrame(values, index=columns, columns=columns)


@dataclass(frozen=True)
class _Coded:
    """A column as numbers: ranks, or codes of levels with the rare ones pooled; not-a-number where missing."""

    codes: NDArray[np.float64]
    is_number: bool


def _coded(values: pd.Series) -> _Coded:
    """Return a column as ranks or codes."""
    if is_numeric(values) or pd.api.types.is_datetime64_any_dtype(values):
        return _Coded(np.asarray(values.rank(), dtype=np.float64), is_number=True)
    texts = values.astype("string")
    kept = texts.value_counts().head(_MANY_LEVELS).index
    codes = pd.Categorical(texts.where(texts.isin(kept) | texts.isna(), "\0other")).codes.astype(np.float64)
    return _Coded(np.where(codes < 0, np.nan, codes), is_number=False)


def _association(one: _Coded, other: _Coded) -> float:
    """Return the association of two coded columns."""
    known = np.isfinite(one.codes) & np.isfinite(other.codes)
    first, second = one.codes[known], other.codes[known]
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    if one.is_number and other.is_number:
        return float(abs(np.corrcoef(first, second)[0, 1]))
    if one.is_number or other.is_number:
        numbers, codes = (first, second) if one.is_number else (second, first)
        return _correlation_ratio(numbers, codes.astype(int))
    return _cramers_v(first.astype(int), second.astype(int))


def _correlation_ratio(numbers: NDArray[np.float64], codes: NDArray[Any]) -> float:
    """Return the square root of the share of variance between levels, corrected for chance: many levels divide noise well."""
    counts = np.bincount(codes)
    levels = int((counts > 0).sum())
    if len(numbers) <= levels:
        return 0.0
    means = np.bincount(codes, weights=numbers) / np.maximum(counts, 1)
    between = float((counts * (means - numbers.mean()) ** 2).sum())
    explained = between / float(((numbers - numbers.mean()) ** 2).sum())
    return float(np.sqrt(max(0.0, 1 - (1 - explained) * (len(numbers) - 1) / (len(numbers) - levels))))


def _cramers_v(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Return Cramer's V corrected for chance."""
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, (rows, columns) = table.sum(), table.shape
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    phi = float(((table - expected) ** 2 / expected).sum() / n)
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    rows, columns = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    return float(np.sqrt(min(1.0, phi / max(min(rows, columns) - 1, 1e-12))))


def closest(pairs: pd.DataFrame, target: str) -> str:
    """Return which two columns go together most closely, the target aside, as a sentence."""
    names = [name for name in pairs.columns if name != target]
    values = np.tril(pairs.loc[names, names].to_numpy(dtype=np.float64), -1)
    if values.size < 4 or not values.max():
        return "There are no two columns to compare."
    row, column = (int(place) for place in np.unravel_index(int(values.argmax()), values.shape))
    close = int((values > _CLOSE).sum())
    return (
        f"`{names[column]}` and `{names[row]}` go together most closely ({values.max():.2f}); "
        f"{close} of {len(names) * (len(names) - 1) // 2} pairs lie above {_CLOSE}."
    )
