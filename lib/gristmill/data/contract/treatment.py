"""Missing values and outliers column by column, and what the case's policy will do about them.

The figures describe; limits and fill values that a model uses are learnt inside its folds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.treatment import DEFAULTS, Policy, policy_of
from gristmill.errors import DataError

Floats = NDArray[np.float64]

_GAPS = {
    "native": "a gap to forests and boosting; the median elsewhere",
    "level": "a level of its own",
    "empty": "a text without words",
    "median": "the median",
    "mean": "the mean",
    "most_frequent": "the most frequent value",
}
_OUTLIERS = {"keep": "kept", "clip": "clipped", "missing": "treated as missing"}


def limits_of(values: Floats, method: str, factor: float, lower: float, upper: float) -> tuple[float, float]:
    """Return the numbers beyond which a value is an outlier; infinite where a column has none.

    Parameters
    ----------
    values
        Numbers, shape ``(n_rows,)``; missing and infinite ones do not count.
    method
        ``iqr``: quartiles and ``factor`` interquartile ranges beyond them (Tukey 1977); ``quantile``: ``lower`` and ``upper``.
    factor, lower, upper
        As in ``features.outliers`` of the case file.

    Notes
    -----
    Where the two quantiles are the same number, as in a column that is nearly always zero, no value is an outlier: limits that
    coincide would leave one value of the whole column.

    Examples
    --------
    >>> limits_of(np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan]), "iqr", 1.5, 0.01, 0.99)
    (-1.0, 7.0)
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return -np.inf, np.inf
    if method == "iqr":
        low, high = (float(value) for value in np.quantile(finite, (0.25, 0.75)))
    else:  # values that occur: between 0 and 1 there is nothing to clip a flag to
        low, high = (float(value) for value in np.quantile(finite, (lower, upper), method="inverted_cdf"))
    if low == high:
        return -np.inf, np.inf
    if method == "quantile":
        return low, high
    return low - factor * (high - low), high + factor * (high - low)


def policies(case: Any, contract: Mapping[str, Any]) -> dict[str, Policy]:
    """Return the policy of each column that a model may see, by name.

    Raises
    ------
    DataError
        The case names a column that the model does not see, or asks for what a column's kind does not have.
    """
    found = {}
    features = {column["name"]: column["kind"] for column in contract["columns"] if column["used"] and column["role"] != "target"}
    for name in case.features.columns:
        if name not in features:
            raise DataError(
                f"`features.columns` of the case {case.name!r} names the column {name!r}, which the model does not see: it is the "
                "target, an identifier, a group, or excluded. Remove the entry."
            )
    for name, kind in features.items():
        try:
            found[name] = policy_of(case.features, name, kind)
        except ValueError as error:
            raise DataError(f"`features.columns.{name}` of the case {case.name!r}: {error}.") from error
    return found


def in_words(policy: Policy) -> tuple[str, str]:
    """Return what a policy makes of missing values, and of outliers."""
    gaps = _GAPS.get(policy.missing, f"the constant {policy.fill_value!r}")
    filled = policy.missing not in ("level", "empty")
    told = ", and the model is told" if filled and policy.indicator else ""
    if policy.outliers == "keep":
        return gaps + told, _OUTLIERS["keep"]
    quantiles = f"outside the quantiles {policy.lower:g} and {policy.upper:g}"
    where = f"beyond {policy.factor:g} interquartile ranges" if policy.method == "iqr" else quantiles
    return gaps + told, f"{_OUTLIERS[policy.outliers]} {where}"


def settings_in_words(features: Any) -> str:
    """Return in a sentence what the case's policy is, by kind of column."""
    general, outliers = features.missing, features.outliers
    kinds = ", ".join(f"{kind} *{getattr(general, kind)}*" for kind in DEFAULTS)
    own = f"; columns with a policy of their own: {len(features.columns):,}" if features.columns else ""
    return f"Missing values: {kinds}. Outliers: *{outliers.numeric}*{own}."


def settings(features: Any) -> dict[str, str]:
    """Return the case's policy as parameters of a run, such as ``missing_numeric``; columns with one of their own as one text."""
    found = {f"missing_{kind}": getattr(features.missing, kind) for kind in DEFAULTS}
    own = {name: treatment.model_dump(exclude_none=True) for name, treatment in features.columns.items()}
    return {**found, "outliers_numeric": features.outliers.numeric, **({"columns_treated": str(own)} if own else {})}


def overview(rows: pd.DataFrame, case: Any, contract: Mapping[str, Any]) -> pd.DataFrame:
    """Return what is missing and what lies far out in each column a model may see, and what will be done about it.

    Parameters
    ----------
    rows
        Rows with the contracted columns.
    case
        The case; ``features`` is read.
    contract
        The data contract.

    Returns
    -------
    DataFrame
        One row a column: ``kind``, ``missing`` (infinite numbers included), ``infinite``, ``outliers`` (by the column's own
        limits; null where there are none to speak of), ``a missing value becomes``, ``outliers are``.
    """
    kinds = {column["name"]: column["kind"] for column in contract["columns"]}
    table = []
    for name, policy in policies(case, contract).items():
        values, infinite, beyond = rows[name], 0, None
        if kinds[name] == "numeric":
            numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
            infinite = int(np.isinf(numbers).sum())
            beyond = outside(numbers, limits_of(numbers, policy.method, policy.factor, policy.lower, policy.upper))
        missing = int(values.isna().sum()) + infinite
        gaps, far = in_words(policy)
        table.append([name, kinds[name], missing, infinite, beyond, gaps, far if beyond is not None else ""])
    names = ["column", "kind", "missing", "infinite", "outliers", "a missing value becomes", "outliers are"]
    return pd.DataFrame(table, columns=names).set_index("column").astype({"outliers": "Int64"})


def outside(numbers: Floats, limits: tuple[float, float]) -> int:
    """Return how many finite numbers lie outside two limits."""
    finite = numbers[np.isfinite(numbers)]
    return int(((finite < limits[0]) | (finite > limits[1])).sum())
