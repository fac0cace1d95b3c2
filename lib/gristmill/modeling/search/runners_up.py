"""Other good configurations of a family than the best: what an ensemble is strong by."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.metrics.scores import as_gain
from gristmill.modeling.families.problem import Params
from gristmill.modeling.search.folds import Folds, fold_scores, mean_score

Floats = NDArray[np.float64]

MOST_RUNNERS_UP = 3
"""Configurations of a family that are handed on beside its best."""

MOST_HELD = 8
"""Configurations whose predictions are held while a search runs."""

MOST_HELD_BYTES = 400_000_000
"""Memory that those predictions may take; two configurations are held however large the table."""

MARGIN = 3.0
"""How far behind the best a configuration may lie, in spreads of the best over the folds, and still be of use to an ensemble."""


@dataclass(frozen=True)
class Held:
    """A finished trial and its out-of-fold predictions of all training rows."""

    trial: Any
    oof: Floats


@dataclass
class RunnersUp:
    """Holds the best trials of a search while it runs, the best of each kind first.

    Parameters
    ----------
    metric
        The metric that decides.
    """

    metric: str
    held: list[Held] = field(default_factory=list)

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of the trials that are held."""
        return frozenset(one.trial.number for one in self.held)

    def offer(self, trial: Any, oof: Floats) -> None:
        """Take in a finished trial, and let the least useful go if there are too many.

        What goes is the worst of those that are not the best of their kind; where all are, the worst.
        """
        self.held.append(Held(trial, oof))
        self.held.sort(key=lambda one: -self._gain(one))
        if len(self.held) > max(2, min(MOST_HELD, MOST_HELD_BYTES // max(1, oof.nbytes))):
            kinds = [kind(one.trial.params) for one in self.held]
            repeated = [place for place, name in enumerate(kinds) if name in kinds[:place]]
            del self.held[repeated[-1] if repeated else -1]

    def chosen(self, best: Any, y: NDArray[Any], folds: Folds) -> list[Held]:
        """Return up to :data:`MOST_RUNNERS_UP` trials that go best with the best one, the most useful first.

        Greedy: the next one is that whose plain mean with the best and those already chosen scores best (Caruana et al. 2004).
        Trials that lie far behind the best, or answer exactly as one already chosen, are left out.

        Parameters
        ----------
        best
            The best trial of the search; one of those offered.
        y
            Codes or numbers of all training rows.
        folds
            Positions of the training and the validation rows.
        """
        first = next((one for one in self.held if one.trial.number == best.number), None)
        if first is None:
            return []
        lowest = self._gain(first) - MARGIN * max(best.std, 1e-12)
        left = [one for one in self.held if one is not first and self._gain(one) >= lowest]
        total, taken = first.oof, [first]
        while left and len(taken) <= MOST_RUNNERS_UP:
            left = [one for one in left if not any(np.array_equal(one.oof, other.oof, equal_nan=True) for other in taken)]
            scores = [self._blend_gain((total + one.oof) / (len(taken) + 1), y, folds) for one in left]
            if not scores:
                break
            pick = left.pop(int(np.argmax(scores)))
            total, taken = total + pick.oof, [*taken, pick]
        return taken[1:]

    def _gain(self, one: Held) -> float:
        """Return a trial's score turned so that more is better."""
        return as_gain(self.metric, one.trial.score)

    def _blend_gain(self, predicted: Floats, y: NDArray[Any], folds: Folds) -> float:
        """Return a blend's score turned so that more is better; undefined is worst."""
        value = as_gain(self.metric, mean_score(self.metric, fold_scores(self.metric, y, predicted, folds), y, predicted, folds))
        return value if np.isfinite(value) else -np.inf


def kind(params: Params) -> tuple[str, ...]:
    """Return what kind of model a configuration makes: whatever it says in words rather than numbers (library, preparation)."""
    return tuple(f"{key}={value}" for key, value in sorted(params.items()) if isinstance(value, str))
