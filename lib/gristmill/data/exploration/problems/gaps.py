"""Problems of missing values: those that go with the target, and those that another column explains."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.contract.schema import Contract
from gristmill.data.exploration.gaps import explained
from gristmill.data.exploration.problems.finding import Finding
from gristmill.data.targets import class_text

_TELLS = 0.1
_FEWEST = 30


def gap_findings(train: pd.DataFrame, case: Any, contract: Contract) -> Iterator[Finding]:
    """Yield columns whose gaps go with the target, or with one value of another column."""
    names = [one["name"] for one in contract["columns"] if one["used"] and one["name"] != case.target]
    for name in names:
        yield from _telling(train, name, case)
    for one in explained(train, names):
        text = f"Is missing exactly where {one.where!r} is {one.value} ({one.rows:,} rows): it does not apply there."
        advice = "Say what it then is, such as 0, if there is a right value."
        yield Finding("low", one.column, text, advice, f"features.columns.{one.column}.missing", one.rows / len(train))


def _telling(train: pd.DataFrame, name: str, case: Any) -> Iterator[Finding]:
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
    if difference > _TELLS and gaps.sum() >= _FEWEST:
        text = "Its missing values go with the target."
        advice = "Find out whether the value is missing before or because of the outcome; if because, the model must not see it."
        yield Finding("medium", name, text, advice, "features.exclude", float(gaps.mean()))
