"""One look at the rows that were served: what ``21_data_quality`` tells and ``monitoring/data_quality.json`` holds."""

from typing import Any

from gristmill.monitoring.instruments import MonitoringMetrics
from gristmill.monitoring.quality.agreed import agreed
from gristmill.monitoring.quality.columns import columns, shares
from gristmill.monitoring.quality.traffic import repeats, traffic
from gristmill.monitoring.watched import Watched
from gristmill.monitoring.windows import said, slices

PRODUCT = "monitoring/data_quality.json"


def look(watched: Watched) -> dict[str, Any]:
    """Return what is known of the quality of the rows of a window, as JSON-able data.

    Returns
    -------
    dict
        ``case``, ``version``, ``since``, ``until``, ``logged``, ``predictions``, ``rows`` (those looked at), ``judged`` (whether
        they are enough for a verdict), ``traffic``, ``repeats``, ``columns`` (:class:`..columns.ColumnQuality`), ``contract``
        (:func:`..agreed.agreed`), ``treated`` (what the model itself counted as missing, far out and unseen), ``over_time``
        (``at``, and the share of wrong values of each column), ``wrong`` (names of the columns), ``sentence``.

    Raises
    ------
    ArtifactError, DataError
        The model was built before distributions were kept; or a row does not have its columns.
    """
    window, limits, own = watched.window, watched.case.monitoring.drift, watched.own
    judged = len(own) >= limits.smallest_window
    found = columns(watched.reference, watched.counted(), limits) if len(own) else []
    parts = slices(watched.own.rows["at"].to_numpy(dtype=float), window.since, window.until)
    over_time = shares(watched.reference, [watched.counted(inside) for _, inside in parts]) if len(own) else {}
    treated = watched.offline.model.counted(own.features) if len(own) else None
    record: dict[str, Any] = {
        "case": watched.case.name,
        "version": watched.version,
        "since": window.since,
        "until": window.until,
        "logged": window.logged,
        "predictions": window.predictions,
        "rows": len(own),
        "judged": judged,
        "window": window.sentence,
        "traffic": traffic(window),
        "repeats": repeats(own, watched.offline.model.feature_columns, watched.training),
        "columns": [one.to_record() for one in found],
        "contract": agreed(watched),
        "treated": None if treated is None else treated.totals,
        "over_time": {"at": [at for at, _ in parts], "share": over_time},
        "wrong": [one.name for one in found if one.wrong],
    }
    return {**record, "sentence": sentence(record, limits.smallest_window)}


def sentence(record: dict[str, Any], smallest: int) -> str:
    """Return the verdict in words."""
    if not record["logged"]:
        return "There is no prediction log yet: nothing was served so far."
    if not record["rows"]:
        return f"From {said(record['since'])} to {said(record['until'])} the model was asked nothing."
    if not record["judged"]:
        return f"{record['rows']:,} rows are too few for a verdict, which is given from {smallest:,} on."
    wrong = [one for one in record["columns"] if one["wrong"]]
    if not wrong:
        return f"No column of the {record['rows']:,} rows has more missing, outlying or unknown values than chance would make."
    told = "; ".join(f"{one['name']!r}: {one['wrong']}" for one in wrong[:3]) + ("; ..." if len(wrong) > 3 else "")
    return f"{len(wrong)} of {len(record['columns'])} columns have values that the model has not learnt from: {told}."


def gauges(record: dict[str, Any]) -> MonitoringMetrics:
    """Return what dashboards and rules read of a look."""
    made = MonitoringMetrics(record["case"], "quality")
    for one in record["columns"]:
        for measure, value in (
            ("missing_share", one["missing"]),
            ("outlier_share", one["outside"]),
            ("new_levels", one["new_levels"]),
        ):
            if value is not None:
                made.quality(one["name"], measure, value)
    made.ran(record["until"])
    return made
