"""What acting from a certain probability on comes to: who is acted on, who is missed, and what that is worth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.reporting.wording import count, figure, share

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]

STEPS = 101
"""Thresholds that a curve is drawn through."""


@dataclass(frozen=True)
class Stakes:
    """What decisions are worth, in the currency of the case file.

    With ``rule`` ``profit``, ``first`` is what a row rightly acted on brings, and ``second`` what acting on any row costs; with
    ``cost``, ``first`` is what acting in vain costs, and ``second`` what missing a positive row costs.
    """

    rule: str
    first: float
    second: float

    @property
    def labels(self) -> tuple[str, str]:
        """What the two amounts are, in words."""
        if self.rule == "cost":
            return "Cost of acting in vain", "Cost of missing one"
        return "Worth of acting rightly", "Cost of acting on one"

    @property
    def what(self) -> str:
        """What is added up."""
        return "Cost" if self.rule == "cost" else "Profit"

    def amount(self, hits: Any, in_vain: Any, missed: Any) -> Any:
        """Return the profit, or the cost, of so many rows rightly acted on, acted on in vain, and missed."""
        if self.rule == "cost":
            return in_vain * self.first + missed * self.second
        return hits * self.first - (hits + in_vain) * self.second


def stakes_of(threshold: Any) -> Stakes:
    """Return what the section ``threshold`` of a case says that decisions are worth."""
    if threshold.rule == "cost":
        return Stakes("cost", float(threshold.cost_false_positive), float(threshold.cost_false_negative))
    return Stakes("profit", float(threshold.value_true_positive), float(threshold.cost_contact))


@dataclass(frozen=True)
class Decision:
    """What acting from ``threshold`` on comes to, in rows, and in ``amount`` per 1,000 rows."""

    threshold: float
    hits: int
    in_vain: int
    missed: int
    left: int
    amount: float

    @property
    def rows(self) -> int:
        """All rows."""
        return self.hits + self.in_vain + self.missed + self.left

    @property
    def acted(self) -> int:
        """Rows that are acted on."""
        return self.hits + self.in_vain

    @property
    def share(self) -> float:
        """Share of the rows that is acted on."""
        return self.acted / max(self.rows, 1)

    @property
    def precision(self) -> float:
        """Share of those acted on that are positive."""
        return self.hits / self.acted if self.acted else float("nan")

    @property
    def recall(self) -> float:
        """Share of the positive rows that is acted on."""
        positives = self.hits + self.missed
        return self.hits / positives if positives else float("nan")

    def in_words(self, stakes: Stakes, positive: str) -> str:
        """Return it as a sentence for somebody who does not know the words for it."""
        return (
            f"Acting on a probability of {figure(self.threshold)} or more acts on {count(self.acted)} of {count(self.rows)} rows "
            f"({share(self.share, 1)}). {count(self.hits)} of them are {positive} ({share(self.precision)} of those acted on, "
            f"{share(self.recall)} of all that are); {count(self.missed)} are missed. {stakes.what} per 1,000 rows: "
            f"{figure(self.amount)}."
        )


def decide(scores: Floats, positives: Truth, threshold: float, stakes: Stakes) -> Decision:
    """Return what acting on every row of at least ``threshold`` comes to.

    Parameters
    ----------
    scores
        Probability of the positive class, shape ``(n_rows,)``.
    positives
        Whether a row is positive, shape ``(n_rows,)``.
    threshold
        From which probability on rows are acted on.
    stakes
        What decisions are worth.
    """
    acted = scores >= threshold
    hits, in_vain = int((acted & positives).sum()), int((acted & ~positives).sum())
    missed, left = int((~acted & positives).sum()), int((~acted & ~positives).sum())
    amount = float(stakes.amount(hits, in_vain, missed)) * 1000 / max(len(scores), 1)
    return Decision(threshold, hits, in_vain, missed, left, amount)


def sweep(scores: Floats, positives: Truth, stakes: Stakes) -> pd.DataFrame:
    """Return the amount per 1,000 rows and the share acted on along :data:`STEPS` thresholds from 0 to 1."""
    order = np.argsort(scores)
    ranked, truth = scores[order], positives[order]
    thresholds = np.linspace(0.0, 1.0, STEPS)
    first = np.searchsorted(ranked, thresholds, side="left")
    below = np.concatenate([[0], np.cumsum(truth)])[first]
    hits = truth.sum() - below
    in_vain = len(ranked) - first - hits
    amounts = stakes.amount(hits, in_vain, below) * 1000 / max(len(ranked), 1)
    return pd.DataFrame({"threshold": thresholds, "amount": amounts, "share": (hits + in_vain) / max(len(ranked), 1)})


def threshold_for(scores: Floats, share_acted: float) -> float:
    """Return the lowest threshold that acts on at most a share of the rows; equal probabilities stay together.

    The lowest of the hundredths that do is taken, if any does, since those are what a slider can be set to.
    """
    hundredths = np.linspace(0.0, 1.0, STEPS)
    acted = 1 - np.searchsorted(np.sort(scores), hundredths, side="left") / max(len(scores), 1)
    fitting = hundredths[acted <= share_acted + 1e-12]
    return float(fitting[0]) if len(fitting) else 1.0
