"""A case's alerts as rules of Prometheus, and as a configuration of Alertmanager."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from gristmill.config.alert_signals import ALERT_SIGNALS
from gristmill.config.case import Case
from gristmill.config.sections.watching import AlertRule
from gristmill.monitoring.alerts.signals import SIGNALS, query_of


@dataclass(frozen=True)
class Times:
    """Times of the rules, which tests shorten.

    Attributes
    ----------
    window
        Over which rates are taken, as Prometheus writes it.
    most_seconds
        Longest time for which a rule waits; None: as the case says.
    interval
        How often rules are evaluated; Prometheus's own setting when None.
    """

    window: str = "5m"
    most_seconds: float | None = None
    interval: str | None = None


REAL = Times()

HEADER = "# Written by `gristmill alerts render {case}` from monitoring.alerts of configs/{case}.yaml; do not edit.\n"


def rules_file(case: Case, times: Times = REAL) -> str:
    """Return the rules of a case as a file of Prometheus."""
    rules = [prometheus_rule(case, name, rule, times) for name, rule in case.monitoring.alerts.items()]
    group: dict[str, Any] = {"name": f"gristmill-{case.name}", "rules": rules}
    if times.interval is not None:
        group["interval"] = times.interval
    return HEADER.format(case=case.name) + yaml.safe_dump({"groups": [group]}, sort_keys=False, width=1000)


def prometheus_rule(case: Case, name: str, rule: AlertRule, times: Times = REAL) -> dict[str, Any]:
    """Return one alert as a rule of Prometheus."""
    limit = f"> {rule.above:g}" if rule.above is not None else f"< {rule.below:g}"
    lasting = rule.lasting_seconds if times.most_seconds is None else min(rule.lasting_seconds, times.most_seconds)
    return {
        "alert": alert_name(name),
        "expr": f"({query_of(rule.signal, case.name, times.window)}) {limit}",
        **({"for": f"{lasting:g}s"} if lasting else {}),
        "labels": {"severity": rule.severity, "case": case.name, "rule": name},
        "annotations": annotations(case, name, rule, '{{ $value | printf "%.4g" }}'),
    }


def annotations(case: Case, name: str, rule: AlertRule, value: str) -> dict[str, str]:
    """Return what an alert says to a person: what is, what may be, and where it is written what to do."""
    side, limit = ("above", rule.above) if rule.above is not None else ("below", rule.below)
    unit = f" {SIGNALS[rule.signal].unit}".rstrip()
    lasting = f" for {rule.lasting}" if rule.lasting else ""
    return {
        "summary": f"{case.name}: {name.replace('_', ' ')}",
        "description": f"{_opening(ALERT_SIGNALS[rule.signal])}: {value}{unit}, {side} {limit:g}{unit}{lasting}.",
        "runbook_url": rule.runbook or f"{case.monitoring.runbook_url}#{anchor(name)}",
    }


def alert_name(name: str) -> str:
    """Return a rule's name as Prometheus writes alerts: ``slow_answers`` is ``SlowAnswers``."""
    return "".join(word.capitalize() for word in name.split("_"))


def anchor(name: str) -> str:
    """Return the anchor of a rule's section in the runbook, as GitHub makes it of the heading ``slow_answers``."""
    return name


def _opening(text: str) -> str:
    """Return a text with its first letter large."""
    return text[:1].upper() + text[1:]


def alertmanager_file(settings: "Receivers") -> str:
    """Return a configuration of Alertmanager: pages go to PagerDuty and the webhook, tickets to the webhook."""
    routing: Mapping[str, Any] = {
        "receiver": "tickets",
        "group_by": ["alertname", "case"],
        "group_wait": settings.group_wait,
        "group_interval": settings.group_interval,
        "repeat_interval": settings.repeat_interval,
        "routes": [{"matchers": ['severity="page"'], "receiver": "pages"}],
    }
    webhook = {"url": settings.webhook_url, "send_resolved": True}
    pager = {
        "routing_key_file": settings.routing_key_file,
        "url": settings.pagerduty_url,
        "severity": "critical",
        "description": "{{ .CommonAnnotations.summary }}",
        "links": [{"href": "{{ .CommonAnnotations.runbook_url }}", "text": "Runbook"}],
        "details": {"description": "{{ .CommonAnnotations.description }}"},
        "send_resolved": True,
    }
    quiet = {
        "source_matchers": ['alertname="ServiceDown"'],
        "target_matchers": ['alertname=~"SlowAnswers|FailingRequests|RefusedRequests|LogBehind"'],
        "equal": ["case"],
    }
    content = {
        "route": routing,
        "inhibit_rules": [quiet],
        "receivers": [
            {"name": "pages", "pagerduty_configs": [pager], "webhook_configs": [dict(webhook)]},
            {"name": "tickets", "webhook_configs": [webhook]},
        ],
    }
    return "# Written by `gristmill alerts render`; the key of PagerDuty stays in its file.\n" + yaml.safe_dump(
        content, sort_keys=False, width=1000
    )


@dataclass(frozen=True)
class Receivers:
    """Whom alerts reach, and how soon.

    Attributes
    ----------
    routing_key_file
        File with the integration key of PagerDuty (Events API v2), readable by Alertmanager alone.
    pagerduty_url
        Where PagerDuty's events go.
    webhook_url
        Where every alert goes as JSON.
    group_wait, group_interval, repeat_interval
        How long to wait for alerts that belong together, before telling that a group has changed, and before telling it again.
    """

    routing_key_file: str = "/etc/alertmanager/pagerduty_routing_key"
    pagerduty_url: str = "https://events.pagerduty.com/v2/enqueue"
    webhook_url: str = "http://127.0.0.1:9095/alerts"
    group_wait: str = "30s"
    group_interval: str = "5m"
    repeat_interval: str = "4h"
