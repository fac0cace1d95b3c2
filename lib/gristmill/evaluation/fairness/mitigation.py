"""The frontier between quality and disparity in a table, a figure and sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.fairness_limits import AT_LEAST, JUDGED_BY_DEFAULT, fairness_limits
from gristmill.modeling.mitigation import frontier
from gristmill.modeling.mitigation.frontier import MOST_MIXTURE_ROWS, MOST_ROWS
from gristmill.reporting.disparities import INFINITE
from gristmill.reporting.plots import disparity
from gristmill.reporting.plots.style import HouseFigure, empty, house_style
from gristmill.reporting.wording import count, figure, metric_label

TITLE = "Quality against disparity"


def in_words(found: Mapping[str, Any]) -> str:
    """Return in Markdown what was looked at and how sure it is; or why nothing was."""
    if not found["points"]:
        return frontier.in_words(found)
    told = (
        f"{frontier.in_words(found)} Thresholds by group were tried on the chosen model. What has to be learnt again was tried on "
        f"the family in the column *model*, with at most {count(MOST_ROWS)} rows a fold, {count(MOST_MIXTURE_ROWS)} for a mixture: "
        "compare it with other points of that model, and expect the chosen model to do better."
    )
    left = ", ".join(f"`{name}`" for name in found["left_out"])
    return f"{told} Not looked at, for lack of time, but to be chosen all the same: {left}." if left else told


def point_table(found: Mapping[str, Any], case: Any) -> pd.DataFrame:
    """Return one line a point as a reader would write it; no line where nothing was looked at.

    Parameters
    ----------
    found
        ``mitigation`` of ``selection.json``.
    case
        The case; ``primary_metric``, ``fairness`` and ``task`` are read.
    """
    measures = fairness_limits(case.fairness, case.task)
    lines = []
    for point in found["points"]:
        line = {"point": point["name"], "model": point["model"], metric_label(case.primary_metric): figure(point["score"])}
        line |= {metric_label("accuracy"): figure(point["accuracy"])} if "accuracy" in point else {}
        line |= {_gain_label(point["rule"]): figure(point["gain"])} if "rule" in point else {}
        line |= {metric_label(measure): _disparity(point, measure) for measure in measures}
        lines.append({**line, "keeps the limits": _kept(point), "chosen": "chosen" if point["chosen"] else ""})
    table = pd.DataFrame(lines, columns=None if lines else ["point"])
    return table.set_index("point").rename_axis(None)


def _disparity(point: Mapping[str, Any], measure: str) -> str:
    """Return a measure of a point in words; JSON has no infinity, so that its name stands beside."""
    return INFINITE if measure in point.get("infinite", ()) else figure(point.get(measure))


def _kept(point: Mapping[str, Any]) -> str:
    """Return whether a point keeps all limits, and which groups of several features surely break one."""
    across = ", ".join(dict.fromkeys(point.get("intersections", {}).values()))
    return "yes" if point["keeps"] else f"no (groups of {across})" if across else "no"


def _gain_label(rule: str) -> str:
    """Return what decisions bring, with its unit."""
    return f"{metric_label(rule)} per 1,000 rows" if rule in ("profit", "cost") else metric_label(rule)


def judged_measure(case: Any) -> str:
    """Return the first measure that the case limits, or would by default."""
    stated = fairness_limits(case.fairness, case.task)
    limited = [measure for measure, (_, limit) in stated.items() if limit is not None]
    return [*limited, *(measure for measure in stated if measure in JUDGED_BY_DEFAULT)][0]


@house_style
def frontier_figure(found: Mapping[str, Any], case: Any, measure: str | None = None) -> HouseFigure:
    """Return each point's primary metric against its disparity in a measure: the first that the case limits, if none is named."""
    measure = measure or judged_measure(case)
    points = [
        {"name": point["name"], "score": point["score"], "disparity": point.get(measure), "chosen": point["chosen"]}
        for point in found["points"]
        if point.get(measure) is not None and np.isfinite(point[measure]) and point["score"] is not None
    ]
    if not points:
        return empty(TITLE, found["reason"] if not found["points"] else "No two groups have enough rows to be compared.")
    direction, limit = fairness_limits(case.fairness, case.task)[measure]
    title = _headline(points, direction, case.primary_metric)
    return disparity.frontier(points, case.primary_metric, measure, direction=direction, limit=limit, title=title)


def _headline(points: Sequence[Mapping[str, Any]], direction: str, metric: str) -> str:
    """Return what treating groups most alike would take, as the title of the figure."""
    most_alike = (max if direction == AT_LEAST else min)(points, key=lambda point: float(point["disparity"]))
    chosen = next((point for point in points if point["chosen"]), None)
    if chosen is None or most_alike is chosen:
        return f"{TITLE}: nothing that was looked at treats groups more alike than what was chosen" if chosen else TITLE
    return (
        f"Most alike: {most_alike['name']}, {figure(most_alike['disparity'])} instead of {figure(chosen['disparity'])}, with "
        f"{metric_label(metric)} {figure(most_alike['score'])} instead of {figure(chosen['score'])}"
    )
