"""How differently a model treats groups of rows.

Rates by group come from fairlearn's ``MetricFrame``; differences and ratios follow its definitions. Their intervals are recovered
from those of the groups (:mod:`gristmill.metrics.furthest`), which costs the same for any number of rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.metrics.furthest import largest_difference
from gristmill.metrics.groups import group_order
from gristmill.metrics.interval_ends import Interval
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap
from gristmill.metrics.scores import Codes, Floats

SMALLEST = 1e-300
"""What stands for zero where logarithms are taken."""


@dataclass(frozen=True)
class Rate:
    """A share of rows: of those where ``among`` holds, those where ``counted`` holds too."""

    counted: NDArray[np.bool_]
    among: NDArray[np.bool_]


def class_rates(y_true: Codes, y_pred: Codes, code: int = 1) -> dict[str, Rate]:
    """Return the rates of one class against the rest, each over the rows it is defined on."""
    actual, chosen = y_true == code, y_pred == code
    everyone = np.ones(len(y_true), dtype=bool)
    return {
        "selection_rate": Rate(chosen, everyone),
        "true_positive_rate": Rate(chosen, actual),
        "false_positive_rate": Rate(chosen, ~actual),
        "accuracy": Rate(actual == chosen, everyone),
        "precision": Rate(actual, chosen),
        "base_rate": Rate(actual, everyone),
    }


def class_metrics_by_group(y_true: Codes, y_pred: Codes, groups: pd.Series, code: int = 1) -> pd.DataFrame:
    """Return, a row a group, its size and the rates of one class against the rest, from fairlearn's ``MetricFrame``.

    A rate that no row of a group defines is 0, as in fairlearn.
    """
    from fairlearn import metrics as fair  # noqa: PLC0415 - two seconds that only an audit pays
    from sklearn.metrics import accuracy_score, precision_score  # noqa: PLC0415

    functions: dict[str, Callable[..., float]] = {
        "selection_rate": fair.selection_rate,
        "true_positive_rate": fair.true_positive_rate,
        "false_positive_rate": fair.false_positive_rate,
        "accuracy": accuracy_score,
        "precision": lambda truth, decision: precision_score(truth, decision, zero_division=0),
        "base_rate": lambda truth, _: float(np.mean(truth)),
    }
    frame = fair.MetricFrame(
        metrics=functions,
        y_true=(y_true == code).astype(int),
        y_pred=(y_pred == code).astype(int),
        sensitive_features=groups.to_numpy(),
    )
    table = frame.by_group.astype(float)
    table.insert(0, "n", groups.value_counts().reindex(table.index).to_numpy())
    ordered: pd.DataFrame = table.reindex(group_order(groups)).rename_axis("group")
    return ordered


def number_metrics_by_group(y_true: Floats, y_pred: Floats, groups: pd.Series) -> pd.DataFrame:
    """Return, a row a group, its size, MAE, RMSE, mean residual (truth minus prediction) and mean prediction."""
    predicted = pd.Series(np.asarray(y_pred, dtype=float))
    residual = pd.Series(np.asarray(y_true, dtype=float)) - predicted
    parts = {"mae": residual.abs(), "rmse": residual**2, "mean_residual": residual, "mean_prediction": predicted}
    rows = pd.DataFrame({"group": groups.to_numpy(), **parts})
    table = rows.groupby("group").mean()
    table["rmse"] = np.sqrt(table["rmse"])
    table.insert(0, "n", rows["group"].value_counts().reindex(table.index))
    ordered: pd.DataFrame = table.reindex(group_order(groups)).rename_axis("group")
    return ordered


def wilson_interval(successes: Floats, trials: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return the score interval of proportions (Wilson 1927); not a number where there are no trials."""
    from scipy.special import ndtri  # noqa: PLC0415

    z = float(ndtri(0.5 + confidence / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = successes / trials
        centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
        half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


@dataclass(frozen=True)
class Spread:
    """How far a quantity differs between the groups that are judged.

    Attributes
    ----------
    interval
        ``{"value", "low", "high"}``; not a number with fewer than two groups to compare.
    lowest, highest
        The groups with the smallest and the largest quantity, or None.
    judged
        The groups compared.
    """

    interval: Interval
    lowest: str | None
    highest: str | None
    judged: tuple[str, ...]


def _ratio(values: Floats) -> Floats:
    """Return the smallest over the largest value of each row; 1 where all are 0."""
    result = np.ones(len(values))
    np.divide(values.min(axis=1), values.max(axis=1), out=result, where=values.max(axis=1) > 0)
    return result


def _error_ratio(values: Floats) -> Floats:
    """Return the largest over the smallest value of each row; 1 where all are 0, infinite where only the smallest is."""
    smallest, largest = values.min(axis=1), values.max(axis=1)
    result = np.where(largest > 0, np.inf, 1.0)
    np.divide(largest, smallest, out=result, where=smallest > 0)
    return result


def _difference(values: Floats) -> Floats:
    """Return the largest minus the smallest value of each row."""
    return np.asarray(values.max(axis=1) - values.min(axis=1))


def _unmeasured(names: Sequence[str]) -> Spread:
    """Return the spread of fewer than two groups."""
    return Spread({"value": float("nan"), "low": float("nan"), "high": float("nan")}, None, None, tuple(names))


def _spread(values: Floats, names: Sequence[str], value: float, low: float, high: float) -> Spread:
    """Return a spread with its interval, stretched by rounding alone, and the groups at its ends."""
    interval = {"value": value, "low": min(low, value), "high": max(high, value)}
    return Spread(interval, names[int(values.argmin())], names[int(values.argmax())], tuple(names))


def _log(values: Floats) -> Floats:
    """Return logarithms, that of zero as a number far below all others."""
    return np.asarray(np.log(np.maximum(values, SMALLEST)))


def _level(z: float) -> float:
    """Return the confidence that ``z`` standard errors to both sides stand for."""
    from scipy.special import ndtr  # noqa: PLC0415

    return float(2 * ndtr(z) - 1)


COMPARISONS: dict[str, Callable[[Floats], Floats]] = {"ratio": _ratio, "difference": _difference}
"""``ratio``: smallest over largest, as in the four-fifths rule; ``difference``: largest minus smallest."""


def rate_spread(
    rate: Rate,
    groups: pd.Series,
    *,
    comparison: str,
    min_group_size: int,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
) -> Spread:
    """Return how far a rate differs between groups, with its interval.

    Parameters
    ----------
    rate
        What is counted, among which rows.
    groups
        Name of each row's group, shape ``(n_rows,)``.
    comparison
        A name of :data:`COMPARISONS`.
    min_group_size
        Groups with fewer rows *among which the rate is counted* are left out: a true-positive rate of three positives
        says nothing, however large the group.
    bootstrap
        Confidence, and the draws and seed behind the critical value of several pairs of groups.
    """
    codes, names = _coded(groups)
    sizes = np.bincount(codes[rate.among], minlength=len(names))
    judged = sizes >= max(1, min_group_size)
    kept = [name for name, enough in zip(names, judged, strict=True) if enough]
    if len(kept) < 2:
        return _unmeasured(kept)
    trials = sizes[judged].astype(float)
    hits = np.bincount(codes[rate.among & rate.counted], minlength=len(names))[judged].astype(float)
    values, smoothed = hits / trials, (hits + 0.5) / (trials + 1)
    errors = np.sqrt(smoothed * (1 - smoothed) / trials)
    value = float(COMPARISONS[comparison](values[None, :])[0])
    if comparison == "difference":
        low, high = largest_difference(values, errors, lambda z: wilson_interval(hits, trials, _level(z)), bootstrap)
        return _spread(values, kept, value, low, min(high, 1.0))

    def limits(z: float) -> tuple[Floats, Floats]:
        low, high = wilson_interval(hits, trials, _level(z))
        return _log(low), _log(high)

    low, high = largest_difference(_log(values), errors / smoothed, limits, bootstrap)
    return _spread(values, kept, value, float(np.exp(-high)), float(np.exp(-low)))


def _coded(groups: pd.Series) -> tuple[Codes, list[str]]:
    """Return the place of each row's group, and the groups in the order they are shown."""
    names = group_order(groups)
    return np.asarray(pd.Categorical(groups, categories=names).codes, dtype=np.int64), names


@dataclass(frozen=True)
class _Means:
    """The means of the groups that are judged: their names, rows, means and standard errors."""

    names: list[str]
    trials: Floats
    centres: Floats
    errors: Floats

    def wide(self, z: float) -> Floats:
        """Return half the width of each mean's Student interval that stands for ``z`` standard errors."""
        from scipy.special import stdtrit  # noqa: PLC0415

        return np.asarray(stdtrit(np.maximum(self.trials - 1, 1), 0.5 + _level(z) / 2) * self.errors)


def _means(quantity: Floats, groups: pd.Series, min_group_size: int) -> _Means:
    """Return the means of a quantity in the groups of at least ``min_group_size`` rows."""
    codes, everyone = _coded(groups)
    sizes = np.bincount(codes, minlength=len(everyone))
    judged = sizes >= max(1, min_group_size)
    trials = sizes[judged].astype(float)
    values = np.bincount(codes, weights=quantity, minlength=len(everyone))[judged] / trials
    centred = np.zeros(len(everyone))
    centred[judged] = values
    squares = np.bincount(codes, weights=np.square(quantity - centred[codes]), minlength=len(everyone))[judged]
    errors = np.sqrt(squares / np.maximum(trials - 1, 1) / trials)
    return _Means([name for name, enough in zip(everyone, judged, strict=True) if enough], trials, values, errors)


def mean_spread(quantity: Floats, groups: pd.Series, *, min_group_size: int, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP) -> Spread:
    """Return the largest minus the smallest mean of a quantity between groups of at least ``min_group_size`` rows.

    Parameters
    ----------
    quantity
        What is averaged, row by row: a prediction, an error, or by how much a probability exceeds the outcome.
    groups
        Name of each row's group.
    min_group_size, bootstrap
        As in :func:`rate_spread`.
    """
    means = _means(quantity, groups, min_group_size)
    if len(means.names) < 2:
        return _unmeasured(means.names)
    value = float(means.centres.max() - means.centres.min())

    def limits(z: float) -> tuple[Floats, Floats]:
        return means.centres - means.wide(z), means.centres + means.wide(z)

    return _spread(means.centres, means.names, value, *largest_difference(means.centres, means.errors, limits, bootstrap))


def mean_interval(quantity: Floats, confidence: float) -> Interval:
    """Return the mean of a quantity with Student's interval; not a number for the ends of fewer than two rows."""
    from scipy.special import stdtrit  # noqa: PLC0415

    n_rows = len(quantity)
    value = float(quantity.mean()) if n_rows else float("nan")
    if n_rows < 2:
        return {"value": value, "low": float("nan"), "high": float("nan")}
    half = float(stdtrit(n_rows - 1, 0.5 + confidence / 2) * quantity.std(ddof=1) / np.sqrt(n_rows))
    return {"value": value, "low": value - half, "high": value + half}


def error_spread(errors: Floats, groups: pd.Series, *, min_group_size: int, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP) -> Spread:
    """Return the ratio of the largest to the smallest mean of ``errors`` between groups of at least ``min_group_size`` rows.

    The interval is that of the means' logarithms, of which each group's error is Student's.
    """
    means = _means(errors, groups, min_group_size)
    values = means.centres
    if len(means.names) < 2:
        return _unmeasured(means.names)
    positive = values > 0

    def limits(z: float) -> tuple[Floats, Floats]:
        wide = np.divide(means.wide(z), values, out=np.zeros(len(values)), where=positive)
        return _log(values) - wide, _log(values) + wide

    relative = np.divide(means.errors, values, out=np.zeros(len(values)), where=positive)
    low, high = largest_difference(_log(values), relative, limits, bootstrap)
    ends = [float(np.exp(end)) if end < -np.log(SMALLEST) / 2 else float("inf") for end in (low, high)]
    return _spread(values, means.names, float(_error_ratio(values[None, :])[0]), *ends)
