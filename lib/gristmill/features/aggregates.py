"""Figures of a number within a group of rows, learnt on training rows and looked up for any row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from gristmill.errors import DataError
from gristmill.features.target_means import places

Floats = NDArray[np.float64]

SEPARATOR = "\x1f"
"""Stands between the levels of several columns that make a group together."""


class GroupAggregates(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Add figures of the group that a row belongs to, among the rows it was fitted on.

    A group never seen, or one without a number, has the figure of all rows together, and the count 0. The target has no part in it.

    Parameters
    ----------
    aggregations
        Each with ``name`` (of the column added), ``statistic`` (``mean``, ``std``, ``median``, ``minimum``, ``maximum``, ``count``
        or ``difference``: the row's own number minus the group's mean), ``by`` (columns whose levels make the groups) and ``of``
        (the number; None for a count of rows).

    Examples
    --------
    >>> mean = {"name": "mean of x within g", "statistic": "mean", "of": "x", "by": ["g"]}
    >>> frame = pd.DataFrame({"g": ["a", "a", "b"], "x": [1.0, 3.0, 5.0]})
    >>> GroupAggregates([mean]).fit(frame).transform(pd.DataFrame({"g": ["a", "new"], "x": [9.0, 9.0]}))
         g    x  mean of x within g
    0    a  9.0                 2.0
    1  new  9.0                 3.0
    """

    def __init__(self, aggregations: Sequence[Mapping[str, Any]] = ()) -> None:
        self.aggregations = aggregations

    def fit(self, X: pd.DataFrame, y: object = None) -> "GroupAggregates":  # noqa: ARG002 - scikit-learn's signature
        """Learn the figures of every group of row-wise features ``X``, shape ``(n_rows, n_features)``."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.groups_, self.figures_, self.overall_ = [], [], []
        for asked in self.aggregations:
            codes, names = pd.factorize(_keys(X, asked["by"]), sort=True)
            values = np.zeros(len(X)) if asked["of"] is None else X[asked["of"]].to_numpy(dtype=np.float64)
            figures, overall = group_figures(asked["statistic"], codes, values, len(names))
            self.groups_.append(np.asarray(names, dtype=str))
            self.figures_.append(figures)
            self.overall_.append(overall)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the features with the figures of each row's groups beside them."""
        check_is_fitted(self)
        added = {}
        for asked, names, figures, overall in zip(self.aggregations, self.groups_, self.figures_, self.overall_, strict=True):
            found = looked_up(_keys(X, asked["by"]), names, figures, overall)
            if asked["statistic"] == "difference":
                found = X[asked["of"]].to_numpy(dtype=np.float64) - found
            added[asked["name"]] = found
        return X.assign(**added)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features, then those added."""
        check_is_fitted(self)
        names = self.feature_names_in_ if input_features is None else input_features
        return np.asarray([*names, *(asked["name"] for asked in self.aggregations)], dtype=object)


def planned_aggregations(case: Any, features: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the aggregations that a case asks for, one entry a statistic, as :class:`GroupAggregates` takes them.

    Parameters
    ----------
    case
        The case; ``features.aggregations`` is read.
    features
        The features of its plan.

    Raises
    ------
    DataError
        One names what is no feature, takes a number of what is none, or is asked for twice.
    """
    steps = {str(feature["name"]): str(feature["step"]) for feature in features}
    found: list[dict[str, Any]] = []
    for asked in case.features.aggregations:
        for role, names in (("by", asked.by), ("of", (asked.of,) if asked.of is not None else ())):
            unfit = [name for name in names if steps.get(name, "text") == "text" or (role == "of" and steps[name] == "level")]
            if unfit:
                fitting = [name for name, step in steps.items() if step != "text" and (role == "by" or step != "level")]
                raise DataError(
                    f"`features.aggregations` of the case {case.name!r} has `{role}: {unfit[0]}`, which is not one of the features "
                    f"that it may name: {', '.join(fitting) or 'there are none'}. Correct the entry, or remove it."
                )
        for statistic in asked.statistics:
            name = _name(statistic, asked.of, " and ".join(asked.by))
            if name in steps or name in [entry["name"] for entry in found]:
                raise DataError(f"`features.aggregations` of the case {case.name!r} gives two features {name!r}. Remove one.")
            found.append({"name": name, "statistic": statistic, "of": asked.of, "by": list(asked.by)})
    return found


def _name(statistic: str, of: str | None, groups: str) -> str:
    """Return what a feature is called."""
    if statistic == "difference":
        return f"{of} minus its mean within {groups}"
    return f"{statistic} {'' if of is None else f'of {of} '}within {groups}"


def group_figures(statistic: str, codes: NDArray[np.int64], values: Floats, n_groups: int) -> tuple[Floats, float]:
    """Return a figure of the present values of each group, shape ``(n_groups,)``, and what stands for a group never seen.

    A group whose figure is not known, such as the spread of one value, has that of all rows.

    Parameters
    ----------
    statistic
        As in :class:`GroupAggregates`.
    codes
        Group of each row.
    values
        Number of each row; missing ones do not count.
    n_groups
        Number of groups.
    """
    present = ~np.isnan(values)
    if statistic == "count":
        return np.bincount(codes[present], minlength=n_groups).astype(np.float64), 0.0
    if not present.any():
        return np.full(n_groups, np.nan), float("nan")
    name = {"minimum": "min", "maximum": "max", "difference": "mean"}.get(statistic, statistic)
    known = pd.Series(values[present])
    overall = float(known.agg(name))
    figures = known.groupby(codes[present]).agg(name).reindex(range(n_groups)).to_numpy(dtype=np.float64)
    return np.where(np.isnan(figures), overall, figures), overall


def looked_up(keys: NDArray[np.object_], names: NDArray[np.str_], figures: Floats, overall: float) -> Floats:
    """Return the figure of each row's group, shape ``(n_rows,)``; ``overall`` for a group that is not among ``names``."""
    place = places(names, keys)
    return np.where(place >= 0, figures[place], overall)


def _keys(X: pd.DataFrame, by: Sequence[str]) -> NDArray[np.object_]:
    """Return the name of each row's group."""
    columns = [X[name].astype(str).to_numpy(dtype=object) for name in by]
    return columns[0] if len(columns) == 1 else np.array([SEPARATOR.join(row) for row in zip(*columns, strict=True)], dtype=object)
