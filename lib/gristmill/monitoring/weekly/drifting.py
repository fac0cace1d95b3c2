"""One look at drift: what ``22_drift`` tells and ``monitoring/drift.json`` holds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gristmill.errors import DataError
from gristmill.metrics.scores import Floats
from gristmill.monitoring.diagnosis.suspects import DISTRIBUTION, MISSING, NEW_LEVEL, OUTSIDE, Suspect, suspects
from gristmill.monitoring.drift.concept import concept_drift
from gristmill.monitoring.drift.domain import Separation, separation
from gristmill.monitoring.drift.findings import examine
from gristmill.monitoring.drift.measuring import measure
from gristmill.monitoring.drift.report import DriftReport
from gristmill.monitoring.instruments import MonitoringMetrics
from gristmill.monitoring.performance.served import Served
from gristmill.monitoring.quality.columns import ColumnQuality, columns, shares
from gristmill.monitoring.watched import Watched
from gristmill.monitoring.weekly.onset import onsets
from gristmill.monitoring.windows import said, slices, window_of

PRODUCT = "monitoring/drift.json"
FEWEST_IN_A_PART = 50
"""Rows of a day below which its distance from the training rows is mostly chance, and is not shown."""

MEASURES = {"psi": "psi", "kl": "kl", "jensen_shannon": "js", "ks": "ks", "wasserstein": "wasserstein"}
"""Measure of a report -> its name among the gauges."""


def look(watched: Watched) -> dict[str, Any]:
    """Return how far the rows of a window are from the training rows, as JSON-able data.

    Returns
    -------
    dict
        What :meth:`gristmill.monitoring.drift.report.DriftReport.to_record` gives, and ``case``, ``version``, ``since``, ``until``,
        ``logged``; ``suspects`` (``kind``, ``columns``, ``words``, ``since``, ``importance``, ``fault``: whether it is one of the
        data, and not another distribution), ``over_time`` (``at``, and by column PSI less its bias and the share of wrong values;
        PSI of the ``answers``), ``concept`` (whether losses on late labels rose; None without labels), ``remarks``, ``sentence``.

    Raises
    ------
    ArtifactError, DataError
        The model was built before distributions were kept; or a row does not have its columns.
    """
    window, own = watched.window, watched.own
    told, apart = _apart(watched)
    report = measure(watched.reference, watched.counted(), watched.case.monitoring.drift, watched.importances, apart)
    head = {"case": watched.case.name, "version": watched.version, "since": window.since, "until": window.until}
    over_time = _over_time(watched)
    record: dict[str, Any] = {
        **head,
        "logged": window.logged,
        "window": window.sentence,
        **report.to_record(),
        "suspects": _suspects(watched, report, over_time),
        "over_time": over_time,
        "concept": _concept(watched),
        "remarks": told,
    }
    empty = (
        f"From {said(window.since)} to {said(window.until)} the model was asked nothing: there is nothing to hold against training."
    )
    return {**record, "sentence": report.sentence if len(own) else empty}


def _apart(watched: Watched) -> tuple[list[str], Separation | None]:
    """Return how well rows can be told from training rows, or why that is not known."""
    limits = watched.case.monitoring.drift
    if watched.training is None:
        return ["The training rows of this version are gone, so that the rows were compared column by column alone."], None
    if len(watched.own) < limits.smallest_window:
        return [], None
    try:
        return [], separation(watched.training, watched.features, watched.reference, limits.sample_rows)
    except DataError as error:
        return [str(error)], None


def _suspects(watched: Watched, report: DriftReport, over_time: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the drifted columns look like: faults of the data, or another distribution; by importance.

    The rows looked at are those since a column began to differ: a fault of the last days leaves no clear trace in the whole window.
    """
    if not report.drifted:
        return []
    weights = watched.importances or {}
    made = [
        {
            "kind": one.kind,
            "columns": list(one.columns),
            "words": one.words,
            "since": since,
            "importance": sum(weights.get(name, 0.0) for name in one.columns) if weights else None,
            "fault": one.kind != DISTRIBUTION,
        }
        for since, one in _found(watched, report, over_time)
    ]
    return sorted(made, key=lambda one: (not one["fault"], -float(one["importance"] or 0.0)))


def _found(watched: Watched, report: DriftReport, over_time: Mapping[str, Any]) -> Iterator[tuple[float | None, Suspect]]:
    """Give each suspect with the moment since which it is one, None where that is the whole window."""
    if watched.training is None:
        wrong = {one.name: one for one in columns(watched.reference, watched.counted(), watched.case.monitoring.drift)}
        for one in report.features:
            if one.drifted:
                yield None, _without_rows(one.name, wrong[one.name], one.verdict)
        return
    at = watched.own.rows["at"].to_numpy(dtype=np.float64)
    begun = onsets(over_time, watched.case.monitoring.drift)
    for since in sorted({begun.get(name) for name in report.drifted}, key=lambda one: one or 0.0):
        part = replace(report, features=tuple(one for one in report.features if one.drifted and begun.get(one.name) == since))
        rows = watched.features if since is None else watched.features[at >= since]
        for found in suspects(part, watched.training, rows, watched.case.monitoring.drift.significance):
            yield since, found


