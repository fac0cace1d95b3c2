"""A threshold for each group, in place of one for all, so that groups are selected, or found, at rates closer to each other.

Unlike the post-processing of Hardt, Price and Srebro (2016), which tosses a coin between two thresholds where no single one meets
a rate exactly, each group has one threshold: two like rows are never treated differently by chance, and rates meet as closely as
the group's rows allow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.mitigations import OPPORTUNITY
from gristmill.modeling.choice.thresholds import capacity_threshold
from gristmill.modeling.mitigation.grouping import Grouping
from gristmill.modeling.search.folds import Folds

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GroupThresholds:
    """One threshold a group, and what is made of a probability so that one threshold decides for all.

    Attributes
    ----------
    grouping
        How a row's group is found.
    by_group
        Group -> the probability from which its rows are flagged.
    others
        The threshold of groups that are not in ``by_group``: small ones, and those that training rows did not have.
    common
        The threshold that decides once probabilities are moved, inside 0 and 1.
    """

    grouping: Grouping
    by_group: Mapping[str, float]
    others: float
    common: float

    def moved(self, frame: pd.DataFrame, y_proba: Floats) -> Floats:
        """Return probabilities, shape ``(n_rows, 2)``, moved so that :attr:`common` decides as the row's own threshold would."""
        own = np.array([self.by_group.get(name, self.others) for name in self.grouping.of(frame)], dtype=np.float64)
        return moved_to(self.common, own, y_proba)

    def as_record(self) -> dict[str, Any]:
        """Return it as it stands in ``model.json``."""
        ends = {"others": self.others, "common": self.common}
        return {"columns": self.grouping.as_record(), "by_group": dict(self.by_group), **ends}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "GroupThresholds":
        """Return what :meth:`as_record` wrote."""
        by_group = {str(name): float(value) for name, value in record["by_group"].items()}
        return cls(Grouping.from_record(record["columns"]), by_group, float(record["others"]), float(record["common"]))


def moved_to(common: float, own: Floats, y_proba: Floats) -> Floats:
    """Return probabilities that reach ``common`` exactly where they reached the row's own threshold.

    Below and above its threshold a probability keeps its place between 0, the threshold and 1, so that within a group the order of
    rows stays as it is.

    Parameters
    ----------
    common
        Inside 0 and 1.
    own
        Threshold of each row, 0 or more; above 1 flags nothing.
    y_proba
        Shape ``(n_rows, 2)``.
    """
    positive = y_proba[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.minimum(positive * common / own, np.nextafter(common, 0.0))
        above = np.maximum(1 - (1 - positive) * (1 - common) / (1 - own), common)
    above = np.where(own >= 1, np.where(own == 1, 1.0, below), above)
    result = np.where(own == common, positive, np.where(positive >= own, above, below))
    return np.column_stack([1 - result, result])


def reference(threshold: float) -> float:
    """Return the threshold that decides once probabilities are moved: the model's own where it lies inside 0 and 1."""
    return threshold if 0 < threshold < 1 else 0.5


def fit_thresholds(
    rate: str, strength: float, y: NDArray[np.int64], positive: Floats, groups: NDArray[np.object_], threshold: float, smallest: int
) -> dict[str, float]:
    """Return the threshold of each group that is large enough.

    Parameters
    ----------
    rate
        ``selection``: of all rows of a group, those flagged; ``opportunity``: of its positive rows.
    strength
        0 leaves each group at the rate that one threshold gives it; 1 brings all to the rate of all rows together.
    y, positive, groups
        Codes, probability of the positive class, and group, of each row.
    threshold
        The one threshold.
    smallest
        Groups with fewer rows that the rate counts keep the one threshold.
    """
    counted = y == 1 if rate == OPPORTUNITY else np.ones(len(y), dtype=bool)
    target = float((positive[counted] >= threshold).mean()) if counted.any() else 0.0
    found = {}
    for name in sorted(set(groups)):
        scores = positive[counted & (groups == name)]
        if len(scores) < max(1, smallest):
            continue
        wanted = (1 - strength) * float((scores >= threshold).mean()) + strength * target
        found[str(name)] = capacity_threshold(scores, round(wanted * len(scores)))
    return found


def cross_fitted(
    rate: str,
    strength: float,
    y: NDArray[np.int64],
    oof: Floats,
    groups: NDArray[np.object_],
    folds: Folds,
    threshold: float,
    smallest: int,
) -> Floats:
    """Return out-of-fold probabilities, every fold's moved by thresholds that were found on the other folds."""
    common, made = reference(threshold), oof.copy()
    rows = [valid for _, valid in folds]
    for place, valid in enumerate(rows):
        others = np.concatenate([part for other, part in enumerate(rows) if other != place])
        by_group = fit_thresholds(rate, strength, y[others], oof[others, 1], groups[others], threshold, smallest)
        own = np.array([by_group.get(str(name), threshold) for name in groups[valid]])
        made[valid] = moved_to(common, own, oof[valid])
    return made
