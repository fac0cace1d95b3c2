"""Row-wise features: what can be computed from one row alone, and therefore never leaks and never differs in serving."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from gristmill.errors import DataError
from gristmill.features.custom import load_version, with_custom

MISSING_LEVEL = "(missing)"
"""The level that stands for a missing value of a categorical column: being missing may itself tell something."""

NO_TEXT = ""
"""The text that stands for missing free text."""

MARKERS = {"level": MISSING_LEVEL, "text": NO_TEXT}
"""Row-wise step -> the text that stands for a missing value; the other steps give not-a-number."""

LARGEST = 1e30
"""Numbers are clipped to this size, so that squares stay finite and single precision can hold them."""

DATE_PARTS: dict[str, Callable[[Any], Any]] = {
    "day number": lambda dates: dates.normalize().astype("datetime64[s]").astype("int64") / 86_400,
    "year": lambda dates: dates.year,
    "month": lambda dates: dates.month,
    "day": lambda dates: dates.day,
    "weekday": lambda dates: dates.weekday,
    "hour": lambda dates: dates.hour,
}
"""Part of a date -> how it is read off a ``DatetimeIndex``. The day number counts days since 1970-01-01."""


def numbers(values: pd.Series) -> NDArray[np.float64]:
    """Return a numeric or boolean column as floats, shape ``(n_rows,)``; what is not a number is missing."""
    if values.dtype.kind in "fiub":
        floats = values.to_numpy(dtype=np.float64)
    else:
        plain = values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype | pd.StringDtype) else values
        floats = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.clip(floats, -LARGEST, LARGEST)


def levels(values: pd.Series) -> NDArray[np.object_]:
    """Return a categorical column as text, shape ``(n_rows,)``, with :data:`MISSING_LEVEL` for what is missing."""
    return np.array([item if isinstance(item, str) else _level(item) for item in values.astype(object)], dtype=object)


def texts(values: pd.Series) -> NDArray[np.object_]:
    """Return a column of free text, shape ``(n_rows,)``, with the empty text for what is missing."""
    return np.array([NO_TEXT if pd.isna(item) else str(item) for item in values], dtype=object)


def dates(values: pd.Series) -> pd.DatetimeIndex:
    """Return a column of dates in universal time without a zone, shape ``(n_rows,)``; what is not a date is missing."""
    if values.dtype.kind != "M":
        return pd.DatetimeIndex(pd.to_datetime(values.astype(object), errors="coerce", utc=True)).tz_localize(None)
    index = pd.DatetimeIndex(values)
    return index if index.tz is None else index.tz_convert("UTC").tz_localize(None)


def date_part(step: str, values: pd.Series) -> NDArray[np.float64]:
    """Return one part of a column of dates, shape ``(n_rows,)``; ``step`` is a key of :data:`DATE_PARTS`."""
    index = dates(values)
    part = np.asarray(DATE_PARTS[step](index), dtype=np.float64)
    return np.where(index.isna(), np.nan, part)


def plain_array(X: Any) -> NDArray[Any]:
    """Return a table's cells without its names: an array is checked once, a frame column by column."""
    return np.asarray(X)


def _level(item: object) -> str:
    """Return one value that is not a text as the level it stands for."""
    if item is None or pd.isna(item):  # type: ignore[call-overload]
        return MISSING_LEVEL
    return str(int(item)) if isinstance(item, float | np.floating) and item.is_integer() else str(item)


_STEPS: Mapping[str, Callable[[pd.Series], Any]] = {"number": numbers, "flag": numbers, "level": levels, "text": texts}


def _feature(step: str, values: pd.Series) -> Any:
    """Return the values of one feature, made from its source column by ``step``."""
    return _STEPS[step](values) if step in _STEPS else date_part(step, values)


class RowFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn contracted raw columns into the features of a plan, row by row.

    Nothing is learnt: every number comes from its own row and the plan. Numbers, flags and date parts become floats with
    missing values kept; categorical columns become text with a level of its own for missing values.

    Parameters
    ----------
    plan
        What :func:`gristmill.features.builder.make_plan` returned.

    Examples
    --------
    >>> plan = {"features": [{"name": "a", "source": "a", "step": "number"}, {"name": "b", "source": "b", "step": "level"}]}
    >>> RowFeatures(plan).fit_transform(pd.DataFrame({"a": [1], "b": [None]}))
         a          b
    0  1.0  (missing)
    """

    def __init__(self, plan: dict[str, Any] | None = None) -> None:
        self.plan = plan

    def fit(self, X: pd.DataFrame, y: object = None) -> "RowFeatures":  # noqa: ARG002 - scikit-learn's signature
        """Learn nothing, beyond the names of the columns."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=str)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return one column a feature of the plan, with the index of ``X``.

        Raises
        ------
        DataError
            A column that a feature is made from is missing, or custom features fail.
        ArtifactError
            The plan's custom features are missing here, or another version.
        """
        made: dict[str, Any] = {}
        custom = (self.plan or {}).get("custom")
        if custom is not None:
            X = with_custom(custom, X)
        for feature in self._features:
            source = feature["source"]
            if source not in X.columns:
                raise DataError(f"Expected the column {source!r}, which the model was trained with, but the table has none.")
            made[feature["name"]] = _feature(feature["step"], X[source])
        return pd.DataFrame(made, index=X.index)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.str_]:  # noqa: ARG002
        """Return the names of the features, in the order of the columns of :meth:`transform`."""
        return np.asarray([feature["name"] for feature in self._features], dtype=object)

    def require_custom(self) -> None:
        """Load the custom features of the plan, if it has some.

        Raises
        ------
        ArtifactError
            They are missing here, or another version than the plan was made with.
        """
        custom = (self.plan or {}).get("custom")
        if custom is not None:
            load_version(str(custom["function"]), custom["digest"])

    @property
    def _features(self) -> list[dict[str, Any]]:
        """The features of the plan."""
        return list((self.plan or {}).get("features", []))

    def __sklearn_is_fitted__(self) -> bool:
        """Say yes: there is nothing to fit."""
        return True

    def __sklearn_tags__(self) -> Any:
        """Say what scikit-learn may feed it: mixed columns with missing values, no fitting needed."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags
