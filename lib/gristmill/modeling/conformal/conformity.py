"""What is kept of a model's out-of-fold errors, and the sets and intervals that any level makes of them.

A row's conformity score says how badly the model did on it: for classes one minus the probability of the true one (least
ambiguous sets, LAC; Sadinle, Lei & Wasserman 2019), for numbers the absolute residual, divided by the size that errors have at that
prediction where one width would not serve all (Lei et al. 2018). Of ``n`` scores, the ``ceil((n + 1) * level)``-th smallest is the
limit within which the truth of a further, exchangeable row lies with probability ``level`` or more (Vovk, Gammerman & Shafer 2005;
Angelopoulos & Bates 2021).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.errors import ArtifactError, DataError, LevelError
from gristmill.modeling.conformal.spread import Spread

Floats = NDArray[np.float64]

FORMAT = 1
LOWEST, HIGHEST = 0.5, 0.999
"""Levels that may be asked for."""

MOST_SCORES = 5_000
"""Scores kept with a model at most. Where there are more, a level is exceeded by about 0.0001 at most."""

LAC, ABSOLUTE, SCALED = "lac", "absolute_residual", "scaled_residual"
METHODS = (LAC, ABSOLUTE, SCALED)

SAME = 1e-9
"""Probabilities that differ by less are taken as equal: two forms of one model may."""


def checked_level(level: object) -> float:
    """Return a level that somebody asked for.

    Raises
    ------
    LevelError
        It is no number from :data:`LOWEST` to :data:`HIGHEST`.
    """
    number = math.nan if isinstance(level, bool) or not isinstance(level, int | float | np.integer | np.floating) else float(level)
    if not LOWEST <= number <= HIGHEST:
        raise LevelError(
            f"Expected a level from {LOWEST} to {HIGHEST} for sets and intervals (0.9 holds nine truths in ten), got {level!r}."
        )
    return number


def rank(n_rows: int, level: float) -> int:
    """Return which of ``n_rows`` sorted scores is the limit of a level, counted from 1; more than there are if none is."""
    return math.ceil((n_rows + 1) * level - 1e-9)


def kept_ranks(n_rows: int) -> NDArray[np.int64]:
    """Return which of ``n_rows`` sorted scores are kept, counted from 1: those that some level needs, evenly thinned if many."""
    first = min(rank(n_rows, LOWEST), n_rows)
    if n_rows - first < MOST_SCORES:
        return np.arange(first, n_rows + 1)
    return np.ceil(np.linspace(first, n_rows, MOST_SCORES)).astype(np.int64)


@dataclass(frozen=True)
class Conformity:
    """The sorted conformity scores of a model's out-of-fold predictions.

    Attributes
    ----------
    method
        One of :data:`METHODS`.
    n_rows
        Rows whose errors were learnt.
    scores
        The :func:`kept_ranks` of their scores, ascending.
    spread
        Size of errors by prediction, for :data:`SCALED`; None otherwise.
    """

    method: str
    n_rows: int
    scores: Floats
    spread: Spread | None = None

    @classmethod
    def of(cls, method: str, scores: Floats, spread: Spread | None = None) -> "Conformity":
        """Return what is kept of the scores of all rows, shape ``(n_rows,)``.

        Raises
        ------
        DataError
            There are none, or one is not a finite number.
        """
        if not len(scores):
            raise DataError("Expected rows that were predicted out of fold, to learn from them how far predictions err, got none.")
        if not np.isfinite(scores).all():
            row = int(np.flatnonzero(~np.isfinite(scores))[0]) + 1
            raise DataError(f"Expected an out-of-fold prediction for every validated row, got none for row {row} of {len(scores)}.")
        return cls(method, len(scores), np.sort(scores)[kept_ranks(len(scores)) - 1], spread)

    @property
    def highest_level(self) -> float:
        """The highest level that so many rows allow, rounded down to three digits; below :data:`LOWEST` if they allow none."""
        return min(HIGHEST, math.floor(1000 * self.n_rows / (self.n_rows + 1)) / 1000)

    def limit(self, level: float) -> float:
        """Return the score within which the truth lies with probability ``level``.

        Raises
        ------
        LevelError
            The level is none, or so few rows cannot vouch for it.
        """
        place = rank(self.n_rows, checked_level(level))
        if place > self.n_rows:
            allowed = f"Ask for {self.highest_level:g} at most" if self.highest_level >= LOWEST else "Ask for none"
            raise LevelError(
                f"Expected a level that the {self.n_rows} out-of-fold rows of this model can vouch for, got {level!r}, which needs "
                f"{math.ceil(level / (1 - level) - 1e-6)}. {allowed}, or build from more rows."
            )
        return float(self.scores[int(np.searchsorted(kept_ranks(self.n_rows), place))])

    def sets(self, proba: Floats, level: float) -> NDArray[np.bool_]:
        """Return which classes are in each row's set.

        No set is empty: where no class comes within the limit, the most probable one is the set. A model that is right more often
        than the level therefore covers more than was asked for.

        Parameters
        ----------
        proba
            Probabilities, shape ``(n_rows, n_classes)``.
        level
            Share of rows whose set is to hold the true class.

        Returns
        -------
        ndarray of bool, shape ``(n_rows, n_classes)``

        Raises
        ------
        LevelError
            As :meth:`limit`.
        DataError
            A row has no probability.
        """
        limit = self.limit(level)
        _require_finite(proba)
        inside = 1.0 - proba <= limit + SAME
        inside[np.arange(len(proba)), proba.argmax(axis=1)] = True
        return inside

    def interval(self, predicted: Floats, level: float) -> tuple[Floats, Floats]:
        """Return the lower and the upper end around each predicted number, shape ``(n_rows,)`` each.

        Raises
        ------
        LevelError
            As :meth:`limit`.
        DataError
            A row has no prediction.
        """
        limit = self.limit(level)
        _require_finite(predicted)
        half = limit * (np.ones(len(predicted)) if self.spread is None else self.spread.at(predicted))
        return predicted - half, predicted + half

    def as_record(self) -> dict[str, Any]:
        """Return all of it as JSON-able data."""
        spread = None if self.spread is None else self.spread.as_record()
        return {"format": FORMAT, "method": self.method, "rows": self.n_rows, "scores": self.scores.tolist(), "spread": spread}

    @classmethod
    def from_record(cls, record: Any) -> "Conformity":
        """Return what :meth:`as_record` wrote.

        Raises
        ------
        ArtifactError
            The record is none.
        """
        try:
            method, n_rows, scores = record["method"], int(record["rows"]), np.asarray(record["scores"], dtype=np.float64)
            spread = None if record["spread"] is None else Spread.from_record(record["spread"])
            known = record["format"] == FORMAT and method in METHODS and (spread is not None) == (method == SCALED)
            whole = n_rows > 0 and scores.shape == kept_ranks(n_rows).shape
            ordered = whole and bool(np.isfinite(scores).all() and (np.diff(scores) >= 0).all() and scores[0] >= -SAME)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ArtifactError(f"Expected the record of conformity scores, got something else ({error!r}).") from error
        if not (known and ordered):
            raise ArtifactError("Expected the record of sorted conformity scores, got something else.")
        return cls(str(method), n_rows, scores, spread)


def _require_finite(predicted: Floats) -> None:
    """Refuse predictions that are none."""
    missing = ~np.isfinite(predicted if predicted.ndim == 1 else predicted.sum(axis=1))
    if missing.any():
        raise DataError(f"Expected a prediction for every row, got none for row {int(np.flatnonzero(missing)[0]) + 1}.")
