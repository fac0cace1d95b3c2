"""Which predictions count: those old enough for their labels to have come, and whether the labels speak for all of them.

The labels that come first are not those of all rows: who leaves is known at once, who stays only in the end. A metric over them is
wrong whatever the model, so that only predictions older than the case's ``matures_after`` count, with a label or without; what
share of them has one, and whether those with a label look like those without, is told.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gristmill.metrics.disparity import wilson_interval
from gristmill.metrics.interval_ends import Interval
from gristmill.metrics.scores import Floats
from gristmill.monitoring.performance.served import Served

CHANCE = 0.01
"""Chance of a distance this large between two samples of the same kind, below which it is called selection."""


@dataclass(frozen=True)
class Matured:
    """The predictions of a window that are old enough, and what is known of their labels.

    Attributes
    ----------
    served
        The mature predictions, with a label or without.
    young
        Number of predictions of the window that are too young to count.
    young_labels
        Of these, those that have a label already.
    label_share
        Share of the mature predictions with a label, with Wilson's interval.
    delay_days
        Median and 90th percentile of the days from prediction to label; not a number where no time is known.
    selection
        Kolmogorov-Smirnov distance between what was predicted with and without a label, and the chance of as large a one.
    warnings
        Sentences on why the metrics may not be those of all rows.
    """

    served: Served
    young: int
    young_labels: int
    label_share: Interval
    delay_days: tuple[float, float]
    selection: tuple[float, float]
    warnings: tuple[str, ...]

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "predictions": len(self.served),
            "labels": int(self.served.labelled.sum()),
            "young": self.young,
            "young_labels": self.young_labels,
            "label_share": self.label_share,
            "delay_days": {"median": self.delay_days[0], "p90": self.delay_days[1]},
            "selection": {"distance": self.selection[0], "p_value": self.selection[1]},
            "warnings": list(self.warnings),
        }


def matured(served: Served, now: float, settings: Any) -> Matured:
    """Return the predictions that count at a moment.

    Parameters
    ----------
    served
        Predictions.
    now
        Seconds since 1970.
    settings
        The case's ``monitoring.performance``.
    """
    at = served.rows["at"].to_numpy(dtype=np.float64)
    last = now - settings.maturity_seconds
    inside = at >= last - settings.window_seconds
    old = served.take(inside & (at <= last))
    young = served.take(inside & (at > last))
    share, distance, delay = _label_share(old), _selection(old), _delay(old)
    warnings = _warnings(old, share, distance, delay, settings)
    return Matured(old, len(young), int(young.labelled.sum()), share, delay, distance, warnings)


def _label_share(served: Served) -> Interval:
    """Return which share has a label."""
    count, n_rows = float(served.labelled.sum()), float(len(served))
    low, high = wilson_interval(np.array([count]), np.array([n_rows]), 0.95)
    return {"value": count / n_rows if n_rows else float("nan"), "low": float(low[0]), "high": float(high[0])}


def _columns_of(predicted: Floats) -> list[Floats]:
    """Return what is compared: numbers, the positive class's probability, or that of each class."""
    if predicted.ndim == 1:
        return [predicted]
    return [predicted[:, -1]] if predicted.shape[1] == 2 else list(predicted.T)


def _selection(served: Served) -> tuple[float, float]:
    """Return the distance between predictions with a label and without, and its p-value (of the worst class, Bonferroni)."""
    from scipy.stats import ks_2samp  # noqa: PLC0415

    with_label = served.labelled
    if min(with_label.sum(), (~with_label).sum()) < 20:
        return 0.0, 1.0
    found = [ks_2samp(column[with_label], column[~with_label], method="asymp") for column in _columns_of(served.predicted)]
    worst = max(found, key=lambda one: one.statistic)
    return float(worst.statistic), min(1.0, float(worst.pvalue) * len(found))


def _delay(served: Served) -> tuple[float, float]:
    """Return median and 90th percentile of the days that labels took."""
    days = (served.rows["label_at"] - served.rows["at"]).to_numpy(dtype=np.float64) / 86_400
    known = days[np.isfinite(days)]
    if not len(known):
        return float("nan"), float("nan")
    median, late = np.quantile(known, [0.5, 0.9])
    return float(median), float(late)


def _warnings(
    served: Served, share: Interval, selection: tuple[float, float], delay: tuple[float, float], settings: Any
) -> tuple[str, ...]:
    """Return why the metrics may not be those of all rows."""
    found = []
    if len(served) and share["value"] < settings.min_label_share:
        found.append(
            f"Only {share['value']:.0%} of the mature predictions have a label, fewer than {settings.min_label_share:.0%}: the "
            "others may be of another kind."
        )
    distance, chance = selection
    if distance > settings.max_selection and chance < CHANCE:
        found.append(
            f"Labels are selective: predictions with and without a label lie {distance:.2f} apart (Kolmogorov-Smirnov), more than "
            f"{settings.max_selection:g}. The metrics are those of the labelled rows, not of all."
        )
    if delay[1] * 86_400 > settings.maturity_seconds > 0:
        found.append(
            f"One label in ten takes more than {delay[1]:.1f} days, longer than `monitoring.performance.matures_after`: rows "
            "count whose labels are still to come."
        )
    return tuple(found)
