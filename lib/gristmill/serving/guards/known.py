"""What a model knows of its columns: the range of numbers, the levels, and how many values were missing where it learnt.

Ranges are those of the data contract. Levels are those of the training rows, where the drift reference names all of them, or else
those of the contract; of a column with more levels than either lists nothing is said. Dates have no range here: they go on, and a
new one is no sign of anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gristmill.modeling.artifact.fitted import FittedModel

_NOTHING_LEFT = 1e-9
_USUALLY_MISSING = 0.5
"""Share of missing values above which a column says nothing about a row by being missing once more."""


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: its name, and the smallest and largest that are known."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class Levels:
    """A column of levels: its name, and all that are known."""

    name: str
    levels: frozenset[str]


@dataclass(frozen=True)
class Known:
    """What a model knows of its columns.

    Attributes
    ----------
    numbers, levels
        Columns whose values can be told to be unlike.
    usual
        Columns that are mostly not missing.
    """

    numbers: tuple[Numbers, ...]
    levels: tuple[Levels, ...]
    usual: tuple[str, ...]


def known_columns(model: FittedModel, margin: float) -> Known:
    """Return what a model knows of the columns it reads, ranges widened by ``margin`` times their width at both ends."""
    reference = (model.drift_reference or {}).get("columns", {})
    columns = [column for column in model.contract["columns"] if column["name"] in model.feature_columns]
    numbers = [_numbers(column, margin) for column in columns if column["kind"] == "numeric" and column.get("minimum") is not None]
    levels = [_levels(column, reference.get(column["name"], {})) for column in columns if column["kind"] == "categorical"]
    usual = [column["name"] for column in columns if _missing_share(column, reference) <= _USUALLY_MISSING]
    return Known(tuple(numbers), tuple(one for one in levels if one is not None), tuple(usual))


def _numbers(column: Mapping[str, Any], margin: float) -> Numbers:
    low, high = float(column["minimum"]), float(column["maximum"])
    return Numbers(column["name"], low - margin * (high - low), high + margin * (high - low))


def _levels(column: Mapping[str, Any], reference: Mapping[str, Any]) -> Levels | None:
    """Return the levels of a column, or None where not all of them are known."""
    if reference.get("kind") == "levels" and reference.get("other", 1.0) < _NOTHING_LEFT:
        return Levels(column["name"], frozenset(reference["shares"]))
    return None if column["levels"] is None else Levels(column["name"], frozenset(column["levels"]))


def _missing_share(column: Mapping[str, Any], reference: Mapping[str, Any]) -> float:
    described = reference.get(column["name"]) or column
    return float(described.get("missing_share", 0.0))
