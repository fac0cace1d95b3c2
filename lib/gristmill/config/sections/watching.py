"""The sections of the case file about late labels and about alerts."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gristmill.config.alert_signals import ALERT_SIGNALS
from gristmill.config.base import Section, Share
from gristmill.config.durations import seconds


class Performance(Section):
    """How the performance of a served model is told from labels that come late, and estimated before they do."""

    matures_after: str | None = Field(
        "7 days",
        description="How old a prediction has to be before its label counts: the first labels to come are not those "
        "of all rows. Empty: at once.",
    )
    window: str = Field("30 days", description="How far back mature predictions are looked at, such as `30 days`.")
    min_labels: Annotated[int, Field(ge=20)] = Field(
        200, description="Labelled rows below which nothing is concluded, and a segment is not shown."
    )
    min_label_share: Share = Field(
        0.5, description="Share of the mature predictions that must have a label; below it the report warns."
    )
    max_selection: Share = Field(
        0.1,
        description="Largest distance (Kolmogorov-Smirnov) between predictions with and without a label; beyond it, and beyond "
        "chance, the report warns that labels are selective.",
    )
    segments: tuple[str, ...] = Field(
        (), description="Columns by whose levels and quartiles performance is shown, beside the critical segments of the case."
    )
    estimate_rows: Annotated[int, Field(ge=500)] = Field(
        20_000, description="Most served rows, and most reference rows, behind an estimate; more are sampled."
    )
    estimate_draws: Annotated[int, Field(ge=50)] = Field(200, description="Draws behind the interval of an estimate.")

    @field_validator("matures_after", "window")
    @classmethod
    def _some_time(cls, duration: str | None) -> str | None:
        if duration is not None:
            seconds(duration)
        return duration

    @property
    def maturity_seconds(self) -> float:
        """How old a prediction has to be, in seconds."""
        return seconds(self.matures_after) if self.matures_after else 0.0

    @property
    def window_seconds(self) -> float:
        """How far back mature predictions are looked at, in seconds."""
        return seconds(self.window)


class AlertRule(Section):
    """One alert: on which signal, beyond which limit, for how long, and whom it reaches."""

    signal: str = Field(description="What is watched; the signals are listed in [alerts](alerts.md#signals).")
    above: float | None = Field(None, description="Fires when the signal is larger.")
    below: float | None = Field(None, description="Fires when the signal is smaller; give this or `above`.")
    lasting: str | None = Field(
        None, description="How long it has to be so without a break, such as `5 minutes`; empty: no time at all."
    )
    severity: Literal["page", "ticket"] = Field(
        "page", description="`page` goes to PagerDuty and the webhook, `ticket` to the webhook."
    )
    runbook: str | None = Field(
        None, description="URL of what to do; the section of `monitoring.runbook_url` of the alert's name when empty."
    )

    @model_validator(mode="after")
    def _one_limit(self) -> "AlertRule":
        if self.signal not in ALERT_SIGNALS:
            raise ValueError(f"there is no signal {self.signal!r}; there are {', '.join(sorted(ALERT_SIGNALS))}")
        if (self.above is None) == (self.below is None):
            raise ValueError("give one limit, `above` or `below`")
        if self.lasting is not None:
            seconds(self.lasting)
        return self

    @property
    def lasting_seconds(self) -> float:
        """How long it has to last, in seconds."""
        return seconds(self.lasting) if self.lasting else 0.0

    def broken_by(self, value: float) -> bool:
        """Return whether a value of the signal is beyond the limit."""
        return value > self.above if self.above is not None else self.below is not None and value < self.below


DEFAULT_ALERTS: dict[str, dict[str, Any]] = {
    "service_down": {"signal": "instances_up", "below": 1, "lasting": "2 minutes"},
    "slow_answers": {"signal": "latency_p95_ms", "above": 500, "lasting": "5 minutes"},
    "failing_requests": {"signal": "error_share", "above": 0.05, "lasting": "5 minutes"},
    "refused_requests": {"signal": "refused_share", "above": 0.1, "lasting": "10 minutes", "severity": "ticket"},
    "log_behind": {"signal": "log_lag_records", "above": 10_000, "lasting": "5 minutes"},
    "performance_drop": {"signal": "metric_drop", "above": 0.05},
    "estimated_performance_drop": {"signal": "estimated_drop", "above": 0.05, "severity": "ticket"},
    "data_drift": {"signal": "drift_kl", "above": 0.3, "severity": "ticket"},
    "unfair_treatment": {"signal": "fairness_limits_broken", "above": 0, "severity": "ticket"},
    "monitoring_stale": {"signal": "monitoring_age_hours", "above": 48, "severity": "ticket"},
    "processor_busy": {"signal": "cpu_share", "above": 0.9, "lasting": "10 minutes", "severity": "ticket"},
    "memory_full": {"signal": "memory_share", "above": 0.9, "lasting": "10 minutes"},
    "disk_full": {"signal": "disk_share", "above": 0.9, "lasting": "10 minutes"},
    "gpu_memory_full": {"signal": "gpu_memory_share", "above": 0.9, "lasting": "10 minutes", "severity": "ticket"},
}
"""The alerts of a case that says nothing of them."""


def with_defaults(given: object) -> object:
    """Return a case's alerts with those that it does not name; keys of a known alert go over its defaults, null takes it away."""
    if not isinstance(given, Mapping):
        return given
    rules: dict[Any, Any] = {**DEFAULT_ALERTS}
    for name, rule in given.items():
        if rule is None:
            rules.pop(name, None)
        elif isinstance(rule, Mapping):
            known = dict(DEFAULT_ALERTS.get(name, {}))
            if {"above", "below"} & rule.keys():
                known = {key: value for key, value in known.items() if key not in ("above", "below")}
            rules[name] = {**known, **rule}
        else:
            rules[name] = rule
    return rules


AlertName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
AlertRules = Annotated[dict[AlertName, AlertRule], BeforeValidator(with_defaults)]


def default_alerts() -> dict[str, AlertRule]:
    """Return the alerts of a case that says nothing of them."""
    return {name: AlertRule(**rule) for name, rule in DEFAULT_ALERTS.items()}
