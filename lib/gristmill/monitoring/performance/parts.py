"""Performance by segment and by group: where the served model is worse than elsewhere, and whom it treats worse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.fairness_limits import keeps, nearer_end
from gristmill.data.contract.behaviour import read_segments
from gristmill.data.contract.conditions import in_words, members
from gristmill.errors import DataError
from gristmill.evaluation.errors.segments import column_segments
from gristmill.evaluation.fairness.audits import Audit, audit_feature, sensitive_groups
from gristmill.evaluation.fairness.verdicts import limits
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap, intervals
from gristmill.metrics.scores import Floats
from gristmill.monitoring.performance.served import Mask, Served


@dataclass(frozen=True)
class Judged:
    """Labelled rows, and how they are scored.

    Attributes
    ----------
    scored
        The rows.
    columns
        What was sent of the same rows.
    metric
        The metric that decides.
    threshold
        Smallest probability of the positive class that counts as positive.
    bootstrap
        Confidence, resamples and seed.
    """

    scored: Scored
    columns: pd.DataFrame
    metric: str
    threshold: float | None
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP


def judged(served: Served, metric: str, threshold: float | None, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP) -> Judged:
    """Return the labelled rows of served predictions, ready to be scored."""
    return Judged(served.scored(), served.take(served.labelled).features, metric, threshold, bootstrap)


def by_segment(
    rows: Judged, columns: Sequence[str], behaviour: Any, contract: Mapping[str, Any], min_rows: int
) -> list[dict[str, Any]]:
    """Return the metric in each critical segment of the case and in each level or quartile of ``columns``.

    Parameters
    ----------
    rows
        The labelled rows.
    columns
        The case's ``monitoring.performance.segments``.
    behaviour
        The case's ``behaviour``, for its critical segments.
    contract
        The data contract.
    min_rows
        Segments with fewer rows have no figures.

    Returns
    -------
    list
        ``segment`` in words, ``critical`` (its name, or None), ``n`` (0 where its columns were not sent), ``value``, ``low``,
        ``high``; empty without labels.

    Raises
    ------
    DataError
        A column was not sent.
    """
    sent = set(rows.columns.columns)
    absent = [name for name in columns if name not in sent]
    if not len(rows.scored):
        return []
    if absent:
        raise DataError(
            f"`monitoring.performance.segments` names the column {absent[0]!r}, which served rows do not "
            "have. Remove it there, or send it."
        )
    found = []
    for one in read_segments(behaviour, contract):
        known = all(condition.column in sent for condition in one.where)
        inside = members(rows.columns, one.where) if known else np.zeros(len(rows.scored), dtype=bool)
        found.append(_segment(rows, inside, in_words(one.where), one.name, min_rows))
    for column in columns:
        for segment, inside in column_segments(rows.columns, column, min_rows=min_rows):
            found.append(_segment(rows, inside, segment.text, None, min_rows))
    return found


def _segment(rows: Judged, inside: Mask, text: str, critical: str | None, min_rows: int) -> dict[str, Any]:
    """Return the metric on some rows."""
    part = rows.scored.take(np.flatnonzero(inside))
    line = {"segment": text, "critical": critical, "n": len(part)}
    unknown = dict.fromkeys(("value", "low", "high"), float("nan"))
    if len(part) < min_rows:
        return {**line, **unknown}
    return {**line, **_scores(part, part.predicted, rows)}


def _scores(part: Scored, predicted: Floats, rows: Judged) -> dict[str, float]:
    """Return value and interval of the metric."""
    found = intervals(part.task, part.y_true, predicted, rows.bootstrap, metrics=[rows.metric], threshold=rows.threshold)
    return found[rows.metric]


def by_group(rows: Judged, features: Sequence[str], classes: tuple[str, ...], fairness: Any) -> dict[str, Any]:
    """Return the audit of the sensitive features on late labels, and which of the case's limits are broken.

    Parameters
    ----------
    rows
        The labelled rows.
    features
        The case's ``sensitive_features``; those that were not sent are named as ``unknown``.
    classes
        Classes in the order of their codes.
    fairness
        The case's ``fairness``.

    Returns
    -------
    dict
        ``features``: name -> groups and differences as in ``fairness.json``; ``limits``: one line a limit and feature, with
        ``kept`` (of the value) and ``surely_broken`` (of the whole interval); ``unknown``.
    """
    sent = [name for name in features if name in rows.columns.columns]
    unknown = [name for name in features if name not in sent]
    if not len(rows.scored) or not sent:
        return {"features": {}, "limits": [], "unknown": unknown}
    audit = Audit(rows.threshold, classes, fairness.min_group_size, rows.bootstrap)
    found = {
        name: audit_feature(rows.scored, groups.reset_index(drop=True), audit)
        for name, groups in sensitive_groups(rows.columns.reset_index(drop=True), sent).items()
        if name in sent
    }
    stated = limits(fairness, rows.scored.task)
    lines = [
        _limit(feature, measure, part["differences"][measure], *stated[measure])
        for feature, part in found.items()
        for measure in stated
        if measure in part["differences"]
    ]
    return {"features": found, "limits": lines, "unknown": unknown}


def _limit(feature: str, measure: str, spread: Mapping[str, Any], direction: str, limit: float) -> dict[str, Any]:
    """Return how one measure of one feature stands against its limit; unknown values break none."""
    value, end = spread["value"], spread[nearer_end(measure)]
    known = value is not None and not np.isnan(value)
    return {
        "feature": feature,
        "measure": measure,
        "value": value,
        "low": spread["low"],
        "high": spread["high"],
        "groups": list(spread["groups"]),
        "limit": f"{direction} {limit:g}",
        "kept": keeps(value, direction, limit) if known else None,
        "surely_broken": bool(known and not keeps(end, direction, limit)),
    }
