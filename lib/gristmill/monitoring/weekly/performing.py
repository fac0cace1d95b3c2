"""One look at performance for the reports: what ``23_performance`` tells and ``monitoring/performance.json`` holds.

It is what ``gristmill performance`` finds (:mod:`gristmill.monitoring.performance.watching`), of a window whose rows are bounded,
with the metric week by week; and it says in words what is not known yet, where that command refuses.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gristmill.metrics.intervals import intervals
from gristmill.monitoring.performance.business import MONDAY, WEEK
from gristmill.monitoring.performance.offline import offline
from gristmill.monitoring.performance.online import AS_BEFORE, BETTER, CANNOT_TELL, TOO_FEW, WORSE
from gristmill.monitoring.performance.watching import Watch, report, watch_of
from gristmill.monitoring.watched import Watched
from gristmill.monitoring.windows import said, window_of

VERDICTS = {
    WORSE: "The model has become worse than its test rows promised, by more than the case allows and more than chance would make.",
    CANNOT_TELL: "The model may have become worse; so few labels cannot tell.",
    AS_BEFORE: "The model is as good as its test rows promised.",
    BETTER: "The model is better than its test rows promised.",
    TOO_FEW: "There are too few mature labels to tell.",
}


def look(watched: Watched) -> dict[str, Any]:
    """Return what late labels, estimates and decisions say up to the end of a window, as JSON-able data.

    Returns
    -------
    dict
        What :func:`gristmill.monitoring.performance.watching.report` gives, and ``since``, ``logged``, ``sampled`` (a sentence,
        empty where all predictions were looked at), ``weeks`` (``at``, ``n``, ``value``, ``low``, ``high`` of the primary metric,
        of weeks with enough labels) and ``sentence``.

    Raises
    ------
    ArtifactError, RegistryError, DataError
        As :func:`gristmill.monitoring.performance.watching.look`.
    """
    case, until = watched.case, watched.window.until
    settings = case.monitoring.performance
    since = until - settings.maturity_seconds - settings.window_seconds
    window = window_of(watched.paths, since, until, watched.offline.model.classes)
    watch = watch_of(watched.paths, case, offline(watched.paths), window.served, until)
    record = report(window.served, watch)
    return {
        **record,
        "since": since,
        "logged": window.logged,
        "sampled": window.sentence if window.sampled else "",
        "weeks": _weeks(watch, window.served.of(watch.offline.version).take(window.served.of(watch.offline.version).labelled)),
        "sentence": sentence(record),
    }


def _weeks(watch: Watch, labelled: Any) -> list[dict[str, Any]]:
    """Return the primary metric of each week, of those that are mature and have enough labels."""
    settings, metric = watch.case.monitoring.performance, watch.case.primary_metric
    at = labelled.rows["at"].to_numpy(dtype=np.float64)
    mondays = np.floor((at - MONDAY) / WEEK) * WEEK + MONDAY
    found = []
    for monday in np.unique(mondays[at <= watch.now - settings.maturity_seconds]):
        scored = labelled.take((mondays == monday) & (at <= watch.now - settings.maturity_seconds)).scored()
        line: dict[str, Any] = {"at": float(monday), "n": len(scored), "value": None, "low": None, "high": None}
        several = scored.task == "regression" or len(np.unique(scored.y_true)) > 1
        if len(scored) >= min(settings.min_labels, 100) and several:
            threshold = watch.offline.model.threshold
            line |= intervals(scored.task, scored.y_true, scored.predicted, watch.bootstrap, metrics=[metric], threshold=threshold)[
                metric
            ]
        found.append(line)
    return found


def sentence(record: Mapping[str, Any]) -> str:
    """Return the verdict in words."""
    known = record["maturity"]
    if not known["predictions"] and not known["young"]:
        return f"Up to {said(record['at'])} nothing was predicted: there is nothing to tell performance by."
    labels = f"{known['labels']:,} of {known['predictions']:,} mature predictions have a label"
    return f"{VERDICTS[record['verdict']]} {labels}; {known['young']:,} are too young to count."
