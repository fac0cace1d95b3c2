"""The form of one row, from the data contract of the model and its training rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from gristmill.config.sections.showing import App, ShownColumn
from gristmill.evaluation.explanation.effects import is_ordered, value_text
from gristmill.metrics.groups import MAX_NUMBERS_AS_GROUPS
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.reporting.wording import plain
from gristmill.serving.rows import is_whole
from gristmill.serving.served.versions import example_value
from gristmill.views.predict.sample import Sample

MISSING = "(not known)"
"""How the missing value of a column of levels is called in the form."""

Kind = Literal["number", "whole", "choice", "date", "text", "name"]


@dataclass(frozen=True)
class Field:
    """One entry of the form.

    Attributes
    ----------
    name
        The column.
    label
        What stands above it: the column, and its unit.
    kind
        ``choice`` of ``options``; a ``number`` or a ``whole`` one; a ``date``; free ``text``; or a ``name`` of the row.
    value
        What it holds at first, as it stands in JSON: the median or the most frequent value.
    help
        A sentence.
    options
        Values to choose from, as they stand in JSON; None is a missing one.
    low, high
        Range of the training rows, of a number.
    """

    name: str
    label: str
    kind: Kind
    value: Any
    help: str
    options: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None

    def shown(self, option: Any) -> str:
        """Return how a value to choose is written; of two numbers 0 and 1, what they mean."""
        if option is None:
            return MISSING
        if isinstance(option, bool):
            return "yes" if option else "no"
        if {one for one in self.options if one is not None} == {0, 1}:
            return "yes (1)" if option == 1 else "no (0)"
        return value_text(option)


def fields_of(model: FittedModel, sample: Sample | None, app: App) -> list[Field]:
    """Return the entries for one row: the columns the model reads in the order of the contract, then what names the row."""
    facts = {column["name"]: column for column in model.contract["columns"]}
    read = [facts[name] for name in facts if name in model.feature_columns]
    made = [_field(column, None if sample is None else sample.rows[column["name"]], app) for column in read]
    names = [name for name in model.id_columns if name in facts]
    return [*made, *(Field(name, name, "name", None, "Names the row in the prediction log; may be left empty.") for name in names)]


def _field(column: Mapping[str, Any], values: pd.Series | None, app: App) -> Field:
    """Return the entry of one column."""
    name, said = str(column["name"]), app.columns.get(str(column["name"]), ShownColumn())
    label = f"{name} ({said.unit})" if said.unit else name
    present = pd.Series(dtype=object) if values is None else values.dropna()
    options = _options(column, present)
    kind: Kind = "choice" if options else _KINDS[column["kind"]] if not is_whole(column) else "whole"
    default = _default(column, present, options)
    low, high = (column.get("minimum"), column.get("maximum")) if kind in ("number", "whole") else (None, None)
    words = [said.help or "", _range_words(low, high, said.unit), "May be left empty: not known." if not options else ""]
    return Field(name, label, kind, default, " ".join(word for word in words if word), options, low, high)


_KINDS: dict[str, Kind] = {"numeric": "number", "date": "date", "text": "text", "categorical": "text", "boolean": "choice"}


def _options(column: Mapping[str, Any], present: pd.Series) -> tuple[Any, ...]:
    """Return what there is to choose from; nothing where there is too much, or it is not known."""
    if column["kind"] == "boolean":
        return (True, False, None)
    if column["kind"] == "categorical":
        return (*column["levels"], None) if column["levels"] else ()
    if column["kind"] == "numeric" and len(present) and not is_ordered(present) and _are_all(column, present):
        numbers = sorted(present.unique().tolist())
        return (*(int(number) if float(number).is_integer() else float(number) for number in numbers), None)
    return ()


def _are_all(column: Mapping[str, Any], present: pd.Series) -> bool:
    """Return whether the values that were looked at are all the column has."""
    return int(column["n_levels"]) == present.nunique() <= MAX_NUMBERS_AS_GROUPS


def _default(column: Mapping[str, Any], present: pd.Series, options: tuple[Any, ...]) -> Any:
    """Return the median of numbers and dates, and the most frequent value of others; the contract's example without rows."""
    if not len(present):
        return example_value(column)
    if column["kind"] == "text":
        return str(present.iloc[0])
    if options or column["kind"] == "categorical":
        frequent = present.mode().iloc[0]
        return frequent.item() if isinstance(frequent, np.generic) else frequent
    median = present.sort_values(ignore_index=True).iloc[len(present) // 2]
    if column["kind"] == "date":
        return pd.Timestamp(median).date().isoformat()
    return int(median) if is_whole(column) else float(median)


def _range_words(low: float | None, high: float | None, unit: str | None) -> str:
    if low is None or high is None:
        return ""
    return f"In the training rows from {plain(float(low))} to {plain(float(high))}{f' {unit}' if unit else ''}."
