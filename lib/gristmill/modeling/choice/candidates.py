"""Models that may be chosen, and the rule that chooses: the best, unless a simpler or faster one is not worse beyond noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.metrics.scores import as_gain
from gristmill.modeling.choice.members import family_of
from gristmill.modeling.choice.stacking import MetaModel
from gristmill.modeling.latency import PIPELINE
from gristmill.modeling.search.folds import Folds, fold_scores, mean_score, spread
from gristmill.reporting.wording import figure, metric_label, opening, plain

Floats = NDArray[np.float64]

BLOCKS = 5
"""Parts a single validation set is cut into, so that its noise can be seen."""

MOST_PLAIN = 3
"""Members of a model at most where no candidate is fast enough: each takes its time again as a plain pipeline, and so many stay
well within what the gate on latency allows. A number of members and not of milliseconds, so that the same plan gives the same model
on a busy machine."""

FASTEST_FIRST = ("linear", "neural", "boosting", "forest")
"""The families by the time they take for one row. Ties are broken by this order and not by a stopwatch, so that the same plan
gives the same model on a busy machine."""


@dataclass(frozen=True)
class Candidate:
    """A model that may be chosen: a member alone, or several together.

    Attributes
    ----------
    name
        What it is called.
    score, std, fold_scores
        The metric that decides: its mean over the folds, its spread, and each fold's.
    weights
        Member -> its share.
    row_ms
        Milliseconds it takes for one row, in the form that will serve.
    oof
        Out-of-fold predictions of all training rows. Where members are combined, the combination that predicts a fold was found
        on the other folds.
    meta
        What combines the members, in the order of ``weights``; None for their weighted mean.
    form
        The form that will serve, a constant of :mod:`gristmill.modeling.latency`.
    """

    name: str
    score: float
    std: float
    fold_scores: list[float]
    weights: dict[str, float]
    row_ms: float
    oof: Floats
    meta: MetaModel | None = None
    form: str = PIPELINE


@dataclass(frozen=True)
class Choice:
    """The chosen candidate, and why in words.

    ``in_time`` says whether it keeps the limit on the time of one row; None where there is no limit.
    """

    candidate: Candidate
    reason: str
    in_time: bool | None = None


def blocks_of(folds: Folds) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return folds to measure noise on: the folds themselves, or a single validation set cut into parts."""
    if len(folds) > 1:
        return list(folds)
    train, valid = folds[0]
    shuffled = np.random.default_rng(0).permutation(valid)
    return [(train, part) for part in np.array_split(shuffled, BLOCKS) if len(part)]


def candidate(
    name: str, metric: str, y: NDArray[Any], oof: Floats, folds: Folds, weights: Mapping[str, float], row_ms: float
) -> Candidate:
    """Return a candidate with its scores by fold."""
    blocks = blocks_of(folds)
    scores = fold_scores(metric, y, oof, blocks)
    return Candidate(name, mean_score(metric, scores, y, oof, blocks), spread(scores), scores, dict(weights), row_ms, oof)


def lead(metric: str, ahead: Candidate, behind: Candidate) -> tuple[float, float]:
    """Return by how much one candidate leads another over the same folds, and the standard error of that lead."""
    gains = [as_gain(metric, a) - as_gain(metric, b) for a, b in zip(ahead.fold_scores, behind.fold_scores, strict=True)]
    known = np.asarray([gain for gain in gains if np.isfinite(gain)])
    if len(known) == 0:
        return 0.0, 0.0
    error = float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else float("inf")
    return float(known.mean()), error


