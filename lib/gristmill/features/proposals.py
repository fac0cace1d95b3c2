"""Ratios, products and differences that the table did not come with, kept only where they tell something new.

Everything is measured on the rows a step is fitted on, which are the training rows of a fold, a half of them against the other. A
first model takes each column for itself; what it leaves of the target is held against what it leaves of a candidate, which is what
adding the candidate would gain (Frisch and Waugh 1933; Lovell 1963). For trees, which find some combinations themselves, the best
candidates have to better small boosted trees as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from gristmill.features.aggregates import group_figures, looked_up
from gristmill.features.first_models import additive, trees

Floats = NDArray[np.float64]
Recipe = dict[str, Any]

MOST_COLUMNS = 100
"""Columns from which on a table is wide, and nothing is proposed."""

FEWEST_ROWS = 200
"""Rows below which noise is all that could be found."""

MOST_NUMBERS, MOST_LEVELS = 8, 5
"""Numbers and columns of levels that are combined, those that tell most about the target first."""

BINS = 16
"""Bins in which a column's values are held against the target."""

PRIOR_ROWS = 10.0
"""Ridge penalty of a candidate's effect, in rows."""

BEYOND_NOISE = 3.5
"""Standard errors by which a gain must exceed zero: one candidate in four thousand would by chance."""

BEYOND_NOISE_OF_TREES = 2.0
"""The same for the few candidates that are tried with boosted trees."""

SMALLEST_GAIN = 0.005
"""Share of the residuals' variance that a candidate has to explain."""

SIGNS = {"ratio": "/", "product": "×", "difference": "−"}  # noqa: RUF001 - as people write it


class Proposals(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Add the few combinations of columns that explain what the columns one by one do not.

    Candidates are ratios, products and differences of two numbers, and a number's difference from its mean within a level. Values
    are held within the range of the rows it was fitted on; a ratio over zero is missing.

    Parameters
    ----------
    limit
        How many are added at most.
    n_classes
        Number of classes the codes ``y`` may hold; 0 for a numeric target.
    first_model
        What they are to be added to: ``additive``, a curve for each column; or ``trees``, which find some combinations themselves.
    texts
        Columns of free text, which are left alone.
    max_rows
        Rows on which gains are measured.
    random_state
        Seed of the sample and of the halves.
    """

    def __init__(
        self,
        limit: int = 3,
        n_classes: int = 0,
        first_model: str = "additive",
        texts: Sequence[str] = (),
        max_rows: int = 4000,
        random_state: int = 42,
    ) -> None:
        self.limit = limit
        self.n_classes = n_classes
        self.first_model = first_model
        self.texts = texts
        self.max_rows = max_rows
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> "Proposals":
        """Find what is worth adding to row-wise features ``X``, shape ``(n_rows, n_features)``."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.recipes_: list[Recipe] = []
        numbers = [str(name) for name in X.columns if X[name].dtype.kind == "f"]
        if len(X) >= FEWEST_ROWS and X.shape[1] <= MOST_COLUMNS and numbers and self.limit:
            rng = np.random.default_rng(self.random_state)
            rows = np.sort(rng.permutation(len(X))[: self.max_rows])
            half = rng.permutation(len(rows)) % 2 == 0
            self.recipes_ = self._found(X.iloc[rows], outcomes_of(np.asarray(y)[rows], self.n_classes), half, numbers)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the features with those that were found beside them."""
        check_is_fitted(self)
        return X.assign(**{recipe["name"]: made(recipe, X) for recipe in self.recipes_}) if self.recipes_ else X

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features, then those added."""
        check_is_fitted(self)
        names = self.feature_names_in_ if input_features is None else input_features
        return np.asarray([*names, *(recipe["name"] for recipe in self.recipes_)], dtype=object)

    def _found(self, X: pd.DataFrame, outcomes: Floats, half: NDArray[np.bool_], numbers: list[str]) -> list[Recipe]:
        """Return the best candidates, each measured on what the ones before it leave."""
        levels = [str(name) for name in X.columns if name not in numbers and name not in self.texts]
        candidates = list(_candidates(X, outcomes, numbers, levels))
        if not candidates:
            return []
        together = np.hstack([outcomes, *(_effects(made(recipe, X)) for recipe in candidates)])
        left = together - additive(X[numbers], X[levels], together, half)
        rest, effects = left[:, : outcomes.shape[1]], np.split(left[:, outcomes.shape[1] :], len(candidates), axis=1)
        found: list[Recipe] = []
        while len(found) < self.limit and candidates:
            measured = [_gain(effect, rest, half) for effect in effects]
            best = int(np.argmax([gain for gain, _ in measured]))
            if measured[best][0] < SMALLEST_GAIN:
                break
            found.append({**candidates[best], "gain": measured[best][0]})
            rest = rest - measured[best][1]
            used = {candidates[best]["of"], candidates[best]["with"]}
            others = [place for place, one in enumerate(candidates) if {one["of"], one["with"]} != used]
            candidates, effects = [candidates[place] for place in others], [effects[place] for place in others]
        return _useful_to_trees(found, X[numbers], X[levels], outcomes, half) if self.first_model == "trees" else found


def _useful_to_trees(
    found: list[Recipe], numbers: pd.DataFrame, levels: pd.DataFrame, outcomes: Floats, half: NDArray[np.bool_]
) -> list[Recipe]:
    """Return the recipes that better boosted trees beyond noise, one after the other."""
    useful: list[Recipe] = []
    X = numbers.join(levels)
    before = ((outcomes - trees(numbers, levels, outcomes, half)) ** 2).sum(axis=1) if found else np.zeros(0)
    for recipe in found:
        more = numbers.assign(**{recipe["name"]: made(recipe, X)})
        after = ((outcomes - trees(more, levels, outcomes, half)) ** 2).sum(axis=1)
        better = before - after
        gain = float(better.mean() / before.mean()) if before.any() else 0.0
        if gain >= SMALLEST_GAIN and better.mean() >= BEYOND_NOISE_OF_TREES * better.std() / np.sqrt(len(better)):
            useful.append({**recipe, "gain": gain})
            numbers, before = more, after
    return useful


def made(recipe: Mapping[str, Any], X: pd.DataFrame) -> Floats:
    """Return the values that a recipe makes of row-wise features, shape ``(n_rows,)``."""
    first = X[recipe["of"]].to_numpy(dtype=np.float64)
    if recipe["kind"] == "centred":
        keys = X[recipe["with"]].to_numpy(dtype=object)
        values = first - looked_up(keys, recipe["levels"], recipe["means"], recipe["overall"])
    else:
        second = X[recipe["with"]].to_numpy(dtype=np.float64)
        if recipe["kind"] == "ratio":
            values = np.divide(first, second, out=np.full(len(first), np.nan), where=second != 0)
        else:
            values = first * second if recipe["kind"] == "product" else first - second
    return np.asarray(np.clip(values, recipe["lower"], recipe["upper"]))


def _candidates(X: pd.DataFrame, outcomes: Floats, numbers: list[str], levels: list[str]) -> Iterator[Recipe]:
    """Give the recipes of what is tried, with the ranges of these rows; what takes one value is left out."""
    varied = [name for name in numbers if X[name].nunique() > 2]
    chosen = sorted(varied, key=lambda name: -explained(bins(X[name].to_numpy()), outcomes))[:MOST_NUMBERS]
    groups = sorted(levels, key=lambda name: -explained(_codes(X, name), outcomes))[:MOST_LEVELS]
    for one, other in combinations(chosen, 2):
        for kind, of, by in (("ratio", one, other), ("ratio", other, one), ("product", one, other), ("difference", one, other)):
            yield from _ranged({"name": f"{of} {SIGNS[kind]} {by}", "kind": kind, "of": of, "with": by}, X)
    for group in groups:
        codes, names = pd.factorize(X[group], sort=True)
        if len(names) < 2:
            continue
        for of in chosen:
            means, overall = group_figures("mean", codes, X[of].to_numpy(), len(names))
            recipe = {"name": f"{of} − its mean within {group}", "kind": "centred", "of": of, "with": group}  # noqa: RUF001
            yield from _ranged({**recipe, "levels": np.asarray(names, dtype=str), "means": means, "overall": overall}, X)


def _codes(X: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """Return the codes of a column of levels."""
    return np.asarray(pd.factorize(X[name].to_numpy(dtype=object))[0], dtype=np.int64)


def _ranged(recipe: Recipe, X: pd.DataFrame) -> Iterator[Recipe]:
    """Give a recipe with the range of its values, unless they are all the same or the name is taken."""
    values = made({**recipe, "lower": -np.inf, "upper": np.inf}, X)
    present = values[np.isfinite(values)]
    if recipe["name"] not in X.columns and len(present) > len(values) / 2 and present.min() < present.max():
        lower, upper = np.quantile(present, (0.001, 0.999))
        yield {**recipe, "lower": float(lower), "upper": float(upper)}


def outcomes_of(y: NDArray[Any], n_classes: int) -> Floats:
    """Return what is explained, one column each: the number, or an indicator for each class (of two: the second)."""
    if not n_classes:
        spread = float(y.std()) or 1.0
        return np.asarray((y - y.mean()) / spread, dtype=np.float64).reshape(-1, 1)
    indicators = np.eye(n_classes)[y.astype(np.int64)]
    return np.asarray(indicators[:, 1:] if n_classes == 2 else indicators)


def bins(values: Floats) -> NDArray[np.int64]:
    """Return the bin of each value by quantiles; missing values have the last."""
    present = values[~np.isnan(values)]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1])) if len(present) else np.empty(0)
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right")).astype(np.int64)


