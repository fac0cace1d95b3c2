"""Why the model said what it said about one row, as LIME sees it (Ribeiro, Singh and Guestrin 2016).

Every column is cut into levels, numbers into quartiles and missing values into a level of their own, so that a reason reads
like a condition on the raw table ("contract = Month-to-month"). A neighbour of a row keeps the row's own value where it keeps
the level, and otherwise takes the value of a background row of the new level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gristmill.evaluation.explanation.hybrids import Predict, RowPool
from gristmill.metrics.groups import MAX_NUMBERS_AS_GROUPS, QUANTILE_GROUPS
from gristmill.metrics.scores import Floats

SAMPLES = 600
REPEATS = 3
TOP = 5
MAX_LEVELS = 30


@dataclass(frozen=True)
class ColumnLevels:
    """One column in levels: the level of each row, and each level as a condition."""

    codes: NDArray[np.int64]
    conditions: list[str]


def _bound(value: Any) -> str:
    """Return a bound of a range as a reader would write it."""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _quartile_levels(name: str, values: pd.Series) -> ColumnLevels:
    """Cut numbers or dates at their quartiles."""
    known = values.dropna()
    cuts = sorted(known.quantile(np.arange(1, QUANTILE_GROUPS) / QUANTILE_GROUPS).unique())
    cuts = [cut for cut in cuts if cut < known.max()]
    texts = [_bound(cut) for cut in cuts]
    conditions = [f"{name} ≤ {texts[0]}"] if texts else [f"{name} known"]
    conditions += [f"{low} < {name} ≤ {high}" for low, high in pairwise(texts)]
    conditions += [f"{name} > {texts[-1]}"] if texts else []
    above = [(values > cut).to_numpy(dtype=np.int64) for cut in cuts]
    codes = np.sum(above, axis=0) if above else np.zeros(len(values), dtype=np.int64)
    result = np.where(values.notna().to_numpy(), codes, len(conditions)).astype(np.int64)
    return ColumnLevels(result, [*conditions, f"{name} is missing"])


def _named_levels(name: str, values: pd.Series) -> ColumnLevels:
    """Keep the most frequent levels of a column, the others pooled."""
    texts = values.astype("string")
    if pd.api.types.is_float_dtype(values) and not pd.api.types.is_bool_dtype(values):
        texts = values.map(lambda number: f"{number:.15g}", na_action="ignore").astype("string")
    levels = list(texts.value_counts().index[:MAX_LEVELS])
    codes = pd.Categorical(texts, categories=levels).codes.astype(np.int64)
    codes[(codes < 0) & texts.notna().to_numpy()] = len(levels)
    codes[texts.isna().to_numpy()] = len(levels) + 1
    conditions = [f"{name} = {level}" for level in levels]
    return ColumnLevels(codes, [*conditions, f"{name} is a rarer level", f"{name} is missing"])


def column_levels(values: pd.Series) -> ColumnLevels:
    """Return a column in levels: quartiles where it has many numbers or dates, else its values."""
    name = str(values.name)
    if pd.api.types.is_bool_dtype(values) or values.nunique() <= MAX_NUMBERS_AS_GROUPS:
        return _named_levels(name, values)
    if pd.api.types.is_numeric_dtype(values):
        return _quartile_levels(name, values.astype("Float64").astype(float))
    if pd.api.types.is_datetime64_any_dtype(values):
        return _quartile_levels(name, values)
    return _named_levels(name, values)


@dataclass(frozen=True)
class LocalReasons:
    """Reasons for one prediction.

    Attributes
    ----------
    reasons
        Conditions with their weight in the prediction, the weightiest first; a positive weight speaks for the output
        explained.
    output
        Code of the class explained, or 0 for a regression.
    stability
        Mean overlap (Jaccard) of the five weightiest columns between repetitions with other neighbours; 1 is the same five.
    sign_agreement
        Share of those columns, found by two repetitions both, whose weights have the same sign in both.
    """

    reasons: list[tuple[str, str, float]]
    output: int
    stability: float
    sign_agreement: float = 1.0


class LocalExplainer:
    """LIME over the raw columns of a table.

    Parameters
    ----------
    predict
        From raw rows to predictions; asked once a repetition.
    rows
        Rows that may be explained.
    background
        Sample of the training rows, from which neighbours take their values.
    random_state
        Seed of the neighbours.
    """

    def __init__(self, predict: Predict, rows: pd.DataFrame, background: pd.DataFrame, *, random_state: int = 0) -> None:
        self._predict = predict
        self._pool = RowPool(rows, background)
        pooled = pd.concat([rows, background], ignore_index=True)
        self._levels = [column_levels(pooled.iloc[:, position].rename(name)) for position, name in enumerate(rows.columns)]
        self._codes = np.column_stack([levels.codes for levels in self._levels])
        self._n_rows = len(rows)
        self._random_state = random_state

    def _decode(self, row: int, codes: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.intp]:
        """Return, for each neighbour in levels, the pool's row that each of its cells comes from."""
        sources = np.full(codes.shape, row, dtype=np.intp)
        for column in range(codes.shape[1]):
            for code in np.unique(codes[:, column]):
                if code == self._codes[row, column]:
                    continue
                holders = np.flatnonzero(self._codes[:, column] == code)
                changed = codes[:, column] == code
                sources[changed, column] = rng.choice(holders, int(changed.sum()))
        return sources

    def _weights(self, row: int, output: int | None, random_state: int) -> tuple[Floats, int]:
        """Return LIME's weight of each column for one row, and the output explained."""
        from lime.lime_tabular import LimeTabularExplainer  # noqa: PLC0415 - two seconds that only explanations pay

        rng = np.random.default_rng(random_state)
        n_columns = self._codes.shape[1]

        def predict_codes(codes: NDArray[np.generic]) -> Floats:
            sources = self._decode(row, codes.astype(np.int64), rng)
            return np.asarray(self._predict(self._pool.frame(sources)), dtype=np.float64)

        own = predict_codes(self._codes[[row]])
        regression = own.ndim == 1
        explained = 0 if regression else int(own[0].argmax() if output is None else output)
        explainer = LimeTabularExplainer(
            self._codes.astype(float),
            mode="regression" if regression else "classification",
            categorical_features=list(range(n_columns)),
            discretize_continuous=False,
            random_state=random_state,
        )
        explanation = explainer.explain_instance(
            self._codes[row].astype(float),
            predict_codes,
            labels=(explained,),
            num_features=n_columns,
            num_samples=SAMPLES,
        )
        weights = np.zeros(n_columns)
        for column, weight in explanation.as_map()[1 if regression else explained]:
            weights[column] = weight
        return weights, explained

    def explain(self, row: int, *, output: int | None = None) -> LocalReasons:
        """Return the reasons for the prediction of the row at position ``row``.

        Parameters
        ----------
        row
            Position among the rows the explainer was made with.
        output
            Code of the class to explain; the most probable by default. No meaning for a regression.
        """
        with threadpool_limits(limits=1):
            runs = [self._weights(row, output, self._random_state + repeat) for repeat in range(REPEATS)]
        weights = np.mean([run for run, _ in runs], axis=0)
        columns = np.argsort(-np.abs(weights), kind="stable")
        reasons = [
            (self._pool.columns[column], self._levels[column].conditions[self._codes[row, column]], float(weights[column]))
            for column in columns
        ]
        found = [run for run, _ in runs]
        return LocalReasons(reasons, runs[0][1], overlap(found), same_signs(found))


def overlap(runs: Sequence[Floats], top: int = TOP) -> float:
    """Return the mean Jaccard overlap of the ``top`` weightiest columns between each two runs."""
    sets = [set(np.argsort(-np.abs(run), kind="stable")[:top]) for run in runs]
    return float(np.mean([len(one & other) / len(one | other) for one, other in combinations(sets, 2)]))


def same_signs(runs: Sequence[Floats], top: int = TOP) -> float:
    """Return the share of columns among the ``top`` weightiest of two runs both that have one sign in both; 1 where none are."""
    agreed = shared = 0
    for one, other in combinations(runs, 2):
        first, second = (np.argsort(-np.abs(run), kind="stable")[:top] for run in (one, other))
        both = np.intersect1d(first, second)
        agreed += int((np.sign(one[both]) == np.sign(other[both])).sum())
        shared += len(both)
    return agreed / shared if shared else 1.0
