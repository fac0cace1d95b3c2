"""The function by which the target of a synthetic table follows from its features."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Values = Mapping[str, NDArray[np.float64] | NDArray[np.int64]]

LEVELS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "gender": (("female", 0.49), ("male", 0.49), ("other", 0.02)),
    "region": (
        ("North", 0.24), ("South", 0.2), ("West", 0.17), ("East", 0.14), ("Centre", 0.1), ("Coast", 0.07), ("Lakes", 0.04),
        ("Highlands", 0.025), ("Islands", 0.01), ("Overseas", 0.005),
    ),
    "plan": (("basic", 0.45), ("plus", 0.3), ("pro", 0.2), ("business", 0.05)),
    "payment_method": (("card", 0.5), ("direct debit", 0.3), ("invoice", 0.15), ("voucher", 0.05)),
    "discount": (("no", 0.75), ("yes", 0.25)),
}  # fmt: skip
"""Column -> its levels with their shares, some of them rare."""

USAGE_SPREAD = 0.8
"""Standard deviation of the logarithm of ``usage_hours``."""

_REGION = np.array([0.0, 0.1, -0.1, 0.2, 0.0, 0.3, -0.4, 0.5, 0.9, -0.8])
_PAYMENT = np.array([0.0, -0.4, 0.2, 0.8])
REVENUE_NOISE = 60.0
"""Standard deviation of what a year's revenue does not owe to the features."""


@dataclass(frozen=True)
class Truth:
    """What is true of the rows, and what came of it.

    Attributes
    ----------
    expected
        Probabilities of the classes, shape ``(n_rows, n_classes)``; of a regression the mean, shape ``(n_rows, 1)``.
    outcome
        The class by its place, or the number; shape ``(n_rows,)``.
    """

    expected: Floats
    outcome: Floats

    def biased(self, task: str, group: NDArray[np.bool_], bias: float, chance: Floats) -> "Truth":
        """Return what is recorded of a group that is treated worse.

        Parameters
        ----------
        task
            Kind of target.
        group
            Who is in it, shape ``(n_rows,)``.
        bias
            Share of its outcomes of class 1 that are recorded as class 0; of a regression the standard deviations of the noise
            by which its numbers are lowered.
        chance
            Uniform numbers, shape ``(n_rows,)``.
        """
        if not bias:
            return self
        if task == "regression":
            less = np.where(group, bias * REVENUE_NOISE, 0.0)
            return Truth(self.expected - less[:, None], self.outcome - less)
        moved = np.where(group, bias, 0.0) * self.expected[:, 1]
        expected = self.expected.copy()
        expected[:, 0] += moved
        expected[:, 1] -= moved
        return Truth(expected, np.where(group & (chance < bias) & (self.outcome == 1), 0.0, self.outcome))


def truth_of(task: str, values: Values, chance: Floats, noise: Floats) -> Truth:
    """Return the truth about rows.

    Parameters
    ----------
    task
        Kind of target.
    values
        Feature -> numbers, or places of levels, shape ``(n_rows,)``.
    chance, noise
        Uniform and standard normal numbers, shape ``(n_rows,)``.
    """
    risk = _risk(values)
    if task == "regression":
        mean = 200 + 12 * values["monthly_fee"] / (1 + np.exp(risk)) + 4 * np.sqrt(values["usage_hours"])
        return Truth(mean[:, None], mean + REVENUE_NOISE * noise)
    if task == "multiclass":
        appetite = np.log(values["usage_hours"]) - 2.6 + 0.8 * (values["plan"] == 0) - 1.5 * (values["plan"] == 3)
        scores = np.exp(1.5 * np.column_stack([np.full(len(risk), 0.3), appetite, risk]))
        expected = scores / scores.sum(axis=1, keepdims=True)
        return Truth(expected, (chance[:, None] > expected.cumsum(axis=1)[:, :-1]).sum(axis=1).astype(np.float64))
    positive = 1 / (1 + np.exp(-1.4 * risk))
    return Truth(np.column_stack([1 - positive, positive]), (chance < positive).astype(np.float64))


def _risk(values: Values) -> Floats:
    """Return how strongly a customer is drawn to leave: steps, saturation, and plans that matter in company only."""
    usage = (np.log(values["usage_hours"]) - 2.5) / USAGE_SPREAD
    price = values["monthly_fee"] / (1 + values["usage_hours"])
    risk = 1.8 * np.exp(-values["tenure_months"] / 14) - 0.9 * np.tanh(usage)
    risk += 0.9 * (values["support_calls"] >= 3) + 0.35 * values["support_calls"] * (values["plan"] == 0)
    risk += 0.8 * np.tanh(price - 2) + 0.5 * (values["days_since_login"] > 21) - 0.5 * values["discount"]
    risk += 0.4 * (values["age"] < 25) + _REGION[values["region"].astype(np.int64)]
    return np.asarray(risk + _PAYMENT[values["payment_method"].astype(np.int64)] - 0.9, dtype=np.float64)