def explained(codes: NDArray[np.int64], outcomes: Floats) -> float:
    """Return the share of the outcomes' variance between bins: the correlation ratio, squared."""
    counts = np.maximum(np.bincount(codes), 1)
    means = np.column_stack([np.bincount(codes, weights=part) for part in outcomes.T]) / counts[:, None]
    total = float(outcomes.var(axis=0).sum())
    return float((means[codes] - outcomes.mean(axis=0)).var(axis=0).sum()) / total if total else 0.0


def _effects(values: Floats) -> Floats:
    """Return what a candidate may act by: its standardised values and their ranks, shape ``(n_rows, 2)``; gaps have the median."""
    filled = np.where(np.isnan(values), np.nanmedian(values), values)
    ranks = np.argsort(np.argsort(filled, kind="stable"), kind="stable") / len(filled)
    columns = np.column_stack([filled, ranks])
    spread = columns.std(axis=0)
    return np.asarray((columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _gain(effects: Floats, rest: Floats, half: NDArray[np.bool_]) -> tuple[float, Floats]:
    """Return the share of the residuals that effects explain in the half they were not learnt on, and what they say.

    The gain is 0 where it does not lie beyond noise.
    """
    said = np.zeros_like(rest)
    for learnt in (half, ~half):
        inner = effects[learnt].T @ effects[learnt] + PRIOR_ROWS * np.eye(effects.shape[1])
        said[~learnt] = effects[~learnt] @ np.linalg.solve(inner, effects[learnt].T @ rest[learnt])
    better = (rest**2 - (rest - said) ** 2).sum(axis=1)
    error = float(better.std()) / np.sqrt(len(better))
    total = float((rest**2).sum(axis=1).mean())
    if not error or not total or better.mean() < BEYOND_NOISE * error:
        return 0.0, said
    return float(better.mean()) / total, said
