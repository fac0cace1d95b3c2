"""Gristmill's own evaluation of a case's alerts, where there is no Prometheus: which are pending, firing, over.

Each look fetches samples, reads the signals, and holds them against the limits; what lasts long enough fires. The state between two
looks is a file. An alert that goes on firing is told once, and once again when it is over.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gristmill.config.case import Case
from gristmill.data.products import write_json
from gristmill.errors import StateError
from gristmill.monitoring.alerts.rendering import alert_name, annotations
from gristmill.monitoring.alerts.signals import SIGNALS, Samples
from gristmill.monitoring.instruments import folder

PENDING, FIRING, OVER = "pending", "firing", "over"

_KEPT = ("ml_prediction_latency_seconds_bucket", "gristmill_requests_total")
"""Counters that the next look needs."""


@dataclass(frozen=True)
class Alert:
    """One instance of a rule that is beyond its limit, or has just come back.

    Attributes
    ----------
    rule
        Its name in the case file.
    labels
        What sets it apart from other instances of the rule.
    state
        ``pending``: not yet for long enough; ``firing``; ``over``: it was firing at the last look.
    since
        When it went beyond its limit, in seconds since 1970.
    value
        The signal.
    told
        Whether an earlier look found it firing already.
    """

    rule: str
    labels: Mapping[str, str]
    state: str
    since: float
    value: float
    told: bool = False

    @property
    def key(self) -> str:
        """What names this instance: rule and labels."""
        return json.dumps([self.rule, sorted(self.labels.items())])


@dataclass(frozen=True)
class Look:
    """What one look at the alerts leaves for the next.

    Attributes
    ----------
    samples
        The counters it saw; None before the first look.
    alerts
        Those that were pending or firing.
    """

    samples: Samples | None = None
    alerts: tuple[Alert, ...] = field(default=())


def evaluate(case: Case, samples: Samples, last: Look) -> list[Alert]:
    """Return the alerts of a case: pending, firing, and those that are over since the last look.

    Parameters
    ----------
    case
        The case, with its rules.
    samples
        What service and watching say now.
    last
        What the last look left. Where there was none, signals of rates are not known yet.
    """
    before = last.samples or samples
    known = {alert.key: alert for alert in last.alerts}
    found: dict[str, Alert] = {}
    for name, rule in case.monitoring.alerts.items():
        for labels, value in SIGNALS[rule.signal].read(before, samples, case.name):
            if not rule.broken_by(value):
                continue
            new = Alert(name, labels, PENDING, samples.at, value)
            old = known.get(new.key)
            since = old.since if old is not None else samples.at
            firing = samples.at - since >= rule.lasting_seconds
            told = old is not None and old.state == FIRING
            found[new.key] = Alert(name, labels, FIRING if firing else PENDING, since, value, told)
    over = [
        Alert(old.rule, old.labels, OVER, old.since, old.value)
        for key, old in known.items()
        if old.state == FIRING and key not in found
    ]
    return [*found.values(), *over]


def news(alerts: Sequence[Alert]) -> list[Alert]:
    """Return what a person has not been told: alerts that have begun to fire, and those that are over."""
    return [alert for alert in alerts if alert.state == OVER or (alert.state == FIRING and not alert.told)]


def after(samples: Samples, alerts: Sequence[Alert]) -> Look:
    """Return what a look leaves for the next."""
    return Look(samples, tuple(alert for alert in alerts if alert.state != OVER))


def sentence(case: Case, alert: Alert) -> str:
    """Return an alert in a line: what it is, how it stands, and where it is written what to do."""
    rule = case.monitoring.alerts.get(alert.rule)
    if rule is None:
        return f"{alert.state}: {alert.rule}"
    said = annotations(case, alert.rule, rule, f"{alert.value:.4g}")
    which = "".join(f" {key}={value}" for key, value in sorted(alert.labels.items()))
    return f"{alert.state}: {alert.rule}{which} ({rule.severity}). {said['description']} {said['runbook_url']}"


def as_posted(case: Case, alert: Alert, now: float) -> dict[str, Any]:
    """Return an alert as Alertmanager's API (version 2) takes it."""
    import pandas as pd  # noqa: PLC0415

    rule = case.monitoring.alerts[alert.rule]
    begun, ended = (pd.Timestamp(at, unit="s", tz="UTC").isoformat() for at in (alert.since, now))
    labels = {"alertname": alert_name(alert.rule), "severity": rule.severity, "case": case.name, "rule": alert.rule}
    posted = {
        "labels": {**labels, **alert.labels},
        "annotations": annotations(case, alert.rule, rule, f"{alert.value:.4g}"),
        "startsAt": begun,
    }
    return {**posted, "endsAt": ended} if alert.state == OVER else posted


def state_file(root: Path, case: str) -> Path:
    """Return where the state between two looks lies."""
    return folder(root) / f"{case}.alerts.json"


def read_look(path: Path) -> Look:
    """Return what the last look left; nothing if there was none.

    Raises
    ------
    StateError
        The file is not what a look writes.
    """
    if not path.is_file():
        return Look()
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        series = {name: [(dict(labels), float(value)) for labels, value in ones] for name, ones in stored["series"].items()}
        alerts = tuple(Alert(**one) for one in stored["alerts"])
        return Look(Samples(float(stored["at"]), series), alerts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(f"{path} is not what a look at alerts leaves. Remove it; pending alerts begin anew.") from error


def write_look(path: Path, look: Look) -> None:
    """Write what a look leaves for the next."""
    samples = look.samples or Samples(0.0, {})
    kept = {name: [[dict(labels), value] for labels, value in samples.series.get(name, ())] for name in _KEPT}
    alerts = [{**alert.__dict__, "labels": dict(alert.labels)} for alert in look.alerts]
    write_json(path, {"at": samples.at, "series": kept, "alerts": alerts})
