"""Four ways to find features that a model can do without; each gives the feature with a reason in words."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import MultiTaskLasso, enet_path
from sklearn.model_selection import KFold

Floats = NDArray[np.float64]
Reasons = dict[str, str]

TREES, LEAF = 30, 5
"""Size of the forests that importance is read off."""

SHUFFLES = 3
"""Forests that see the columns beside shuffled copies."""

SHARE_A_ROUND = 0.2
"""Share of the features that go in each round of elimination."""

HELD_OUT = 3
"""One in so many rows is held out to judge a round by."""

PENALTIES, FOLDS = 30, 5
"""Penalties that are tried, and folds they are compared on."""


def correlated(numbers: pd.DataFrame, telling: Mapping[str, float], limit: float) -> Reasons:
    """Return the numbers that correlate with another, which tells more about the target, by more than ``limit``."""
    order = sorted(numbers.columns, key=lambda name: -telling[name])
    varied = [name for name in order if numbers[name].std() > 0]
    strength = np.abs(np.atleast_2d(np.corrcoef(numbers[varied].to_numpy(), rowvar=False))) if len(varied) > 1 else np.ones((1, 1))
    kept: list[int] = []
    found: Reasons = {}
    for place, name in enumerate(varied):
        others = [other for other in kept if strength[place, other] > limit]
        if others:
            found[name] = f"its correlation with {varied[others[0]]!r}, which tells more, is {strength[place, others[0]]:.3f}"
        else:
            kept.append(place)
    return found


def unimportant(table: pd.DataFrame, outcomes: Floats, random_state: int) -> tuple[Reasons, dict[str, float]]:
    """Return the features that forests need no more than shuffled copies of them, and the importance of each.

    A copy is shuffled anew for each of a few forests: importance favours columns of many values, so each is held against its own.
    """
    rng = np.random.default_rng(random_state)
    own, shadows = [], []
    for number in range(SHUFFLES):
        shuffled = np.column_stack([rng.permutation(table[name].to_numpy()) for name in table.columns])
        found = _importance(np.hstack([table.to_numpy(), shuffled]), outcomes, random_state + number)
        own.append(found[: table.shape[1]])
        shadows.append(found[table.shape[1] :])
    importance, limits = np.mean(own, axis=0), np.max(shadows, axis=0)
    reasons = {
        name: f"its importance to a forest, {value:.4f}, is that of its values shuffled (up to {limit:.4f})"
        for name, value, limit in zip(table.columns, importance, limits, strict=True)
        if value <= limit
    }
    return reasons, dict(zip(table.columns, importance.tolist(), strict=True))


def eliminated(table: pd.DataFrame, outcomes: Floats, most: int, random_state: int) -> Reasons:
    """Return the features that are eliminated before the smallest set, of at most ``most``, that is as good as the best."""
    names = list(table.columns)
    held = np.random.default_rng(random_state).permutation(len(table)) % HELD_OUT == 0
    sets, losses = [names], []
    while True:
        X = table[sets[-1]].to_numpy()
        forest = _forest(random_state).fit(X[~held], _flat(outcomes[~held]))
        said = np.asarray(forest.predict(X[held])).reshape(-1, outcomes.shape[1])
        losses.append(((outcomes[held] - said) ** 2).sum(axis=1))
        if len(sets[-1]) == 1:
            break
        order = np.argsort(-forest.feature_importances_, kind="stable")
        stay = order[: len(order) - max(1, int(SHARE_A_ROUND * len(order)))]
        sets.append([sets[-1][place] for place in sorted(stay)])
    allowed = [place for place, kept in enumerate(sets) if len(kept) <= most]
    best = min(allowed, key=lambda place: float(losses[place].mean()))
    chosen = max(place for place in allowed if _as_good(losses[place], losses[best]))
    gone = {name: number for number in range(1, chosen + 1) for name in sets[number - 1] if name not in sets[number]}
    return {name: f"round {number} of the elimination found it least important" for name, number in gone.items()}


def _as_good(losses: Floats, best: Floats) -> bool:
    """Return whether a set loses no more than the best by one standard error of their difference, row by row."""
    worse = losses - best
    return bool(worse.mean() <= worse.std() / np.sqrt(len(worse)) + 1e-12)


def weightless(table: pd.DataFrame, outcomes: Floats, random_state: int) -> tuple[Reasons, dict[str, float]]:
    """Return the features without a weight in a lasso, and the sizes of all weights.

    The penalty is the largest that is as good as the best by one standard error.
    """
    X, y = table.to_numpy(), outcomes - outcomes.mean(axis=0)
    largest = float(np.sqrt(((X.T @ y) ** 2).sum(axis=1)).max()) / len(X) or 1.0
    penalties = largest * np.geomspace(1, 1e-3, PENALTIES)
    folds = KFold(min(FOLDS, len(X)), shuffle=True, random_state=random_state).split(X)
    losses = np.array([_path_losses(X[a], y[a], X[b], y[b], penalties) for a, b in folds])
    mean, error = losses.mean(axis=0), losses.std(axis=0) / np.sqrt(len(losses))
    best = int(np.argmin(mean))
    chosen = int(np.argmax(mean <= mean[best] + error[best]))  # the first is the largest penalty
    weights = np.abs(_lasso_path(X, y, penalties[: chosen + 1])[:, :, -1]).sum(axis=0)
    sizes = dict(zip(table.columns, weights.tolist(), strict=True))
    return {name: "its weight under an L1 penalty is zero" for name, size in sizes.items() if size == 0}, sizes


def _path_losses(X: Floats, y: Floats, X_valid: Floats, y_valid: Floats, penalties: Floats) -> Floats:
    """Return the mean squared error on other rows for each penalty, shape ``(n_penalties,)``."""
    said = np.einsum("ij,kjp->ikp", X_valid, _lasso_path(X, y, penalties))
    return np.asarray(((y_valid[:, :, None] - said) ** 2).sum(axis=1).mean(axis=0))


def _lasso_path(X: Floats, y: Floats, penalties: Floats) -> Floats:
    """Return the weights for each penalty, shape ``(n_outcomes, n_features, n_penalties)``; a feature has all of them or none."""
    if y.shape[1] == 1:
        _, weights, _ = enet_path(X, y[:, 0], l1_ratio=1.0, alphas=penalties, max_iter=2000, tol=1e-3)
        return np.asarray(weights)[None]
    model = MultiTaskLasso(max_iter=2000, tol=1e-3, fit_intercept=False, warm_start=True)
    return np.stack([model.set_params(alpha=float(penalty)).fit(X, y).coef_.copy() for penalty in penalties], axis=2)


def _importance(X: Floats, outcomes: Floats, random_state: int) -> Floats:
    """Return the share of each column in what a forest explains."""
    return np.asarray(_forest(random_state).fit(X, _flat(outcomes)).feature_importances_)


def _forest(random_state: int) -> ExtraTreesRegressor:
    return ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, max_features=0.5, random_state=random_state, n_jobs=1)


def _flat(outcomes: Floats) -> Floats:
    """Return a single outcome as one dimension, which is how a forest wants it."""
    return outcomes[:, 0] if outcomes.shape[1] == 1 else outcomes
