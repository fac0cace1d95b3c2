"""Rows of some time, counted in the cells of the reference: small, and summed with those of other times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from gristmill.errors import DataError
from gristmill.modeling.artifact.column_counts import Floats, LevelCounts, NumberCounts
from gristmill.monitoring.drift.cells import count_levels, numbers_of
from gristmill.monitoring.drift.reference import LevelReference, NumberReference, Reference

if TYPE_CHECKING:
    import pyarrow as pa

Counts = NumberCounts | LevelCounts

FORMAT = 1


@dataclass(frozen=True)
class Window:
    """Counts of a window's columns and predictions.

    Attributes
    ----------
    rows
        How many rows were counted.
    columns
        Column -> counts, for each column of the reference.
    predictions
        Class (or ``prediction``) -> counts; empty where no predictions were given.
    """

    rows: int
    columns: Mapping[str, Counts]
    predictions: Mapping[str, NumberCounts]

    @classmethod
    def of(cls, table: "pd.DataFrame | pa.Table", reference: Reference, predicted: Floats | None = None, threads: int = 2) -> Self:
        """Return the counts of a table.

        Parameters
        ----------
        table
            Rows with the raw columns of the reference; more columns do no harm.
        reference
            The training rows' distribution.
        predicted
            What the model answered: probabilities ``(n_rows, n_classes)`` or numbers ``(n_rows,)``.
        threads
            Columns that are counted at once.

        Raises
        ------
        DataError
            A column is missing, or there are not as many predictions as rows.
        """
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        names = table.columns if isinstance(table, pd.DataFrame) else table.column_names
        absent = [name for name in reference.columns if name not in names]
        if absent:
            raise DataError(f"The column {absent[0]!r} is missing, which the model reads. Give the window all of its columns.")
        with ThreadPoolExecutor(threads) as pool:
            counted = pool.map(lambda one: _counted(table[one.name], one), reference.columns.values())
            columns = dict(zip(reference.columns, counted, strict=True))
        return cls(len(table), columns, _predictions(predicted, reference, len(table)))

    def merged(self, other: Self) -> Self:
        """Return the counts of both windows together; both must have been counted against the same reference.

        Raises
        ------
        DataError
            They were not, or one has predictions and the other not.
        """
        if set(self.columns) != set(other.columns) or set(self.predictions) != set(other.predictions):
            raise DataError("Expected two windows of the same model, got other columns. Count both against one reference.")
        try:
            columns = {name: counts.merged(other.columns[name]) for name, counts in self.columns.items()}  # type: ignore[arg-type]
            predictions = {name: counts.merged(other.predictions[name]) for name, counts in self.predictions.items()}
        except ValueError as error:
            raise DataError("Expected two windows of the same model, got other cells. Count both against one reference.") from error
        return type(self)(self.rows + other.rows, columns, predictions)

    def to_record(self) -> dict[str, Any]:
        """Return the window as JSON-able data."""
        return {
            "format": FORMAT,
            "rows": self.rows,
            "columns": {name: counts.to_record() for name, counts in self.columns.items()},
            "predictions": {name: counts.to_record() for name, counts in self.predictions.items()},
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], reference: Reference) -> Self:
        """Return the window that :meth:`to_record` wrote.

        Raises
        ------
        DataError
            It was counted against another reference.
        """
        try:
            columns = {name: _read(record["columns"][name], one) for name, one in reference.columns.items()}
            held = record["predictions"]
            predictions = {name: NumberCounts.from_record(held[name], reference.predictions[name].counts.edges) for name in held}
            return cls(int(record["rows"]), columns, predictions)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"Expected a window of this model, got one that does not fit its reference ({error!r}). Count it anew."
            ) from error


def _counted(values: Any, column: NumberReference | LevelReference) -> Counts:
    """Return the counts of one column."""
    if isinstance(column, LevelReference):
        found, missing = count_levels(values)
        return LevelCounts.of(found, missing, column.counts.levels, column.rare)
    return NumberCounts.of(numbers_of(values, column.kind), column.counts.edges, column.limits)


def _predictions(predicted: Floats | None, reference: Reference, n_rows: int) -> dict[str, NumberCounts]:
    """Return the counts of the model's answers, none where none are given."""
    if predicted is None:
        return {}
    if len(predicted) != n_rows:
        raise DataError(f"Expected a prediction for each of {n_rows} rows, got {len(predicted)}.")
    table = predicted.reshape(n_rows, len(reference.predictions))
    named = enumerate(reference.predictions.items())
    return {name: NumberCounts.of(table[:, place], one.counts.edges, one.limits) for place, (name, one) in named}


def _read(record: Mapping[str, Any], column: NumberReference | LevelReference) -> Counts:
    """Return the counts of one column from its record."""
    if isinstance(column, LevelReference):
        return LevelCounts.from_record(record, column.counts.levels)
    return NumberCounts.from_record(record, column.counts.edges)
