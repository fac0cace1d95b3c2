"""What is wrong with the data of a window, column by column, each by the kind of fault that its traces speak for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gristmill.modeling.artifact.column_counts import Floats
from gristmill.modeling.artifact.drift_reference import as_numbers
from gristmill.monitoring.diagnosis.derived import ChangedFeature
from gristmill.monitoring.diagnosis.joins import Unmatched, unmatched
from gristmill.monitoring.diagnosis.relations import broken_relations
from gristmill.monitoring.drift.report import DriftReport, FeatureDrift

BROKEN_JOIN, MISSING, UNIT, STUCK, NEW_LEVEL, DISTRIBUTION, RELATION = (
    "broken join",
    "missing values",
    "unit change",
    "stuck value",
    "new level",
    "distribution",
    "broken relation",
)

OUTSIDE = "values out of range"
"""Said where only the distribution of the training rows is left, which cannot tell a change of unit from another fault."""

MORE_STUCK = 0.2
"""By how much one value's share must have grown to call the column stuck."""

REMAINING = 0.5
"""Share of the difference that may be left when a factor is undone, for the factor to be the reason."""

LEAST_FACTOR = 1.15
"""Smallest factor, up or down, that can be a change of unit."""

LEVELS = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class Suspect:
    """A fault of the data.

    Attributes
    ----------
    kind
        One of the kinds above.
    columns
        Where its traces are.
    words
        What they are.
    sides
        Parts of the columns of which one has the fault; none where all have it together.
    """

    kind: str
    columns: tuple[str, ...]
    words: str
    sides: tuple[tuple[str, ...], ...] = ()


def suspects(report: DriftReport, reference: pd.DataFrame, window: pd.DataFrame, significance: float) -> list[Suspect]:
    """Return the faults that a window's drift speaks for; each drifted column belongs to one.

    Parameters
    ----------
    report
        The window beside the same reference rows.
    reference, window
        Raw rows.
    significance
        Level of the report's tests.
    """
    drifted = [one for one in report.features if one.drifted]
    tests = {one.name: {found.test for found in one.findings if found.drifted(significance)} for one in drifted}
    gone = [
        one.name
        for one in drifted
        if "missing" in tests[one.name] and window[one.name].isna().mean() > reference[one.name].isna().mean()
    ]
    joins = [_join(found, set(tests)) for found in unmatched(drifted, gone, reference, window)]
    joined = {name for one in joins for name in one.columns}
    return joins + [_one(one, tests[one.name], reference[one.name], window[one.name]) for one in drifted if one.name not in joined]


def _join(found: Unmatched, drifted: Collection[str]) -> Suspect:
    """Return the fault of columns that lost their values together; their key is one of them where it drifted as well."""
    key = (found.key,) if found.key in drifted else ()
    return Suspect(BROKEN_JOIN, (*found.columns, *key), found.words)


def torn(reference: pd.DataFrame, window: pd.DataFrame, kinds: Mapping[str, str], significance: float) -> list[Suspect]:
    """Return what is wrong with how columns go together, of columns that have no other fault; ``kinds`` names these."""
    found = broken_relations(reference, window, kinds, significance)
    return [Suspect(RELATION, tuple(name for side in one.sides for name in side), one.words, one.sides) for one in found]


def misshapen(features: Sequence[ChangedFeature], doubted: Collection[str]) -> list[Suspect]:
    """Return the features that changed though none of the columns they are made of is in doubt."""
    own = [one for one in features if one.sources and not set(one.sources) & set(doubted)]
    return [Suspect(RELATION, one.sources, one.words) for one in own]


def _one(drift: FeatureDrift, tests: set[str], reference: pd.Series, window: pd.Series) -> Suspect:
    """Return the fault of one column."""
    words = drift.verdict.removeprefix("Drifted: ").removesuffix(".")
    stuck = _stuck(drift, reference, window)
    if stuck:
        return Suspect(STUCK, (drift.name,), f"{drift.name!r} {stuck}")
    if drift.kind == "numeric" and tests & {"distribution", "shape", "outside"}:
        factor = unit_factor(as_numbers(reference, drift.kind), as_numbers(window, drift.kind))
        if factor is not None:
            return Suspect(UNIT, (drift.name,), f"{drift.name!r} looks multiplied by {factor:.4g}, as if its unit had changed")
    if "new levels" in tests:
        return Suspect(NEW_LEVEL, (drift.name,), f"{drift.name!r}: {words}")
    return Suspect(MISSING if tests == {"missing"} else DISTRIBUTION, (drift.name,), f"{drift.name!r}: {words}")


def _stuck(drift: FeatureDrift, reference: pd.Series, window: pd.Series) -> str:
    """Say at which value a column is stuck, or nothing."""
    if drift.kind not in ("numeric", "date"):
        return ""
    present = window.dropna()
    if not len(present):
        return ""
    counts = present.value_counts()
    value, share = counts.index[0], counts.iloc[0] / len(present)
    usual = float((reference.dropna() == value).mean())
    if share < usual + MORE_STUCK:
        return ""
    return f"is {value} in {100 * share:.3g} % of the rows that have a value, was in {100 * usual:.3g} %"


def unit_factor(reference: Floats, window: Floats) -> float | None:
    """Return the factor between two sets of numbers, if one factor is what makes them different; else None.

    The factor is the median ratio of their quantiles. It is the reason if at most half of the Kolmogorov-Smirnov distance
    is left when the window is divided by it.
    """
    old, new = reference[~np.isnan(reference)], window[~np.isnan(window)]
    if len(old) < 20 or len(new) < 20:
        return None
    before, after = np.quantile(old, LEVELS), np.quantile(new, LEVELS)
    useful = np.abs(before) > 1e-9 * max(float(np.abs(before).max()), 1e-300)
    if not useful.any():
        return None
    factor = float(np.median(after[useful] / before[useful]))
    if factor <= 0 or max(factor, 1 / factor) < LEAST_FACTOR:
        return None
    return factor if _distance(old, new / factor) <= REMAINING * _distance(old, new) - 0.01 else None


def _distance(old: Floats, new: Floats) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples; values as good as equal are taken as equal."""
    scale = float(np.std(old)) or 1.0
    old, new = (np.sort(np.round(one / scale, 6)) for one in (old, new))
    points = np.concatenate([old, new])
    differences = np.searchsorted(old, points, side="right") / len(old) - np.searchsorted(new, points, side="right") / len(new)
    return float(np.abs(differences).max())


def by_column(found: Sequence[Suspect]) -> Mapping[str, Suspect]:
    """Return the fault of each column in doubt."""
    return {name: one for one in found for name in one.columns}
