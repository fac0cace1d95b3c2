"""What is wrong in the columns of served rows: values that are missing, beyond all training values, or of levels never seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gristmill.config.sections.drift import Drift
from gristmill.modeling.artifact.column_counts import LevelCounts, NumberCounts
from gristmill.monitoring.drift.findings import Finding, examine
from gristmill.monitoring.drift.reference import ColumnReference, NumberReference, Reference
from gristmill.monitoring.drift.statistics import holm
from gristmill.monitoring.drift.window import Counts, Window

TESTS = ("missing", "outside", "new levels")
"""Of the tests of drift those that say that a value is wrong, and not only that values are distributed otherwise."""

MOST_NAMED = 5


@dataclass(frozen=True)
class ColumnQuality:
    """One column of served rows.

    Attributes
    ----------
    name, kind
        Of the column.
    missing, missing_before
        Share of the rows without a value, here and in training.
    outside
        Share of the values beyond all training values; None for levels.
    new_levels
        Share of the values of levels that no training row has; None for numbers, and where not all levels are known.
    named
        The most frequent of these levels.
    range, range_before
        Ends of the values, here and in training; None for levels.
    findings
        What was tested, adjusted for all tests of all columns.
    wrong
        What is worth telling and no chance, in words; empty where nothing is.
    """

    name: str
    kind: str
    missing: float
    missing_before: float
    outside: float | None
    new_levels: float | None
    named: tuple[str, ...]
    range: tuple[float, float] | None
    range_before: tuple[float, float] | None
    findings: tuple[Finding, ...]
    wrong: str = ""

    @property
    def share(self) -> float:
        """Share of its rows that are wrong in any of these ways."""
        return wrong_share(self.missing, self.missing_before, self.outside, self.new_levels)

    def to_record(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "findings"}
        return {**named, "findings": [one.to_record() for one in self.findings]}


def columns(reference: Reference, window: Window, limits: Drift) -> list[ColumnQuality]:
    """Return each column of a window beside the training rows, those with the most wrong first.

    A share is wrong from the floors of ``monitoring.drift`` on, if chance would not make it (Holm's method over all columns).

    Parameters
    ----------
    reference, window
        Both in the same cells.
    limits
        The case's ``monitoring.drift``.
    """
    made = [_column(one, window.columns[name], limits) for name, one in reference.columns.items()]
    adjusted = iter(holm(np.array([found.p_value for one in made for found in one.findings])).tolist())
    judged = window.rows >= limits.smallest_window
    told = []
    for one in made:
        findings = tuple(replace(found, adjusted=next(adjusted)) for found in one.findings)
        worse = [found.words for found in findings if judged and found.drifted(limits.significance)]
        told.append(replace(one, findings=findings, wrong="; ".join(worse)))
    return sorted(told, key=lambda one: (not one.wrong, -one.share))


def wrong_share(missing: float, before: float, outside: float | None, new: float | None) -> float:
    """Return the share of rows beyond what training had: missing more often, outside, or new."""
    return min(1.0, max(0.0, missing - before) + (1 - missing) * ((outside or 0.0) + (new or 0.0)))


def shares(reference: Reference, windows: Sequence[Window]) -> dict[str, list[float | None]]:
    """Return the share of wrong rows of each column in each of several windows; None in one without rows."""
    found: dict[str, list[float | None]] = {}
    for name, one in reference.columns.items():
        parts = [_figures(one, window.columns[name]) if window.rows else None for window in windows]
        found[name] = [None if part is None else wrong_share(*part) for part in parts]
    return found


def _figures(reference: ColumnReference, counts: Counts) -> tuple[float, float, float | None, float | None]:
    """Return the shares missing here, missing in training, outside, and new."""
    missing, before = (one.missing / max(one.rows, 1) for one in (counts, reference.counts))
    if isinstance(counts, LevelCounts):
        known = not isinstance(reference, NumberReference) and reference.rare is not None
        return missing, before, None, counts.new_rows / max(counts.present, 1) if known else None
    known = isinstance(reference, NumberReference) and reference.limits is not None
    return missing, before, counts.outside / max(counts.present, 1) if known else None, None


def _column(reference: ColumnReference, counts: Counts, limits: Drift) -> ColumnQuality:
    """Return one column, as yet without a verdict."""
    missing, before, outside, new = _figures(reference, counts)
    _, findings = examine(reference, counts, limits)
    kept = tuple(one for one in findings if one.test in TESTS and (one.test != "missing" or missing > before))
    named = tuple(list(counts.new)[:MOST_NAMED]) if isinstance(counts, LevelCounts) else ()
    here = (counts.minimum, counts.maximum) if isinstance(counts, NumberCounts) and counts.present else None
    there = reference.limits if isinstance(reference, NumberReference) else None
    return ColumnQuality(reference.name, reference.kind, missing, before, outside, new, named, here, there, kept)
