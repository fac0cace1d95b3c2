"""What the training rows are like: what tells of the target, what goes with what, and problems worth knowing before modelling."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.contract.schema import Contract
from gristmill.data.kinds import is_numeric
from gristmill.data.leakage.proxies import looked_at, power
from gristmill.data.targets import class_text

MOST_ASSOCIATED = 16
MOST_COMPARED = 60
_MANY_LEVELS = 50
_SKEWED = 3.0
_SAME = 0.999
_RARE_CLASS = 0.1
_MISSING_TELLS = 0.1


@dataclass(frozen=True)
class Finding:
    """Something about a column, or about the table, that a modeller would want to be told."""

    severity: Literal["high", "medium", "low"]
    column: str | None
    finding: str
    suggestion: str


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
    """Return the square root of the share of variance between levels."""
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=numbers) / np.maximum(counts, 1)
    between = float((counts * (means - numbers.mean()) ** 2).sum())
    return float(np.sqrt(between / float(((numbers - numbers.mean()) ** 2).sum())))


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


def findings(train: pd.DataFrame, case: Any, contract: Contract, pairs: pd.DataFrame | None = None) -> list[Finding]:
    """Return the problems of the training rows, most severe first.

    Parameters
    ----------
    train
        Training rows.
    case, contract
        The case and the data contract.
    pairs
        What :func:`associations` returned; columns that repeat another one are told from it.
    """
    found = [*_target_findings(train[case.target], case)]
    for column in contract["columns"]:
        if column["used"] and column["name"] != case.target:
            found.extend(_column_findings(train[column["name"]], column))
            found.extend(_telling_gaps(train, column["name"], case))
    found.extend(_repeated(pairs, case) if pairs is not None else [])
    return sorted(found, key=lambda one: ("high", "medium", "low").index(one.severity))


def as_table(found: list[Finding]) -> pd.DataFrame:
    """Return findings as a table for reading."""
    return pd.DataFrame([asdict(one) for one in found], columns=["severity", "column", "finding", "suggestion"]).fillna("")


def _target_findings(target: pd.Series, case: Any) -> Iterator[Finding]:
    """Yield what is difficult about the target."""
    if case.task == "regression":
        skew = _skewness(target)
        if abs(skew) > _SKEWED:
            yield Finding("medium", case.target, f"The target is very skewed (skewness {skew:.1f}).", "Compare MAE beside RMSE.")
        return
    shares = class_text(target).value_counts(normalize=True)
    if shares.min() < _RARE_CLASS:
        advice = "Judge by PR-AUC and by cost, not by accuracy; choose the threshold out of fold."
        yield Finding("medium", case.target, f"The class {shares.idxmin()!r} is rare: {shares.min():.1%} of the rows.", advice)


def _column_findings(values: pd.Series, column: dict[str, Any]) -> Iterator[Finding]:
    """Yield what is difficult about a column."""
    name, present = column["name"], values.dropna()
    missing = 1 - len(present) / max(len(values), 1)
    if present.empty:
        yield Finding("high", name, "Missing in every training row.", "Add it to `features.exclude`, or mend the source.")
        return
    if missing > 0.5:
        yield Finding(
            "high", name, f"Missing in {missing:.0%} of the rows.", "Find out why; missing is used as a value of its own."
        )
    elif missing > 0.05:
        yield Finding(
            "low",
            name,
            f"Missing in {missing:.0%} of the rows.",
            "Where a model needs a value, it is filled inside the folds, with a flag.",
        )
    if not missing and not (present != present.iloc[0]).any():
        yield Finding("low", name, "Has one value only.", "Add it to `features.exclude`.")
    elif column["kind"] == "numeric" and is_numeric(present):
        yield from _number_findings(present.astype(float), name)
    elif column["kind"] == "categorical" and present.nunique() > _MANY_LEVELS:
        levels = f"Has {present.nunique():,} levels."
        yield Finding("low", name, levels, "Encoded by the target inside the folds; group levels if they have a natural order.")


def _number_findings(numbers: pd.Series, name: str) -> Iterator[Finding]:
    """Yield what is difficult about numbers."""
    skew = _skewness(numbers)
    zeros = float((numbers == 0).mean())
    if zeros > 0.5 and numbers.nunique() > 10:
        yield Finding("low", name, f"Is zero in {zeros:.0%} of the rows.", "Whether it is zero may tell more than how much it is.")
    elif abs(skew) > _SKEWED:
        yield Finding("low", name, f"Is very skewed (skewness {skew:.1f}).", "A power transform may help linear and neural models.")


def _skewness(values: pd.Series) -> float:
    """Return the skewness of a column, 0 where it has none."""
    numbers = np.asarray(pd.to_numeric(values), dtype=np.float64)
    spread = numbers.std()
    return float((((numbers - numbers.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0


def _telling_gaps(train: pd.DataFrame, name: str, case: Any) -> Iterator[Finding]:
    """Yield a column whose missing values go with the target: they are not missing at random."""
    gaps = train[name].isna()
    if not 0.01 < gaps.mean() < 0.99:
        return
    if case.task == "regression":
        target = np.asarray(pd.to_numeric(train[case.target]), dtype=np.float64)
        difference = abs(float(target[gaps].mean() - target[~gaps].mean())) / max(float(target.std()), 1e-300)
    else:
        shares = pd.crosstab(gaps, class_text(train[case.target]), normalize="index")
        difference = float(np.abs(np.diff(shares.to_numpy(dtype=np.float64), axis=0)).max())
    if difference > _MISSING_TELLS and gaps.sum() >= 30:
        text = "Its missing values go with the target."
        yield Finding("medium", name, text, "Find out whether the value is missing before or because of the outcome.")


def _repeated(pairs: pd.DataFrame, case: Any) -> Iterator[Finding]:
    """Yield columns that say the same as another one."""
    names = [name for name in pairs.columns if name != case.target]
    same = pairs.loc[names, names].to_numpy(dtype=np.float64) >= _SAME
    for position, name in enumerate(names):
        for earlier, other in enumerate(names[:position]):
            if same[position, earlier]:
                yield Finding(
                    "low", name, f"Says the same as {other!r}.", "Keep one of them; importance is shared between the two."
                )
                break
