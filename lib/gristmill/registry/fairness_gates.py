"""Gates on how differently groups of people are treated: the limits of the case, over sensitive features and intersections."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from gristmill.config.case import Case
from gristmill.config.fairness_limits import AT_MOST, fairness_limits, keeps, nearer_end
from gristmill.evaluation.fairness.verdicts import unknown_fairness
from gristmill.registry.gates import Gate, at_least, at_most, infinite, not_measured
from gristmill.reporting.disparities import extent, one_figure
from gristmill.reporting.wording import metric_label, plain

GROUP = "deployment"

TOO_FEW = "No two groups have enough test rows to be compared."
NO_RATIO = "Some predictions are negative, so that a ratio of mean predictions has no meaning: limit the error ratio in its place."


def fairness_gates(case: Case, fairness: Mapping[str, Any]) -> Iterator[Gate]:
    """Give the gate of each measure of disparity that a case of the task may limit.

    Of a feature the value has to keep the limit. Intersections have small groups, some of which lie apart by chance alone: they
    break a limit only where the whole interval lies beyond it.

    Parameters
    ----------
    case
        The case; ``fairness`` and ``task`` are read.
    fairness
        Product of ``09_audit_fairness``.
    """
    for measure, (direction, limit) in fairness_limits(case.fairness, case.task).items():
        if not fairness.get("features"):
            yield not_measured(measure, GROUP, "The case file names no sensitive features.")
        elif limit is None:
            yield not_measured(measure, GROUP, "The case file sets no limit: reported, not judged.")
        else:
            yield _judged(measure, fairness, direction, limit)


def _judged(measure: str, fairness: Mapping[str, Any], direction: str, limit: float) -> Gate:
    """Judge one measure over the features and, where these keep its limit, over their intersections."""
    own = fairness.get("measures", {}).get(measure) or {}
    across = fairness.get("intersections", {}).get(measure) or {}
    end = nearer_end(measure)
    if not math.isnan(extent(own)) and not keeps(extent(own), direction, limit):
        return _compared(measure, extent(own), _about(measure, own), direction, limit, own)
    if not math.isnan(extent(across, end)) and not keeps(extent(across, end), direction, limit):
        text = f"{_about(measure, across)}, by the end of its interval that is nearer to the limit"
        return _compared(measure, extent(across, end), f"{text} (measured {one_figure(extent(across))})", direction, limit, across)
    if math.isnan(extent(own)):
        return not_measured(measure, GROUP, _why_unknown(measure, fairness))
    unknown = unknown_fairness(fairness, {measure: (direction, limit)})
    but = f", unknown for {' and '.join(map(repr, unknown))}" if unknown else ""
    return _compared(measure, extent(own), f"{_about(measure, own)}{but}", direction, limit, own)


def _compared(measure: str, value: float, text: str, direction: str, limit: float, found: Mapping[str, Any]) -> Gate:
    """Return the verdict on a value that was measured."""
    if math.isfinite(value):
        return (at_most if direction == AT_MOST else at_least)(measure, GROUP, value, limit, text)
    nothing = f"group {str(found['groups'][0])!r} has no error at all"
    return infinite(measure, GROUP, limit, f"{text}, is infinite: {nothing}, more than the limit of {plain(limit)}.")


def _about(measure: str, found: Mapping[str, Any]) -> str:
    """Return what was measured, of whom and between which groups."""
    groups = " and ".join(repr(str(group)) for group in found.get("groups") or ())
    of = f" for the class {found['of']!r}" if found.get("of") else ""
    return f"{metric_label(measure)} of {found.get('feature')!r}{f', between {groups}' if groups else ''}{of}"


def _why_unknown(measure: str, fairness: Mapping[str, Any]) -> str:
    """Return why a measure has no value: a ratio of predictions is left out where it has no meaning, all else is always there."""
    measures = fairness.get("measures", {})
    return NO_RATIO if measure == "mean_prediction_ratio" and measures and measure not in measures else TOO_FEW
