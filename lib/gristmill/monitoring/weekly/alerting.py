"""The alerts of a case, held against what the looks of this report found."""

from dataclasses import dataclass
from typing import Any

from gristmill.config.case import Case
from gristmill.monitoring.alerts.evaluate import Look, evaluate, sentence
from gristmill.monitoring.alerts.fetching import parsed
from gristmill.monitoring.alerts.rendering import annotations
from gristmill.monitoring.alerts.signals import SIGNALS
from gristmill.monitoring.instruments import MonitoringMetrics

OF_WATCHING = ("metric_drop", "estimated_drop", "label_share", "drift_kl", "fairness_limits_broken", "monitoring_age_hours")
"""Signals that come of watching; the others are the service's and the machine's, which Prometheus asks all the time."""

BEYOND, WITHIN, UNKNOWN = "beyond its limit", "within its limit", "not known"


@dataclass(frozen=True)
class Judged:
    """How one alert stands.

    Attributes
    ----------
    name, severity, limit
        The rule.
    state
        :data:`BEYOND`, :data:`WITHIN` or :data:`UNKNOWN`.
    value
        Of its signal; None where it is not known.
    said
        What it says to a person; empty within its limit.
    runbook
        Where it is written what to do.
    """

    name: str
    severity: str
    limit: str
    state: str
    value: float | None
    said: str
    runbook: str

    def to_record(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return dict(self.__dict__)


def judged(case: Case, gauges: list[MonitoringMetrics], at: float) -> list[Judged]:
    """Return how the alerts on what watching found stand, those beyond their limit first.

    How long a limit has to be broken is not asked: a look at a week knows only whether it is.

    Parameters
    ----------
    case
        The case.
    gauges
        What the looks found.
    at
        The end of the window, in seconds since 1970.
    """
    from prometheus_client import generate_latest  # noqa: PLC0415 - an extra

    samples = parsed([generate_latest(one.registry).decode() for one in gauges], at)
    broken = {alert.rule: alert for alert in evaluate(case, samples, Look())}
    made = []
    for name, rule in case.monitoring.alerts.items():
        if rule.signal not in OF_WATCHING:
            continue
        values = [value for _, value in SIGNALS[rule.signal].read(samples, samples, case.name)]
        state = BEYOND if name in broken else WITHIN if values else UNKNOWN
        limit = f"above {rule.above:g}" if rule.above is not None else f"below {rule.below:g}"
        said = sentence(case, broken[name]).partition(": ")[2] if name in broken else ""
        url = annotations(case, name, rule, "")["runbook_url"]
        made.append(Judged(name, rule.severity, limit, state, max(values, default=None), said, url))
    return sorted(made, key=lambda one: (one.state != BEYOND, one.state == UNKNOWN))