def choose(metric: str, candidates: Sequence[Candidate], max_row_ms: float | None = None) -> Choice:
    """Return the simplest, fastest candidate whose distance from the best is within noise, of those that are fast enough.

    Noise is one standard error of the paired differences over the folds (the one-standard-error rule of Breiman et al. 1984).
    Simpler is fewer members; among equals a weighted mean, then faster families.

    Parameters
    ----------
    metric
        The metric that decides.
    candidates
        At least one; those of the same simplicity in the order of preference.
    max_row_ms
        Milliseconds that one row may take in the form that will serve; candidates that keep it are preferred. Where none does,
        those of at most :data:`MOST_PLAIN` members are, and the reason says so.
    """
    free = _simplest_not_worse(metric, candidates)
    if max_row_ms is None:
        return free
    limit = f"{plain(float(max_row_ms))} ms (`serving.max_row_ms`)"
    fast = [one for one in candidates if one.row_ms <= max_row_ms]
    if not fast:
        return _none_in_time(metric, candidates, free, limit)
    chosen = _simplest_not_worse(metric, fast)
    if chosen.candidate is free.candidate:
        return Choice(chosen.candidate, f"{free.reason} It answers one row within {limit}.", in_time=True)
    lost = f"without that limit {free.candidate.name} would have been chosen, with {figure(free.candidate.score)}"
    kept = f"{len(fast)} of {len(candidates)} candidates answer one row within {limit}, and only they were compared; {lost}."
    return Choice(chosen.candidate, f"{chosen.reason} {kept}", in_time=True)


def _none_in_time(metric: str, candidates: Sequence[Candidate], free: Choice, limit: str) -> Choice:
    """Return the choice where no candidate is fast enough, ``free`` being the one without a limit."""
    quickest = min(candidates, key=lambda one: one.row_ms)
    why = f"No candidate answers one row within {limit}: the fastest, {_timed(quickest)}"
    small = [one for one in candidates if len(one.weights) <= MOST_PLAIN]
    chosen = _simplest_not_worse(metric, small) if small else free
    if chosen.candidate is free.candidate:
        return Choice(free.candidate, f"{free.reason} {why}; so the limit did not decide.", in_time=False)
    left_out = f"so models of more than {MOST_PLAIN} members, which take that long for each, were left out"
    lost = f"without that {free.candidate.name} would have been chosen, with {figure(free.candidate.score)}"
    return Choice(chosen.candidate, f"{chosen.reason} {why}; {left_out}; {lost}.", in_time=False)


def _timed(one: Candidate) -> str:
    """Return a candidate with its time and form in words."""
    return f"{one.name}, takes {figure(one.row_ms)} ms as a {one.form}"


def _simplest_not_worse(metric: str, candidates: Sequence[Candidate]) -> Choice:
    """Return the simplest candidate whose distance from the best of them is within noise."""
    ranked = [one for one in candidates if np.isfinite(one.score)] or list(candidates)
    best = max(ranked, key=lambda one: as_gain(metric, one.score))
    for other in sorted(ranked, key=_cost):
        ahead, error = lead(metric, best, other)
        if other is best:
            reached = f"{opening(best.name)} has the best {metric_label(metric)}, {figure(best.score)}"
            simpler = any(_cost(one) < _cost(best) for one in ranked)
            lead_of_it = "its lead over every simpler model is larger than noise" if simpler else "no candidate is simpler"
            return Choice(best, f"{reached}, and {lead_of_it}.")
        if ahead <= error:
            return Choice(other, _simpler(metric, best, other, ahead, error))
    return Choice(best, f"{opening(best.name)} is the only candidate.")


def _simpler(metric: str, best: Candidate, other: Candidate, ahead: float, error: float) -> str:
    """Return why a candidate is preferred to the one with the best score."""
    label, noise = metric_label(metric), f"the standard error of that difference over the folds, {figure(error)}"
    if not np.isfinite(error):
        noise = "what a single fold can tell"
    return (
        f"{opening(best.name)} is better than {other.name} by {figure(ahead)} in {label}, which is within {noise}; "
        f"{other.name} is the simpler model ({figure(other.row_ms)} against {figure(best.row_ms)} ms a row)."
    )


def _cost(one: Candidate) -> tuple[int, bool, int]:
    """Return what orders candidates from simple and fast to complex and slow."""
    families = [family_of(name) for name in one.weights]
    slowest = max((FASTEST_FIRST.index(name) for name in families if name in FASTEST_FIRST), default=0)
    return len(one.weights), one.meta is not None, slowest
