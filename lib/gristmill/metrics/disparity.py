"""How differently a model treats groups of rows.

Rates by group come from fairlearn's ``MetricFrame``; differences and ratios follow its definitions. Intervals come from the
bootstrap within groups, drawn as counts of the confusion matrix, which is exact and costs the same for any number of rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.metrics.groups import group_order
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap, Interval, percentile_interval, resample_weights
from gristmill.metrics.scores import Codes, Floats


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
    """Return, a row a group, its size, mean absolute error, RMSE and mean residual (truth minus prediction)."""
    residual = pd.Series(np.asarray(y_true, dtype=float) - np.asarray(y_pred, dtype=float))
    rows = pd.DataFrame({"group": groups.to_numpy(), "mae": residual.abs(), "rmse": residual**2, "mean_residual": residual})
    table = rows.groupby("group").agg({"mae": "mean", "rmse": "mean", "mean_residual": "mean"})
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


def _drawn_rates(rate: Rate, members: Sequence[NDArray[np.intp]], bootstrap: Bootstrap) -> Floats:
    """Return bootstrap draws of the rate in each group, shape ``(resamples, n_groups)``."""
    rng = np.random.default_rng(bootstrap.random_state)
    draws = np.full((bootstrap.resamples, len(members)), np.nan)
    for index, rows in enumerate(members):
        among = rate.among[rows]
        hits = int((rate.counted[rows] & among).sum())
        counts = np.array([hits, int(among.sum()) - hits, int((~among).sum())], dtype=float)
        drawn = rng.multinomial(len(rows), counts / counts.sum(), size=bootstrap.resamples).astype(float)
        trials = drawn[:, 0] + drawn[:, 1]
        np.divide(drawn[:, 0], trials, out=draws[:, index], where=trials > 0)
    return draws


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


def _compare(
    values: Floats, draws: Floats, names: Sequence[str], function: Callable[[Floats], Floats], confidence: float
) -> Spread:
    """Return the spread of ``values`` over groups, with the interval that ``draws`` of them give."""
    if len(names) < 2:
        return Spread({"value": float("nan"), "low": float("nan"), "high": float("nan")}, None, None, tuple(names))
    complete = draws[np.isfinite(draws).all(axis=1)]
    interval = percentile_interval(float(function(values[None, :])[0]), function(complete), confidence)
    return Spread(interval, names[int(values.argmin())], names[int(values.argmax())], tuple(names))


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
    """Return how far a rate differs between groups, with a bootstrap interval.

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
        Confidence, resamples and seed.
    """
    membership = {name: np.flatnonzero((groups == name).to_numpy()) for name in group_order(groups)}
    judged = {name: rows for name, rows in membership.items() if int(rate.among[rows].sum()) >= min_group_size}
    members = list(judged.values())
    values = np.array([rate.counted[rows][rate.among[rows]].mean() for rows in members])
    draws = _drawn_rates(rate, members, bootstrap)
    return _compare(values, draws, list(judged), COMPARISONS[comparison], bootstrap.confidence)


def error_spread(errors: Floats, groups: pd.Series, *, min_group_size: int, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP) -> Spread:
    """Return the ratio of the largest to the smallest mean of ``errors`` between groups of at least ``min_group_size`` rows.

    Rows are resampled within each group.
    """
    sizes = groups.value_counts()
    names = [name for name in group_order(groups) if sizes[name] >= min_group_size]
    members = [np.asarray(errors)[(groups == name).to_numpy()] for name in names]
    values = np.array([rows.mean() for rows in members])
    draws = np.empty((bootstrap.resamples, len(names)))
    for index, rows in enumerate(members):
        strata = np.zeros(len(rows), dtype=np.int64)
        blocks = resample_weights(strata, bootstrap.resamples, bootstrap.random_state + index)
        draws[:, index] = np.concatenate([weights @ rows for weights in blocks]) / len(rows)
    return _compare(values, draws, names, _error_ratio, bootstrap.confidence)
