"""A window held against the reference: every column tested, chance corrected for, importance weighed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gristmill.config.sections.drift import Drift
from gristmill.monitoring.drift.domain import Separation
from gristmill.monitoring.drift.findings import Finding, Measures, examine
from gristmill.monitoring.drift.reference import ColumnReference, Reference
from gristmill.monitoring.drift.report import DriftReport, FeatureDrift
from gristmill.monitoring.drift.statistics import holm
from gristmill.monitoring.drift.window import Window


def measure(
    reference: Reference,
    window: Window,
    limits: Drift | None = None,
    importances: Mapping[str, float] | None = None,
    separation: Separation | None = None,
) -> DriftReport:
    """Return what is different about a window, and whether it matters.

    All tests of all columns are one family (Holm 1979): of windows that have not drifted at most the share ``significance``
    has any finding. A difference counts only from its floor on, so that a large window does not make small ones important.
    Drift is an alarm where the drifted columns have together at least ``alarm_importance`` of the model's importance, where one of
    them is ``critical``, or where the predictions drifted.

    Parameters
    ----------
    reference, window
        Both in the same cells.
    limits
        The ``monitoring.drift`` of the case file; its defaults if not given.
    importances
        Column -> share of the model's importance, summing to one. Without, any drifted column is an alarm.
    separation
        What a classifier tells of the rows as a whole, if it was asked.
    """
    limits = limits or Drift()
    pairs = [(one, window.columns[name]) for name, one in reference.columns.items()]
    answers = [(one, window.predictions[name]) for name, one in reference.predictions.items() if name in window.predictions]
    examined = [examine(one, counts, limits) for one, counts in [*pairs, *answers]]
    judged = window.rows >= limits.smallest_window
    described = _described([one for one, _ in [*pairs, *answers]], examined, limits, importances, judged=judged)
    features = tuple(sorted(described[: len(pairs)], key=lambda one: (not one.drifted, -(one.importance or 0.0))))
    predictions = tuple(described[len(pairs) :])
    if not judged:
        few = f"the window has {window.rows:,} rows, and is judged from {limits.smallest_window:,} on"
        return DriftReport(reference.rows, window.rows, features, predictions, alarm=False, why=(few,), judged=False)
    why, quiet = _reasons(features, predictions, limits, importances)
    if separation is not None and separation.drifted(limits.separable):
        why = [*why, separation.sentence]
    record = None if separation is None else separation.to_record()
    told = tuple(why or quiet)
    return DriftReport(reference.rows, window.rows, features, predictions, alarm=bool(why), why=told, multivariate=record)


def _described(
    columns: Sequence[ColumnReference],
    examined: Sequence[tuple[Measures, list[Finding]]],
    limits: Drift,
    importances: Mapping[str, float] | None,
    *,
    judged: bool,
) -> list[FeatureDrift]:
    """Return each column with its findings, adjusted for the number of all of them."""
    adjusted = iter(holm(np.array([one.p_value for _, found in examined for one in found])).tolist())
    made = []
    for column, (measures, found) in zip(columns, examined, strict=True):
        findings = tuple(replace(one, adjusted=next(adjusted)) for one in found)
        passed = [one for one in findings if judged and one.drifted(limits.significance)]
        importance = None if importances is None or column.kind == "prediction" else importances.get(column.name, 0.0)
        verdict = _verdict(passed, findings, limits.significance)
        made.append(FeatureDrift(column.name, column.kind, importance, measures, findings, bool(passed), verdict))
    return made


def _verdict(passed: Sequence[Finding], findings: Sequence[Finding], significance: float) -> str:
    """Return what is to be said of a column."""
    if passed:
        words = list(dict.fromkeys(one.words for one in passed))
        return f"Drifted: {'; '.join(words)}."
    if any(one.adjusted <= significance for one in findings):
        return "Differs, but by less than matters."
    return "No difference that chance would not make."


def _reasons(
    features: Sequence[FeatureDrift], predictions: Sequence[FeatureDrift], limits: Drift, importances: Mapping[str, float] | None
) -> tuple[list[str], list[str]]:
    """Return the reasons for an alarm, and what is to be said if there are none."""
    drifted = [one for one in features if one.drifted]
    weight = sum(one.importance or 0.0 for one in drifted)
    why = [f"{one.name!r} is critical and drifted: {_findings(one)}" for one in drifted if one.name in limits.critical]
    listed = "; ".join(f"{one.name!r}: {_findings(one)}" for one in drifted[:5]) + ("; ..." if len(drifted) > 5 else "")
    if drifted and importances is None:
        why.append(f"{len(drifted)} of {len(features)} columns drifted, of unknown importance: {listed}")
    elif drifted and weight >= limits.alarm_importance:
        why.append(f"columns with {100 * weight:.3g} % of the model's importance drifted: {listed}")
    moved = [one for one in predictions if one.drifted]
    if moved:
        why.append(f"the predictions drifted, {moved[-1].name!r}: {_findings(moved[-1])}")
    quiet = [f"{len(drifted)} of {len(features)} columns drifted"]
    if drifted:
        share = f"{100 * weight:.3g} %"
        quiet = [f"{quiet[0]}, with {share} of the model's importance, below {100 * limits.alarm_importance:.3g} %: {listed}"]
    return why, quiet


def _findings(one: FeatureDrift) -> str:
    """Return what was found of a column that drifted, without the head of its verdict."""
    return one.verdict.removeprefix("Drifted: ").removesuffix(".")
