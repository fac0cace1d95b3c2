"""Problems of the target: rare classes, long tails, too few rows for so many columns."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from gristmill.data.contract.schema import Contract
from gristmill.data.exploration.problems.columns import skewness
from gristmill.data.exploration.problems.finding import Finding
from gristmill.data.targets import class_text

_SKEWED = 3.0
_RARE_CLASS = 0.1
_FEW_OF_A_CLASS = 50
_ROWS_A_COLUMN = 10


def target_findings(target: pd.Series, case: Any) -> Iterator[Finding]:
    """Yield what is difficult about the target."""
    if case.task == "regression":
        skew = skewness(target)
        if abs(skew) > _SKEWED:
            text = f"The target is very skewed (skewness {skew:.1f})."
            advice = "A few rows decide RMSE; compare MAE beside it, and judge by what an error costs."
            yield Finding("medium", case.target, text, advice, "evaluation.primary_metric")
        return
    counts = class_text(target).value_counts()
    rarest, share = counts.idxmin(), float(counts.min() / counts.sum())
    if share < _RARE_CLASS:
        advice = "Judge by PR-AUC and by cost, not by accuracy; the threshold is chosen out of fold."
        text = f"The class {rarest!r} is rare: {share:.1%} of the rows."
        yield Finding("medium", case.target, text, advice, "evaluation.primary_metric", share)
    if counts.min() < _FEW_OF_A_CLASS:
        advice = "Every figure about this class will be rough; collect more rows of it before trusting one."
        text = f"The class {rarest!r} has {counts.min():,} rows."
        yield Finding("medium", case.target, text, advice, "", share)


def size_findings(train: pd.DataFrame, contract: Contract) -> Iterator[Finding]:
    """Yield a table with few rows for its columns."""
    used = sum(1 for one in contract["columns"] if one["used"])
    if used and len(train) < _ROWS_A_COLUMN * used:
        text = f"There are {len(train):,} rows for {used:,} columns: noise will look like news."
        yield Finding("medium", None, text, "Let fewer features in, chosen inside the folds.", "features.selection")
