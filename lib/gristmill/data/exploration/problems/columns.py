"""Problems of single columns: gaps, one value, long tails, codes for missing, levels that are spelt in several ways."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.exploration.outliers import far_out, stand_in
from gristmill.data.exploration.problems.finding import Finding
from gristmill.data.kinds import is_numeric

PLACEHOLDERS = frozenset(
    {"?", "-", "--", ".", "na", "n/a", "nan", "nil", "null", "none", "missing", "unknown", "not available", "tbd"}
)
"""Words that people write where they have no value."""

_MANY_LEVELS = 50
_SKEWED = 3.0
_FAR_OUT = 0.01


def column_findings(values: pd.Series, column: dict[str, Any], features: Any = None) -> Iterator[Finding]:
    """Yield what is difficult about a column by itself.

    Parameters
    ----------
    values
        The column on the training rows.
    column
        The column in the data contract.
    features
        The section ``features`` of the case, whose factor says where outliers begin; its default when omitted.
    """
    present = values.dropna()
    if present.empty:
        yield Finding(
            "high", column["name"], "Missing in every training row.", "Exclude it, or mend the source.", "features.exclude"
        )
        return
    yield from _gap_findings(column["name"], 1 - len(present) / max(len(values), 1))
    if len(present) == len(values) and not (present != present.iloc[0]).any():
        yield Finding("low", column["name"], "Has one value only.", "It tells a model nothing; exclude it.", "features.exclude")
    elif column["kind"] == "numeric" and is_numeric(present):
        yield from _number_findings(present.astype(float), column["name"], features)
    elif column["kind"] == "categorical":
        yield from _level_findings(present.astype("string"), column["name"])


def _gap_findings(name: str, missing: float) -> Iterator[Finding]:
    """Yield a column that is missing often."""
    if missing > 0.5:
        advice = "Find out why. Missing is used as a value of its own; without a reason behind it, exclude the column."
        yield Finding("high", name, f"Missing in {missing:.0%} of the rows.", advice, "features.exclude", missing)
    elif missing > 0.05:
        advice = "Where a model needs a value, it is filled inside the folds, with a flag; say if another value is right."
        yield Finding("low", name, f"Missing in {missing:.0%} of the rows.", advice, f"features.columns.{name}.missing", missing)


def _number_findings(numbers: pd.Series, name: str, features: Any) -> Iterator[Finding]:
    """Yield what is difficult about numbers."""
    zeros = float((numbers == 0).mean())
    coded = stand_in(numbers)
    if coded is not None:
        share = float((numbers == coded).mean())
        text = f"Is {coded:g} in {share:.1%} of the rows, far from all its other values: it may stand for missing."
        yield Finding(
            "medium",
            name,
            text,
            "Ask what it means; if nothing is known then, make it a missing value.",
            "source.options.missing",
            share,
        )
    elif zeros > 0.5 and numbers.nunique() > 10:
        advice = "Whether it is zero may tell more than how much it is: a feature of your own can say so."
        yield Finding("low", name, f"Is zero in {zeros:.0%} of the rows.", advice, "features.custom", zeros)
    elif abs(skewness(numbers)) > _SKEWED:
        text = f"Is very skewed (skewness {skewness(numbers):.1f})."
        advice = "Trees do not mind; linear and neural models try ranks. Limit it only where the tail is an error."
        yield Finding("low", name, text, advice, f"features.columns.{name}.outliers", far_out(numbers, features).share)
    else:
        yield from _outlier_findings(numbers, name, features)


def _outlier_findings(numbers: pd.Series, name: str, features: Any) -> Iterator[Finding]:
    """Yield a column of which more than a few numbers lie far out without a long tail to explain it."""
    beyond = far_out(numbers, features)
    if beyond.share > _FAR_OUT:
        text = f"{beyond.share:.1%} of its numbers lie far out, the furthest at {beyond.furthest:,.6g}."
        advice = "Look at those rows; errors are better clipped or treated as missing, news is better kept."
        yield Finding("medium", name, text, advice, f"features.columns.{name}.outliers", beyond.share)


def _level_findings(texts: pd.Series, name: str) -> Iterator[Finding]:
    """Yield what is difficult about levels."""
    levels = texts.value_counts()
    if len(levels) > _MANY_LEVELS:
        advice = "Encoded by the target inside the folds; group levels if they have a natural order."
        yield Finding("low", name, f"Has {len(levels):,} levels.", advice, "features.max_levels")
    plain = levels.index.str.strip().str.casefold()
    said = levels[plain.isin(PLACEHOLDERS)]
    if len(said):
        share = float(said.sum() / len(texts))
        text = f"Says {said.index[0]!r} in {share:.1%} of its rows: it may stand for missing."
        advice = "If it does, name the word, so that it is a missing value everywhere."
        yield Finding("low", name, text, advice, "source.options.missing", share)
    yield from _spellings(levels, plain, name)


def _spellings(levels: pd.Series, plain: pd.Index, name: str) -> Iterator[Finding]:
    """Yield levels that differ in nothing but capitals and blanks."""
    alike = pd.Series(np.arange(len(plain)), index=plain).groupby(level=0).apply(list)
    several = [places for places in alike if len(places) > 1]
    if several:
        spelt = " and ".join(repr(levels.index[place]) for place in several[0][:3])
        rows = float(sum(levels.iloc[place] for places in several for place in places) / max(levels.sum(), 1))
        text = f"Spells the same level in several ways, such as {spelt}."
        yield Finding("medium", name, text, "Mend the source, or unify them in its query.", "source.query", rows)


def skewness(values: pd.Series) -> float:
    """Return the skewness of a column, 0 where it has none."""
    numbers = np.asarray(pd.to_numeric(values), dtype=np.float64)
    spread = numbers.std()
    return float((((numbers - numbers.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0
