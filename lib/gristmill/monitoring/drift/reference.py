"""The stored distribution of the training rows, as windows are held against it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.column_counts import Floats, LevelCounts, NumberCounts
from gristmill.modeling.artifact.drift_reference import bin_starts
from gristmill.modeling.artifact.model_directory import CONTRACT, DRIFT_REFERENCE, REBUILD, read_verified, require_files

PREDICTED = "prediction"
"""Kind of the model's own answers, beside the kinds of the contract."""


@dataclass(frozen=True)
class NumberReference:
    """A number, date, truth value or text (by its number of words).

    Attributes
    ----------
    name, kind
        Of the column; the kind is that of the contract.
    counts
        Of the training rows.
    edges
        Edges of the bins for PSI and the chi-square test, all of them among ``counts.edges``.
    limits
        Smallest and largest training value; None where they were not kept.
    """

    name: str
    kind: str
    counts: NumberCounts
    edges: Floats
    limits: tuple[float, float] | None

    def binned(self, counts: NumberCounts) -> Any:
        """Return the rows in each bin, shape ``(n_edges + 1,)``."""
        return np.add.reduceat(counts.counts, bin_starts(counts.edges, self.edges))


@dataclass(frozen=True)
class LevelReference:
    """A categorical column.

    Attributes
    ----------
    name, kind
        Of the column.
    counts
        Of the training rows.
    rare
        Names of the rarer levels, None where not all are known.
    singletons
        Levels that one training row has: as many rows in all may be expected to have a level never seen (Good 1953).
    """

    name: str
    kind: str
    counts: LevelCounts
    rare: frozenset[str] | None
    singletons: int


ColumnReference = NumberReference | LevelReference


@dataclass(frozen=True)
class Reference:
    """All columns of a model, and its predictions by class (or one, of numbers)."""

    rows: int
    columns: Mapping[str, ColumnReference]
    predictions: Mapping[str, NumberReference]

    @classmethod
    def load(cls, directory: Path | str, digest: str | None = None) -> Self:
        """Return the reference of a model directory, which is verified first.

        Raises
        ------
        ArtifactError
            The directory is not what its manifest or ``digest`` says, or holds no reference.
        """
        manifest, content = read_verified(directory, digest)
        require_files(manifest, (DRIFT_REFERENCE, CONTRACT), directory)
        return cls.from_record(json.loads(content[DRIFT_REFERENCE]), json.loads(content[CONTRACT]))

    @classmethod
    def from_record(cls, record: Mapping[str, Any], contract: Mapping[str, Any]) -> Self:
        """Return what ``drift_reference.json`` holds, of this format or the one before.

        Raises
        ------
        ArtifactError
            It is no such record.
        """
        kinds = {column["name"]: column["kind"] for column in contract["columns"]}
        try:
            rows = int(record["rows"])
            columns = {name: _column(name, kinds[name], stored, rows) for name, stored in record["columns"].items()}
            predictions = {name: _number(name, PREDICTED, stored, rows) for name, stored in record["predictions"].items()}
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"Expected the distribution of the training rows in {DRIFT_REFERENCE}, got {error!r}. {REBUILD}"
            ) from error
        return cls(rows, columns, predictions)


def _column(name: str, kind: str, stored: Mapping[str, Any], rows: int) -> ColumnReference:
    """Return one column of the record."""
    return _level(name, stored, rows) if stored["kind"] == "levels" else _number(name, kind, stored, rows)


def _number(name: str, kind: str, stored: Mapping[str, Any], rows: int) -> NumberReference:
    """Return a column of numbers; that of an earlier build has the bins alone, and no sums."""
    edges = np.asarray(stored["edges"], dtype=np.float64)
    cells = stored.get("cells")
    if cells is None:
        missing = round(stored["missing_share"] * rows)
        counts = np.rint(np.asarray(stored["shares"]) * (rows - missing)).astype(np.int64)
        return NumberReference(name, kind, NumberCounts(edges, counts, None, missing, 0.0, np.nan, np.nan), edges, None)
    counted = NumberCounts.from_record(cells, np.asarray(cells["edges"], dtype=np.float64))
    edges = np.asarray(cells["bins"], dtype=np.float64)
    if not np.isin(edges, counted.edges).all():
        raise ValueError(f"the bins of {name!r} are not made of its cells")
    limits = None if np.isnan(counted.minimum) else (counted.minimum, counted.maximum)
    return NumberReference(name, kind, counted, edges, limits)


def _level(name: str, stored: Mapping[str, Any], rows: int) -> LevelReference:
    """Return a column of levels; that of an earlier build knows new levels only if it had no rare ones."""
    if "counts" in stored:
        levels, rare = stored["counts"], stored["rare"]
        other, missing, singletons = int(stored["rare_rows"]), int(stored["missing"]), int(stored["singletons"])
    else:
        levels = {level: round(share * rows) for level, share in stored["shares"].items()}
        other, missing, singletons = round(stored["other"] * rows), round(stored["missing_share"] * rows), 0
        rare = None if other else []
    counts = LevelCounts(tuple(levels), np.array(list(levels.values()), dtype=np.int64), other, missing, {}, 0)
    return LevelReference(name, "categorical", counts, None if rare is None else frozenset(rare), singletons)