def _without_rows(name: str, found: ColumnQuality, verdict: str) -> Suspect:
    """Return what a drifted column looks like where only the distribution of its training rows is left.

    Values that no training row has may be a fault or a new time; a model is not to be trained on them before somebody has looked.
    """
    if not found.wrong:
        return Suspect(DISTRIBUTION, (name,), f"{name!r}: {verdict}")
    kinds = ((NEW_LEVEL, found.new_levels), (OUTSIDE, found.outside), (MISSING, max(0.0, found.missing - found.missing_before)))
    return Suspect(max(kinds, key=lambda one: one[1] or 0.0)[0], (name,), f"{name!r}: {found.wrong}")


def _over_time(watched: Watched) -> dict[str, Any]:
    """Return PSI less its bias of each column, and the largest of the answers, day by day; None for days of few rows."""
    parts = slices(watched.own.rows["at"].to_numpy(dtype=np.float64), watched.window.since, watched.window.until)
    limits, reference = watched.case.monitoring.drift, watched.reference
    found: dict[str, list[float | None]] = {name: [] for name in reference.columns}
    answers: list[float | None] = []
    days = [watched.counted(inside) if inside.sum() >= FEWEST_IN_A_PART else None for _, inside in parts]
    for counted in days:
        for name, one in reference.columns.items():
            found[name].append(None if counted is None else examine(one, counted.columns[name], limits)[0]["psi_corrected"])
        psi = [] if counted is None else [
            examine(one, counted.predictions[name], limits)[0]["psi_corrected"] for name, one in reference.predictions.items()
        ]  # fmt: skip
        answers.append(max((value for value in psi if value is not None), default=None))
    wrong = {name: [None if one is None else shares(reference, [one])[name][0] for one in days] for name in reference.columns}
    rows = [int(inside.sum()) for _, inside in parts]
    return {"at": [at for at, _ in parts], "rows": rows, "psi": found, "wrong": wrong, "answers": answers}


def _concept(watched: Watched) -> dict[str, Any] | None:
    """Return whether losses on late labels rose over the time that performance is told of; None with too few labels."""
    settings = watched.case.monitoring.performance
    since = watched.window.until - settings.maturity_seconds - settings.window_seconds
    until = watched.window.until - settings.maturity_seconds
    longer = window_of(watched.paths, since, watched.window.until, watched.offline.model.classes).served.of(watched.version)
    at = longer.rows["at"].to_numpy(dtype=np.float64)
    known = longer.take(np.asarray(longer.labelled & (at <= until)))
    if len(known) < settings.min_labels:
        return None
    known = known.take(np.argsort(known.rows["at"].to_numpy(dtype=np.float64), kind="stable"))
    losses = row_losses(known)
    found = concept_drift(losses)
    moments = known.rows["at"].to_numpy(dtype=np.float64)
    changed = None if found.at is None else float(moments[found.at])
    days = slices(moments, float(moments[0]), float(moments[-1]) + 1)
    by_day = [(at, float(losses[inside].mean()) if inside.any() else None) for at, inside in days]
    return {
        **found.to_record(),
        "changed_at": changed,
        "sentence": found.sentence,
        "days": {"at": [at for at, _ in by_day], "loss": [loss for _, loss in by_day]},
    }


def row_losses(known: Served) -> Floats:
    """Return the loss of each labelled row: minus the logarithm of the probability of its class, or the squared error."""
    scored = known.scored()
    if scored.task == "regression":
        return np.asarray((scored.y_true - scored.predicted) ** 2, dtype=np.float64)
    said_of_truth = scored.predicted[np.arange(len(scored)), scored.y_true.astype(np.intp)]
    return np.asarray(-np.log(np.clip(said_of_truth, 1e-6, 1.0)), dtype=np.float64)


def gauges(record: Mapping[str, Any]) -> MonitoringMetrics:
    """Return what dashboards and rules read of a look; of a window too small to be judged only that it was looked at."""
    made = MonitoringMetrics(record["case"], "drift")
    for one in record["features"] if record["judged"] else ():
        for measure_name, name in MEASURES.items():
            value = one["measures"].get(measure_name)
            if value is not None:
                made.drift(one["name"], name, value)
    made.ran(record["until"])
    return made
