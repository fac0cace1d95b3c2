"""Whether the test rows tell another story than the rows the model was chosen on."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gristmill.metrics.scores import relative_improvement
from gristmill.reporting.wording import figure, interval, metric_label

MOST_APART = 0.1
"""Share by which the loss on the test rows (or what the score lacks of 1) may differ from that out of fold."""


def suspicious_gap(test: Mapping[str, Any], validation: Mapping[str, Any], metric: str) -> str | None:
    """Return a sentence if the test score is too far from the out-of-fold score to be chance, else None.

    The rule: the two intervals do not overlap, and the loss (for a score, what it lacks of 1) differs by more than a tenth of that
    out of fold. The training score is no measure of it: a forest knows the rows it was fitted on by heart, and is none the worse.

    Parameters
    ----------
    test, validation
        ``value``, ``low`` and ``high`` of the metric on the test rows and out of fold.
    metric
        Name of the metric.
    """
    ends = [test.get("low"), test.get("high"), validation.get("low"), validation.get("high")]
    if any(end is None or not np.isfinite(end) for end in ends):
        return None
    apart = test["low"] > validation["high"] or test["high"] < validation["low"]
    better = relative_improvement(metric, test["value"], validation["value"])
    if not apart or abs(better) <= MOST_APART:
        return None
    said = " and ".join(f"{figure(found['value'])} ({interval(found['low'], found['high'])})" for found in (test, validation))
    why = (
        "better than chance allows: look for rows or groups on both sides, and for test rows that are easier by their choice"
        if better > 0
        else "worse than chance allows: look for near-duplicates or groups across the folds, and for drift since the training rows"
    )
    return f"Suspicious gap: {metric_label(metric)} on the test rows and out of fold is {said}. The test is {why}."
