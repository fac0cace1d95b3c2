"""What can be tried on a row: curves, other decisions, similar rows. Nothing of it is a prediction about anybody, or logged."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.sections.showing import App
from gristmill.evaluation.explanation.counterfactuals import Counterfactual, Goal, Movable, counterfactuals
from gristmill.evaluation.explanation.effects import value_text
from gristmill.evaluation.explanation.movable import movable, movable_columns
from gristmill.evaluation.explanation.similar_rows import PastRows, SimilarRows
from gristmill.metrics.scores import Floats, decide
from gristmill.serving.served.versions import ServedVersion
from gristmill.views.predict.form import Field, fields_of
from gristmill.views.predict.sample import Sample

POINTS = 61
"""Of a curve over a range."""

VALUE, OUTPUT, SAID = "value", "output", "said"
"""Columns of a curve: the moved column's value; the class, or the target's name; its probability, or the number."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Explorer:
    """Tries a version.

    Attributes
    ----------
    version
        What is tried.
    sample
        Training rows, where they are here.
    app
        Settings of the case.
    """

    version: ServedVersion
    sample: Sample | None
    app: App

    def frame(self, row: Row) -> pd.DataFrame:
        """Return a row of JSON in its contracted types.

        Raises
        ------
        DataError
            It holds a value that its type cannot hold.
        """
        model = self.version.predictor.model
        return model.features(pd.DataFrame([dict(row)], columns=list(model.feature_columns)))

    def said(self, row: Row) -> Floats:
        """Return probabilities of the classes, or the number in an array of one."""
        return np.atleast_1d(self.version.predictor.frame_values(self.frame(row))[0])

    @cached_property
    def fields(self) -> list[Field]:
        """Entries of the form of one row."""
        return fields_of(self.version.predictor.model, self.sample, self.app)

    @cached_property
    def ranges(self) -> dict[str, Movable]:
        """Columns that can be moved by hand, which a person may do with any that varies, dates and text aside."""
        if self.sample is None:
            return {}
        facts = {column["name"]: column for column in self.version.predictor.model.contract["columns"]}
        names = [name for name in self.sample.rows.columns if facts[name]["kind"] not in ("date", "text")]
        made = {name: movable(self.sample.rows[name], facts[name]) for name in names}
        return {name: one for name, one in made.items() if one is not None}

    def curve(self, row: Row, column: str) -> pd.DataFrame:
        """Return what the model says with one column moved over its range, the others as they are.

        Returns
        -------
        DataFrame
            :data:`VALUE`, :data:`OUTPUT`, :data:`SAID`; for two classes the positive one alone.
        """
        over, base = self.ranges[column], self.frame(row)
        values = _values(over, base[column].iloc[0])
        moved = base.iloc[np.zeros(len(values), dtype=np.intp)].reset_index(drop=True)
        moved[column] = values if over.levels else np.asarray(values, dtype=np.float64)
        said = self.version.predictor.frame_values(moved)
        outputs, columns = self._outputs(said)
        return pd.DataFrame(
            {
                VALUE: [value for value in values for _ in outputs],
                OUTPUT: list(outputs) * len(values),
                SAID: columns.ravel(),
            }
        )

    def _outputs(self, said: Floats) -> tuple[tuple[str, ...], Floats]:
        """Return the names of what a curve shows, and a column for each."""
        model = self.version.predictor.model
        if not model.classes:
            return (model.target,), said[:, None]
        return (model.classes[1:], said[:, 1:]) if len(model.classes) == 2 else (model.classes, said)

    def other_class(self, wanted: str) -> Goal:
        """Return the goal that a class is decided for."""
        model = self.version.predictor.model
        code = model.classes.index(wanted)
        return Goal(lambda said: decide(said, model.threshold) == code, lambda said: said[:, code])

    def beyond(self, number: float, *, above: bool) -> Goal:
        """Return the goal that a predicted number is at least, or at most, another one."""
        sign = 1.0 if above else -1.0
        return Goal(lambda said: sign * said >= sign * number, lambda said: sign * said)

    def reached(self, row: Row, goal: Goal) -> bool:
        """Return whether a row has reached a goal as it is."""
        return bool(goal.reached(self.version.predictor.frame_values(self.frame(row)))[0])

    def other_decisions(self, row: Row, goal: Goal) -> list[Counterfactual]:
        """Return the smallest changes of the row that reach a goal; none where it has reached it, or there are no training rows.

        Each is asked again as a row of its own, with the values as they are told to a person, and left out if it does not hold.
        """
        if self.sample is None or self.reached(row, goal):
            return []
        found = counterfactuals(
            self.version.predictor.frame_values, self.frame(row), self._movable, goal,
            most=self.app.counterfactuals, at_once=self.app.changed_at_once,
        )  # fmt: skip
        return [one for one in found if self.reached({**row, **as_told(one)}, goal)]

    @cached_property
    def _movable(self) -> list[Movable]:
        if self.sample is None:
            return []
        fixed = {name for name, column in self.app.columns.items() if column.fixed}
        return movable_columns(self.sample.rows, self.version.predictor.model.contract, fixed)

    @property
    def left_alone(self) -> list[str]:
        """Columns that the model reads and no change concerns."""
        moved = {column.name for column in self._movable}
        return [name for name in self.version.predictor.model.feature_columns if name not in moved]

    @cached_property
    def _past(self) -> PastRows | None:
        return None if self.sample is None else PastRows(self.sample.rows, self.sample.outcomes)

    def similar(self, row: Row) -> SimilarRows | None:
        """Return the past rows most like a row; None where there are no training rows here."""
        return None if self._past is None else self._past.nearest(self.frame(row), self.app.similar_rows)

    def reasons(self, row: Row) -> dict[str, Any]:
        """Return the reasons for the prediction of a row, as the service gives them; takes about a second.

        Raises
        ------
        ArtifactError
            The model carries nothing to explain it with.
        """
        frame = pd.DataFrame([dict(row)], columns=list(self.version.predictor.model.feature_columns))
        return self.version.explainer.explain(frame, top=self.app.reasons)[0]


def as_told(found: Counterfactual) -> dict[str, Any]:
    """Return the changed values of a row as a sentence gives them, numbers as they are rounded there."""
    changed = {name: after for name, (_, after) in found.changes.items()}
    return {name: float(value_text(value)) if isinstance(value, float) else value for name, value in changed.items()}


def _values(over: Movable, now: Any) -> list[Any]:
    """Return the values of a curve: all levels, or points of the range, the row's own among them."""
    known = not pd.isna(now)
    if over.levels:
        levels = sorted(over.levels, key=str) if isinstance(over.levels[0], str) else sorted(over.levels)
        return [*levels, *([now] if known and now not in levels else [])]
    low, high = (min(over.low, float(now)), max(over.high, float(now))) if known else (over.low, over.high)
    points = np.linspace(low, high, POINTS)
    if over.whole:
        points = np.unique(np.rint(points))
    return sorted({*points.tolist(), *([float(now)] if known else [])})
