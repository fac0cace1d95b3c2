"""Why a model got worse: the data first, then features, then the model by segment, each cause weighed by the loss it explains.

The loss of the window beyond that of the reference rows is taken apart by substitution. A column in doubt gets values of reference
rows that are alike in all columns not in doubt, in the window and in the reference alike. If the fault is in that column alone, the
two sides then differ no more, whatever the column was worth; what still differs has another cause. What stays when all columns in
doubt are substituted is a change of the concept: the same rows mean something else now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.sections.drift import Drift
from gristmill.errors import DataError
from gristmill.modeling.artifact.column_counts import Floats
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.monitoring.diagnosis import suspects as kinds_of
from gristmill.monitoring.diagnosis.account import CONCEPT, Cause, Diagnosis
from gristmill.monitoring.diagnosis.derived import changed_features
from gristmill.monitoring.diagnosis.losses import labelled, row_losses, truth_of
from gristmill.monitoring.diagnosis.matching import Donors
from gristmill.monitoring.diagnosis.segments import Segment, worst_segments
from gristmill.monitoring.diagnosis.suspects import Suspect, misshapen, suspects, torn
from gristmill.monitoring.drift.measuring import measure
from gristmill.monitoring.drift.reference import Reference
from gristmill.monitoring.drift.report import DriftReport
from gristmill.monitoring.drift.window import Window

MOST_ROWS = 5_000
"""Rows of each side that are substituted."""

DRAWS = 3
"""Values that a row is given in turn; losses are averaged over them."""

REMEDIES: Mapping[str, str] = {
    kinds_of.BROKEN_JOIN: "Look at the table that these columns are joined from: its keys, its latest load.",
    kinds_of.MISSING: "Ask the source why values are missing, and fill them in again.",
    kinds_of.UNIT: "Ask the source for the column's unit; convert it back before the model sees it.",
    kinds_of.STUCK: "Look at the sensor or the job that writes the column: it repeats one value.",
    kinds_of.NEW_LEVEL: "Map the new level to a known one if it is only renamed; otherwise train again with rows that have it.",
    kinds_of.RELATION: "See whether values came to the wrong rows: the key they are joined by, the order of the rows, the step "
    "that makes the feature.",
    kinds_of.DISTRIBUTION: "If the source is right, the population has changed: train again with such rows.",
    CONCEPT: "The data are as they were; what they mean has changed. Train again with labels of this window.",
}
"""Kind of cause -> what to do next."""


@dataclass(frozen=True)
class _Side:
    """Rows of one side, with what was to be predicted and what the model loses on each."""

    rows: pd.DataFrame
    truth: Floats
    losses: Floats


def diagnose(model: FittedModel, reference: pd.DataFrame, window: pd.DataFrame, limits: Drift | None = None) -> Diagnosis:
    """Return why the model lost more in a window than on rows of its own time.

    Parameters
    ----------
    model
        The model.
    reference
        Labelled raw rows of its snapshot that it has not learnt from, such as the test rows.
    window
        Raw rows with labels.
    limits
        The ``monitoring.drift`` of the case file; its defaults if not given.

    Raises
    ------
    DataError
        Labels or columns are missing, or there are too few labelled rows.
    """
    limits = limits or Drift()
    old, new = (labelled(model, rows, name) for rows, name in ((reference, "reference"), (window, "window")))
    if min(len(old), len(new)) < limits.smallest_window:
        raise DataError(
            f"Expected at least {limits.smallest_window:,} labelled rows on each side, got {len(old):,} of the reference and "
            f"{len(new):,} of the window. Take a longer window."
        )
    rng = np.random.default_rng(0)
    before, after = (_side(model, rows, rng) for rows in (old, new))
    error = float(np.sqrt(before.losses.var() / len(before.losses) + after.losses.var() / len(after.losses)))
    rise = float(after.losses.mean() - before.losses.mean())
    report = _drift(model, before.rows, after.rows, limits)
    segments = worst_segments(before.rows, after.rows, (before.losses, after.losses), _kinds(model))
    found = _suspects(model, (before.rows, after.rows), report, limits)
    substitution = _Substitution.of(model, (before, after), found, rng)
    causes = _causes(substitution, found, rise, 2 * error)
    if rise > 2 * error:
        causes.append(_concept(substitution, found, segments, rise))
    return Diagnosis(
        model=model.manifest.case,
        metric="log_loss" if model.classes else "mse",
        before=float(before.losses.mean()),
        after=float(after.losses.mean()),
        error=error,
        rows=(len(before.rows), len(after.rows)),
        causes=tuple(sorted(causes, key=lambda one: -one.explained)),
        segments=tuple(segments),
        drift=report,
    )


def _kinds(model: FittedModel) -> dict[str, str]:
    """Return the columns the model reads, with their kinds."""
    kinds = {column["name"]: column["kind"] for column in model.contract["columns"]}
    return {name: kinds[name] for name in model.feature_columns}


def _side(model: FittedModel, rows: pd.DataFrame, rng: np.random.Generator) -> _Side:
    """Return some of the rows, with their losses."""
    chosen = rows.iloc[np.sort(rng.permutation(len(rows))[:MOST_ROWS])].reset_index(drop=True)
    typed = chosen.assign(**model.features(chosen))
    truth = truth_of(model, typed)
    return _Side(typed, truth, row_losses(model, typed, truth))


def _drift(model: FittedModel, old: pd.DataFrame, new: pd.DataFrame, limits: Drift) -> DriftReport:
    """Return the window beside the very rows that it is compared with."""
    contract = dict(model.contract)
    values = model.predict_values(old)
    record = drift_reference(old, contract, list(model.feature_columns), values, 10)
    held = Reference.from_record(record, contract)
    return measure(held, Window.of(new, held, model.predict_values(new)), limits)


def _suspects(model: FittedModel, rows: tuple[pd.DataFrame, pd.DataFrame], report: DriftReport, limits: Drift) -> list[Suspect]:
    """Return the faults: of columns, then of how columns that have none go together, then of features made of those."""
    old, new = rows
    found = suspects(report, old, new, limits.significance)
    whole = {name: kind for name, kind in _kinds(model).items() if name not in _doubted(found)}
    found += torn(old, new, whole, limits.significance)
    return found + misshapen(changed_features(model, old, new, limits), _doubted(found))


def _doubted(found: Sequence[Suspect]) -> set[str]:
    """Return the columns in doubt."""
    return {name for one in found for name in one.columns}


@dataclass(frozen=True)
class _Substitution:
    """Both sides with columns in doubt to be substituted, each from the same givers whichever column it is."""

    model: FittedModel
    sides: tuple[_Side, _Side]
    donors: Donors
    givers: tuple[NDArray[np.intp], NDArray[np.intp]]

    @classmethod
    def of(
        cls, model: FittedModel, sides: tuple[_Side, _Side], found: Sequence[Suspect], rng: np.random.Generator
    ) -> "_Substitution":
        """Return the substitution that leaves all columns in doubt out of what makes rows alike."""
        doubted = _doubted(found)
        donors = Donors(sides[0].rows, {name: kind for name, kind in _kinds(model).items() if name not in doubted})
        own, other = (donors.draws(side.rows, DRAWS, rng, own=side is sides[0]) for side in sides)
        return cls(model, sides, donors, (own, other))

    def left(self, columns: Sequence[str]) -> float:
        """Return by how much the window's mean loss still is above the reference's when the columns are substituted."""
        before, after = (self._mean(side, columns, givers) for side, givers in zip(self.sides, self.givers, strict=True))
        return after - before

    def _mean(self, side: _Side, columns: Sequence[str], givers: NDArray[np.intp]) -> float:
        """Return the mean loss of one side with the columns substituted."""
        tables = (self.donors.substituted(side.rows, columns, given) for given in givers)
        return float(np.mean([row_losses(self.model, table, side.truth).mean() for table in tables]))


def _causes(substitution: _Substitution, found: Sequence[Suspect], rise: float, least: float) -> list[Cause]:
    """Return the faults of the data, each with the share of the additional loss that it explains.

    Parameters
    ----------
    substitution
        Both sides.
    found
        The faults.
    rise
        The additional loss.
    least
        What shares are taken of where the loss rose by less.
    """
    causes = []
    for one in found:
        shares = {side: (rise - substitution.left(side)) / max(rise, least) for side in one.sides or (one.columns,)}
        side = max(shares, key=lambda columns: shares[columns])  # of what no longer goes together, the part that explains more
        causes.append(Cause(one.kind, side, shares[side], one.words, REMEDIES[one.kind]))
    return causes


def _concept(substitution: _Substitution, found: Sequence[Suspect], segments: Sequence[Segment], rise: float) -> Cause:
    """Return the change of the concept: what stays when all columns in doubt are substituted."""
    doubted = sorted(_doubted(found))
    stays = substitution.left(doubted) / rise if doubted else 1.0
    words = "it stays when all columns in doubt are substituted" if doubted else "no fault of the data explains it"
    if segments:
        words += f"; it is clearest where {segments[0].words}"
    return Cause(CONCEPT, (), stays, words, REMEDIES[CONCEPT])
