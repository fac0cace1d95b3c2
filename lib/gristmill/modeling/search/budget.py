"""How long the search for a family may go on, and from how many rows it can learn in that time."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FAMILIES_AT_ONCE = 2
"""Families that are trained side by side, one core each."""

RESERVE = 0.15
"""Share of the budget that is kept back for the family where more search helps most, which is known after all were searched."""

LARGE = 20_000
"""Training rows of a fold from which it is measured first whether a trial on all of them can end in time."""

PROBES = (1_000, 3_000)
"""Rows that are fitted to find out."""

FIRST_TRIAL_SHARE = 0.7
"""Share of the time that a first trial may be expected to take."""


@dataclass(frozen=True)
class Budget:
    """How long a search may go on: wall-clock seconds, or exactly so many trials."""

    seconds: float | None
    trials: int | None

    @classmethod
    def of(cls, training: Any) -> "Budget":
        """Return one family's share of a case's ``training`` section: families run side by side, and a reserve is kept back."""
        if training.trials is not None:
            return cls(None, training.trials)
        rounds = math.ceil(len(training.families) / at_once())
        kept_back = reserve(training)
        return cls((training.budget_seconds - kept_back) / max(1, rounds), None)


def at_once() -> int:
    """Return how many families are trained side by side on this machine."""
    return min(FAMILIES_AT_ONCE, os.cpu_count() or 1)


def reserve(training: Any) -> float:
    """Return the seconds of a case's budget that are kept back; none where trials are counted, or one is repeated."""
    if training.trials is not None or training.replay is not None or len(training.families) < 2:
        return 0.0
    return float(RESERVE * training.budget_seconds)


def affordable_rows(n_train: int, n_folds: int, seconds: float, fold_seconds: Callable[[int], float]) -> int | None:
    """Return how many training rows of each fold a first trial can afford; None for all.

    Two small fits tell what a fold costs at all and what each row adds; the time of a fit is taken to grow with its rows.

    Parameters
    ----------
    n_train
        Training rows of the largest fold.
    n_folds
        Number of folds.
    seconds
        The budget.
    fold_seconds
        Measures one fold with so many training rows.
    """
    if n_train <= LARGE:
        return None
    few, more = PROBES
    first, second = fold_seconds(few), fold_seconds(more)
    left = max(0.0, seconds - first - second)
    a_row = max(0.0, (second - first) / (more - few))
    fixed = max(0.0, second - a_row * more)
    affordable = FIRST_TRIAL_SHARE * left / n_folds
    if fixed + a_row * n_train <= affordable:
        return None
    return max(more, min(n_train, int((affordable - fixed) / a_row))) if a_row > 0 else more


def fewer_rows(now: int, n_done: int, n_folds: int, taken: float, left: float) -> int:
    """Return how many training rows of each fold a trial can afford, after one on more of them did not end in time.

    Parameters
    ----------
    now
        Training rows of each fold in that trial.
    n_done, n_folds
        Folds that it finished, and folds that there are.
    taken
        Seconds that it took.
    left
        Seconds that are left.
    """
    whole_trial = taken / max(1, n_done) * n_folds
    return max(PROBES[-1], int(now * min(0.5, FIRST_TRIAL_SHARE * max(0.0, left) / whole_trial)))
