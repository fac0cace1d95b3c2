"""Segments that a case file calls critical: what the model reaches on their test rows, against what it must reach."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.metric_names import greater_is_better
from gristmill.data.contract.behaviour import ReadSegment, read_segments
from gristmill.data.contract.conditions import in_words, members
from gristmill.evaluation.errors.slices import score_others, score_rows
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap
from gristmill.metrics.paired import Answers
from gristmill.reporting.wording import UNKNOWN, count, figure, interval, metric_label, plain, share


def score_critical(
    behaviour: Any,
    contract: Mapping[str, Any],
    scored: Scored,
    rows: pd.DataFrame,
    *,
    threshold: float | None = None,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
    others: Mapping[str, Answers] | None = None,
) -> list[dict[str, Any]]:
    """Return each criterion of each critical segment with what the test rows reach.

    Parameters
    ----------
    behaviour
        The case's ``behaviour``.
    contract
        The data contract.
    scored, rows
        All test rows: predicted, and with their columns, in the same order.
    threshold, bootstrap, others
        As in :func:`gristmill.evaluation.errors.slices.score_segments`.

    Returns
    -------
    list
        ``name``, ``segment`` (in words), ``n``, ``share``, ``metric``, ``wanted``, ``value``, ``low``, ``high``, ``met``; without
        rows, or where the metric is undefined on them, the numbers are missing and the criterion is not met. ``others`` holds, by
        name, what each other model reaches on the same rows, which decides nothing.
    """
    return [
        line
        for segment in read_segments(behaviour, contract)
        for line in _criteria(segment, scored, rows, threshold=threshold, bootstrap=bootstrap, others=others)
    ]


def _criteria(
    segment: ReadSegment,
    scored: Scored,
    rows: pd.DataFrame,
    *,
    threshold: float | None,
    bootstrap: Bootstrap,
    others: Mapping[str, Answers] | None,
) -> list[dict[str, Any]]:
    """Return the criteria of one critical segment with what its rows reach."""
    inside = np.flatnonzero(members(rows, segment.where))
    about = {"name": segment.name, "segment": in_words(segment.where), "n": len(inside), "share": len(inside) / max(1, len(rows))}
    unknown = dict.fromkeys(("value", "low", "high"), float("nan"))
    part = scored.take(inside)
    found = []
    for metric, wanted in segment.settings.success_criteria.items():
        scores = score_rows(part, metric, threshold=threshold, bootstrap=bootstrap) if len(inside) else unknown
        beside = score_others(others, scored, inside, metric)
        met = meets(metric, scores["value"], wanted)
        found.append({**about, "metric": metric, "wanted": wanted, **scores, "met": met, "others": beside})
    return found


def meets(metric: str, value: float | None, wanted: float) -> bool:
    """Return whether a metric reaches what is wanted of it; one that is not known does not."""
    if value is None or not np.isfinite(value):
        return False
    return bool(value >= wanted if greater_is_better(metric) else value <= wanted)


def reached_by(one: Mapping[str, Any], other: str = "champion") -> str:
    """Return in words whether another model meets a criterion on the same rows; nothing where that is not known."""
    value = (one.get("others") or {}).get(other)
    if value is None or not np.isfinite(value):
        return ""
    missed = "misses it" if meets(one["metric"], one["value"], one["wanted"]) else "misses it too"
    verdict = "meets it" if meets(one["metric"], value, one["wanted"]) else missed
    return f"the {other} {verdict}, with {figure(value)}"


def sentence(criteria: Sequence[Mapping[str, Any]]) -> str:
    """Return in Markdown how many criteria are met, and which are not."""
    if not criteria:
        return "The case file names no critical segment (`behaviour.critical_segments`)."
    missed = [
        f"**{one['name']}** ({'; '.join(filter(None, (_reached(one), reached_by(one))))})" for one in criteria if not one["met"]
    ]
    text = f"**{len(criteria) - len(missed)}** of {len(criteria)} criteria of critical segments are met."
    return f"{text} Not met: {', '.join(missed)}." if missed else text


def _reached(one: Mapping[str, Any]) -> str:
    """Return what the candidate reaches."""
    return f"{metric_label(one['metric'])} {figure(one['value'])}"


def table(criteria: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one line a criterion as a reader would want it."""
    lines = [
        {
            "segment": one["name"],
            "rows are": one["segment"],
            "rows": f"{count(one['n'])} ({share(one['share'], 1)})",
            "metric": metric_label(one["metric"]),
            "value": figure(one["value"]),
            "interval": interval(one["low"], one["high"]) if np.isfinite(one["low"]) else "",
            **{name: other_cell(one, name) for name in one["others"]},
            "wanted": f"{'at least' if greater_is_better(one['metric']) else 'at most'} {plain(one['wanted'])}",
            "met": "yes" if one["met"] else "NO",
        }
        for one in criteria
    ]
    beside = list(criteria[0]["others"]) if criteria else []
    columns = ["segment", "rows are", "rows", "metric", "value", "interval", *beside, "wanted", "met"]
    return pd.DataFrame(lines, columns=columns).set_index("segment").rename_axis(None)


def other_cell(one: Mapping[str, Any], other: str) -> str:
    """Return what another model reaches of a criterion, and whether that is too little; a dash where it is not known."""
    value = (one.get("others") or {}).get(other)
    if value is None or not np.isfinite(value):
        return UNKNOWN
    return figure(value) if meets(one["metric"], value, one["wanted"]) else f"{figure(value)} (missed)"
