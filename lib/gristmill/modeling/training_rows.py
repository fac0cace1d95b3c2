"""The training rows as the families learn from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.targets import encode_classes, encode_numbers
from gristmill.features.unfitted import require_unfitted
from gristmill.modeling.families.problem import Problem
from gristmill.modeling.families.scaled_target import is_skewed
from gristmill.modeling.latency import Timer
from gristmill.modeling.search.folds import Folds

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingRows:
    """Features, targets and folds of all training rows, in one order.

    Parameters
    ----------
    X
        Row-wise features.
    y
        Codes, or numbers for a regression.
    fold
        The fold each row is validated in; -1 for never.
    folds
        Positions of the training and the validation rows, fold by fold.
    classes
        Classes in the order of their codes; empty for a regression.
    problem
        What the families have to know.
    timer
        Times one row of a fitted pipeline.
    """

    X: pd.DataFrame
    y: NDArray[Any]
    fold: pd.Series
    folds: Folds
    classes: tuple[str, ...]
    problem: Problem
    timer: Timer = field(default_factory=Timer)

    @property
    def validated(self) -> NDArray[np.int64]:
        """Positions of the rows that are validated in some fold, fold by fold."""
        return np.concatenate([valid for _, valid in self.folds])

    @property
    def prediction_columns(self) -> list[str]:
        """Names of the columns that predictions are stored under."""
        return [f"probability_{name}" for name in self.classes] or ["prediction"]

    def table(self, oof: Floats | None, others: Mapping[int, Floats] | None = None) -> pd.DataFrame:
        """Return out-of-fold predictions as a table: ``fold``, then one column a class or ``prediction``; validated rows only.

        Without predictions (None) the table has the same columns and no rows.

        Parameters
        ----------
        oof
            Those of the best trial.
        others
            Number of a further trial -> its predictions, which get the same columns with ``trial_<number>_`` before their names.
        """
        shape = (len(self.y), len(self.prediction_columns))
        values = np.full(shape, np.nan) if oof is None else oof.reshape(shape)
        parts = [pd.DataFrame(values, columns=self.prediction_columns, index=self.X.index)]
        for number, predicted in (others or {}).items():
            parts.append(pd.DataFrame(predicted.reshape(shape), columns=self._columns_of(number), index=self.X.index))
        table = pd.concat(parts, axis=1)
        table.insert(0, "fold", self.fold.to_numpy(dtype=np.int64))
        return table.iloc[:0] if oof is None else table[table["fold"] >= 0]

    def array(self, table: pd.DataFrame, trial: int | None = None) -> Floats:
        """Return a table of :meth:`table` as the array of all training rows that it came from, not-a-number where it has no row.

        Parameters
        ----------
        table
            What :meth:`table` returned.
        trial
            Number of a further trial; by default the best one's predictions are returned.
        """
        columns = self.prediction_columns if trial is None else self._columns_of(trial)
        values = table[columns].reindex(self.X.index).to_numpy(dtype=np.float64)
        return values if self.classes else values[:, 0]

    def _columns_of(self, trial: int) -> list[str]:
        """Return the names of the columns of a further trial."""
        return [f"trial_{trial}_{name}" for name in self.prediction_columns]


def training_rows(
    features: pd.DataFrame,
    target: pd.Series,
    fold: pd.Series,
    folds: Folds,
    plan: dict[str, Any],
    *,
    classes: Any,
    random_state: int,
    timer: Timer | None = None,
) -> TrainingRows:
    """Return the training rows, encoded; all tables are brought into the order of ``features``.

    Parameters
    ----------
    features
        Row-wise features, as ``04_build_features`` wrote them.
    target
        The raw target by ``row_key``.
    fold
        The fold each row is validated in, by ``row_key``.
    folds
        Positions of training and validation rows, in the order of ``features``.
    plan
        The plan of the features.
    classes
        Classes in the order of their codes; None or empty for a regression.
    random_state
        Seed of all estimators.
    timer
        Times one row of a fitted pipeline in the form that will serve; by default as a plain pipeline.

    Raises
    ------
    DataError
        The target holds what the task does not allow.
    LeakageError
        The plan holds something fitted.
    """
    require_unfitted(plan)
    target = target.loc[features.index]
    names = tuple(classes or ())
    y: NDArray[Any] = encode_classes(target, names) if names else encode_numbers(target)
    rarest = int(np.bincount(y, minlength=len(names)).min()) if names else len(y)
    problem = Problem(plan, len(y), rarest, skewed=not names and is_skewed(y), random_state=random_state)
    return TrainingRows(features, y, fold.loc[features.index], folds, names, problem, timer or Timer())
