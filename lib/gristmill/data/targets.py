"""From the target column to what models are fitted on, and back."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.kinds import is_numeric
from gristmill.errors import DataError

_WHOLE_BELOW = 2.0**53
"""Floats of at least this size are all whole: they are measurements in powers of ten rather than counted things."""

_LARGEST_SQUARED = 1e150


def class_text(values: pd.Series) -> pd.Series:
    """Return the classes as the text they have in the table: ``1.0`` in a column of whole numbers is ``"1"``."""
    texts = values.astype("string").astype(object)
    if pd.api.types.is_float_dtype(values) and bool((values.dropna() % 1 == 0).all()):
        whole = (values.abs() < _WHOLE_BELOW).fillna(value=False).astype(bool)
        return values.where(whole).astype("Int64").astype("string").astype(object).where(whole, texts)
    return texts


def find_classes(target: pd.Series, positive_class: str | None = None) -> tuple[str, ...]:
    """Return the classes of ``target`` in the order of their codes; with two classes, the positive class comes last.

    Raises
    ------
    DataError
        There are fewer than two classes, or the positive class is not one of two.
    """
    classes = sorted(class_text(target.dropna()).unique())
    if len(classes) < 2:
        found = f"only {classes[0]!r}" if classes else "no value at all"
        raise DataError(
            f"Expected at least two classes in the target column {target.name!r}, found {found}. Check `target` and `source` in "
            "the case file: a model cannot learn to tell one class from nothing."
        )
    if positive_class is None:
        return tuple(classes)
    if positive_class not in classes or len(classes) != 2:
        raise DataError(
            f"Expected two classes in the target column {target.name!r}, one of them `positive_class: {positive_class}`; found "
            f"{', '.join(repr(name) for name in classes[:8])}. Correct `positive_class`, or use `task: multiclass`."
        )
    negative = next(name for name in classes if name != positive_class)
    return (negative, positive_class)


def encode_classes(target: pd.Series, classes: Sequence[str]) -> NDArray[np.int64]:
    """Return the code of each row's class, shape ``(n_rows,)``.

    Raises
    ------
    DataError
        A row holds a class that is not one of ``classes``.
    """
    codes = pd.Categorical(class_text(target), categories=list(classes)).codes
    if (codes < 0).any():
        unknown = sorted(set(class_text(target[codes < 0]).fillna("missing")))
        raise DataError(
            f"The target column {target.name!r} holds {', '.join(map(repr, unknown[:5]))}, not among the classes "
            f"{', '.join(map(repr, classes))} that the model was trained on."
        )
    return np.asarray(codes, dtype=np.int64)


def learnable_numbers(target: pd.Series) -> pd.Series:
    """Return the target of a regression as numbers, with its index, if a model could learn from it.

    Raises
    ------
    DataError
        A value is not a number, or too large for its error to be squared, or all are the same.
    """
    numbers = target if is_numeric(target) else _numbers(target)
    if numbers.nunique() < 2:
        found = f"only {target.dropna().iloc[0]}" if target.notna().any() else "no value at all"
        raise DataError(
            f"Expected at least two different numbers in the target column {target.name!r}, found {found}. Check `target` in the "
            "case file: there is nothing to foretell in a number that never changes."
        )
    finite = numbers[np.isfinite(numbers.astype("float64"))]
    if finite.abs().max() > _LARGEST_SQUARED:
        raise DataError(
            f"The target column {target.name!r} holds numbers as large as {finite.abs().max():g}, whose squared errors are beyond "
            f"the largest float; at most {_LARGEST_SQUARED:g} can be used. Divide the column, or leave empty what is unknown."
        )
    return numbers


def encode_numbers(target: pd.Series) -> NDArray[np.float64]:
    """Return the target of a regression as floats, shape ``(n_rows,)``.

    Raises
    ------
    DataError
        A value is not a finite number.
    """
    numbers = _numbers(target)
    if not np.isfinite(numbers).all():
        example = target[~np.isfinite(numbers)].iloc[0]
        raise DataError(
            f"Expected finite numbers in the target column {target.name!r} of a regression, got {example!r}. Clean the column, or "
            "use `task: multiclass` if it names classes."
        )
    return np.asarray(numbers, dtype=np.float64)


def _numbers(target: pd.Series) -> pd.Series:
    """Return floats, missing where the target is, and refuse a text or a moment."""
    if is_numeric(target):
        return target.astype("float64")
    moments = pd.api.types.is_datetime64_any_dtype(target)
    numbers = pd.to_numeric(target.astype("string") if moments else target, errors="coerce").astype("float64")
    lost = target[~np.isfinite(numbers) & target.notna()]
    if len(lost):
        examples = ", ".join(repr(str(value)) for value in lost.unique()[:3])
        raise DataError(
            f"Expected numbers in the target column {target.name!r} of a regression, but {len(lost):,} of its {len(target):,} "
            f"values {'is none' if len(lost) == 1 else 'are none'}, such as {examples}. Mend them, or leave them empty (a word for "
            '"missing" can be named in `source.options.missing`); use `task: multiclass` if they name classes.'
        )
    return numbers
