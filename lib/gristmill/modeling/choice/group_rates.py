"""How far the rates of groups lie apart at every threshold, so that a threshold can be chosen under a limit."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.metrics.groups import group_order

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GroupLimit:
    """What a case asks of the difference between groups.

    Attributes
    ----------
    rate
        ``selection_rate`` (of all rows, those flagged) or ``true_positive_rate`` (of positive rows, those flagged).
    most
        Largest difference between two groups of one feature.
    min_group_size
        Groups with fewer rows that the rate counts are not judged.
    groups
        Sensitive feature -> each row's group, in the order of the probabilities.
    """

    rate: str
    most: float
    min_group_size: int
    groups: Mapping[str, pd.Series]


@dataclass(frozen=True)
class GroupDifferences:
    """The largest difference over the features at every threshold, shape ``(n_thresholds,)``, and between whom.

    ``between`` holds ``(feature, lowest group, highest group)``, threshold by threshold. Without two groups of any feature to
    compare, ``largest`` is empty.
    """

    largest: Floats
    between: list[tuple[str, str, str]]


def differences(limit: GroupLimit, y: NDArray[np.int64], positive: Floats, thresholds: Floats) -> GroupDifferences:
    """Return how far the groups' rates lie apart at each threshold; a row is flagged when its probability is at least that.

    Parameters
    ----------
    limit
        The rate, the groups, and how large a group must be.
    y
        Codes, 1 for the positive class, shape ``(n_rows,)``.
    positive
        Probability of the positive class, shape ``(n_rows,)``.
    thresholds
        Shape ``(n_thresholds,)``.
    """
    counted = y == 1 if limit.rate == "true_positive_rate" else np.ones(len(y), dtype=bool)
    spreads, ends = [], []
    for feature, groups in limit.groups.items():
        rates = _rates(groups, counted, positive, thresholds, limit.min_group_size)
        if len(rates) > 1:
            names, table = list(rates), np.array(list(rates.values()))
            spreads.append(table.max(axis=0) - table.min(axis=0))
            lowest, highest = table.argmin(axis=0), table.argmax(axis=0)
            ends.append([(feature, names[low], names[high]) for low, high in zip(lowest, highest, strict=True)])
    if not spreads:
        return GroupDifferences(np.empty(0), [])
    worst = np.argmax(spreads, axis=0)
    return GroupDifferences(np.max(spreads, axis=0), [ends[feature][place] for place, feature in enumerate(worst)])


def _rates(
    groups: pd.Series, counted: NDArray[np.bool_], positive: Floats, thresholds: Floats, min_group_size: int
) -> dict[str, Floats]:
    """Return the share of each judged group's counted rows that every threshold flags."""
    members = groups.to_numpy()
    found = {}
    for name in group_order(groups):
        scores = np.sort(positive[counted & (members == name)])
        if len(scores) >= min_group_size:
            found[name] = 1 - np.searchsorted(scores, thresholds, side="left") / len(scores)
    return found
