"""What late labels say of the served model, held against what the test rows said before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gristmill.config.metric_names import greater_is_better
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.interval_ends import Interval
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap, intervals

WORSE, CANNOT_TELL, AS_BEFORE, BETTER, TOO_FEW = "worse", "cannot tell", "as before", "better", "too few labels"
VERDICTS = (WORSE, CANNOT_TELL, AS_BEFORE, BETTER, TOO_FEW)


@dataclass(frozen=True)
class Against:
    """One metric of served rows against the same metric of the test rows.

    Attributes
    ----------
    metric
        Its name.
    online, offline
        Value and interval on served rows, and on the test rows.
    drop
        Share of the offline value that is lost; negative where the model is better. Not a number where the offline value is zero.
    verdict
        One of :data:`VERDICTS`. ``worse``: the drop is larger than the case allows, and the two intervals lie apart;
        ``cannot tell``: it is larger, and they do not.
    """

    metric: str
    online: Interval
    offline: Interval
    drop: float
    verdict: str

    @property
    def sure_drop(self) -> float:
        """The drop that an alert goes by: zero unless the intervals lie apart, and the model is worse."""
        return self.drop if self.drop > 0 and apart(self.metric, self.online, self.offline) else 0.0

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {"online": self.online, "offline": self.offline, "drop": self.drop, "verdict": self.verdict}


def relative_drop(metric: str, online: float, offline: float) -> float:
    """Return the share of the offline value that is lost: of a score by falling, of an error by growing."""
    if not np.isfinite([online, offline]).all() or offline == 0:
        return float("nan")
    lost = offline - online if greater_is_better(metric) else online - offline
    return float(lost / abs(offline))


def apart(metric: str, online: Interval, offline: Interval) -> bool:
    """Return whether the online interval lies wholly on the worse side of the offline one."""
    return online["high"] < offline["low"] if greater_is_better(metric) else online["low"] > offline["high"]


def _better(metric: str, online: Interval, offline: Interval) -> bool:
    """Return whether the online interval lies wholly on the better side of the offline one."""
    return apart(metric, offline, online)


def against(metric: str, online: Interval, offline: Interval, max_drop: float, *, enough: bool = True) -> Against:
    """Return how a metric of served rows stands against the test rows.

    Parameters
    ----------
    metric
        Its name.
    online, offline
        Value and interval of each.
    max_drop
        Largest relative drop, the case's ``retraining.max_performance_drop``.
    enough
        Whether there are rows enough to conclude anything.
    """
    drop = relative_drop(metric, online["value"], offline["value"])
    if not enough or not np.isfinite([online["value"], offline["value"]]).all():
        verdict = TOO_FEW
    elif drop > max_drop:
        verdict = WORSE if apart(metric, online, offline) else CANNOT_TELL
    else:
        verdict = BETTER if _better(metric, online, offline) else AS_BEFORE
    return Against(metric, online, offline, drop, verdict)


def online_metrics(
    scored: Scored, threshold: float | None, n_features: int = 0, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP
) -> dict[str, Interval]:
    """Return every metric of the task on labelled rows, with its interval; none without rows."""
    if not len(scored):
        return {}
    return intervals(scored.task, scored.y_true, scored.predicted, bootstrap, threshold=threshold, n_features=n_features)


def compared(
    online: Mapping[str, Interval], offline: Mapping[str, Any], max_drop: float, *, enough: bool = True
) -> dict[str, Against]:
    """Return each metric that is known on both sides; ``offline`` is ``test`` of the build's ``metrics.json``."""
    both = [name for name in online if name in offline and None not in offline[name].values()]
    return {name: against(name, online[name], dict(offline[name]), max_drop, enough=enough) for name in both}
