"""How often each training row is learnt, so that what is learnt depends less on the group.

Families differ in whether they can weigh rows, so rows are drawn as often as they weigh, which Kamiran and Calders (2012, "Data
preprocessing techniques for classification without discrimination", section 5.4) call sampling: every family, ensemble and stack
learns from it without knowing, and what is stored is an ordinary model.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.mitigations import BALANCING

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]

OUTCOME_PARTS = 4
"""Parts, by quantiles, that stand for the classes of a target that is a number."""

MOST_WEIGHT = 20.0
"""No row is learnt more often than this: a cell of three rows must not become a model."""


def outcomes(y: NDArray[np.generic], n_classes: int) -> NDArray[np.int64]:
    """Return the class codes, or for numbers the quarter that each lies in, shape ``(n_rows,)``."""
    if n_classes:
        return np.asarray(y, dtype=np.int64)
    return np.asarray(pd.qcut(np.asarray(y, dtype=np.float64), OUTCOME_PARTS, labels=False, duplicates="drop"), dtype=np.int64)


def row_weights(method: str, strength: float, groups: NDArray[np.object_], outcome: NDArray[np.int64]) -> Floats:
    """Return the weight of each row; their mean is 1 unless a weight was held at :data:`MOST_WEIGHT`.

    Parameters
    ----------
    method
        ``reweighing``: a row of group g and outcome y weighs P(g) P(y) / P(g, y), under which group and outcome are independent.
        ``balancing``: every group has the same weight in total.
    strength
        0 leaves every weight at 1, 1 is the method as it was published; in between the weights are mixed.
    groups, outcome
        Of each row.
    """
    group = pd.factorize(groups)[0]
    n_rows, sizes = len(group), np.bincount(group)
    if method == BALANCING:
        full = n_rows / len(sizes) / sizes[group]
    else:
        cell = group * (int(outcome.max()) + 1) + outcome
        full = sizes[group] * np.bincount(outcome)[outcome] / (n_rows * np.bincount(cell)[cell])
    return np.asarray(1 + strength * (np.minimum(full, MOST_WEIGHT) - 1), dtype=np.float64)


def drawn(weights: Floats, random_state: int) -> Positions:
    """Return as many positions of rows as there are weights, each as often as it weighs, rising.

    The draw is systematic: of all rows of one weight together as many are drawn as they weigh, less or more than one.
    """
    rng = np.random.default_rng(random_state)
    order = np.lexsort((rng.permutation(len(weights)), weights))
    ends = np.cumsum(weights[order]) * (len(weights) / weights.sum())
    passed = np.floor(ends + rng.uniform(0.25, 0.75))
    passed[-1] = len(weights)
    counts = np.diff(passed, prepend=0).astype(np.int64)
    return np.sort(np.repeat(order, counts)).astype(np.int64)
