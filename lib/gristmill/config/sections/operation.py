"""The sections of the case file about a model at work: serving, watching, training again, and the rules it falls under."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from gristmill.config.base import Section, Share
from gristmill.config.durations import seconds
from gristmill.config.sections.drift import Drift
from gristmill.config.sections.service_limits import Limits
from gristmill.config.sections.watching import AlertRules, Performance, default_alerts

HostName = Annotated[str, Field(pattern=r"^(\*|(\*\.)?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])$")]


class Batching(Section):
    """How requests that arrive together are predicted together."""

    max_rows: Annotated[int, Field(ge=1, le=100_000)] = Field(256, description="Rows that are predicted at once at most.")
    max_wait_ms: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.0,
        description="Milliseconds that rows wait for others. With 0 a batch is what arrived while the one before ran, and nobody "
        "waits for company.",
    )
    inline_ms: Annotated[float, Field(ge=0, le=1000)] = Field(
        2.0,
        description="Milliseconds that the rows of a request may take in the event loop, for a model that is fast enough to be "
        "asked there; more rows go to a thread, reading, checking and writing them as well, so that small requests do not stand "
        "behind them.",
    )
    max_queued_rows: Annotated[int, Field(ge=1)] = Field(
        10_000, description="Rows that may wait; further requests are answered 503 until some have been predicted."
    )


class Log(Section):
    """What may wait for the prediction log, and how often it is pruned."""

    waiting_records: Annotated[int, Field(ge=1)] = Field(
        10_000, description="Predictions and labels of a worker that may wait to be durable; one more is refused (503)."
    )
    waiting_megabytes: Annotated[float, Field(gt=0)] = Field(
        64.0, description="Megabytes (of 2^20 bytes) that these may have together."
    )
    wait_seconds: Annotated[float, Field(gt=0, le=60)] = Field(
        2.0, description="Seconds that one may wait to be durable before it is refused (503)."
    )
    group_records: Annotated[int, Field(ge=1)] = Field(1_000, description="Predictions written in one transaction at most.")
    prune_minutes: Annotated[float, Field(gt=0)] = Field(
        60.0, description="Minutes between two looks for predictions older than `compliance.log_retention`."
    )


class Serving(Section):
    """What the model's users need; stated on the design page and the card."""

    max_row_ms: Annotated[float, Field(gt=0)] = Field(
        1.0,
        description="Milliseconds that one row may take, in the form that will serve. Selection prefers the models that keep it; "
        "where none does, those of at most three members, and the report says so.",
    )
    latency_ms: Annotated[float, Field(gt=0)] = Field(100.0, description="95th percentile of the answer time that users need.")
    requests_per_second: Annotated[float, Field(gt=0)] = Field(1000.0, description="Load that users will put on it.")
    deployment_target: Literal["local", "vm", "kubernetes", "managed"] = Field("local", description="Where it will run.")
    batching: Batching = Field(default_factory=Batching, description="How requests that arrive together are predicted together.")
    cache_rows: Annotated[int, Field(ge=0)] = Field(
        0, description="Rows whose prediction is kept for when they are asked again, for each version and worker; 0 keeps none."
    )
    explained_rows: Annotated[int, Field(ge=1)] = Field(
        10, description="Rows of one request that may be explained (`?explain=shap`), which takes about a second each."
    )
    waiting_explanations: Annotated[int, Field(ge=0)] = Field(
        4, description="Requests of a worker that may wait to be explained, beside the one that is; one more is refused (503)."
    )
    explanation_seconds: Annotated[float, Field(gt=0)] = Field(
        30.0, description="Seconds that an explanation may take, its wait included (503)."
    )
    missing: Literal["allowed", "as_trained"] = Field(
        "allowed",
        description="Whether a value may be null in every column, as in batch scoring; or only where rows the model learnt from "
        "lacked one.",
    )
    reload_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        1.0, description="Seconds between two looks at the release, whose versions the service takes in without a restart."
    )
    notice_seconds: Annotated[float, Field(ge=0, le=600)] = Field(
        0.0,
        description="Seconds for which a service that was told to stop says that it is not ready and still takes requests, so that "
        "a load balancer can look elsewhere.",
    )
    drain_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        20.0, description="Seconds that requests in flight may take to end when the service stops."
    )
    allowed_hosts: tuple[HostName, ...] = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="Names by which the service may be called, without a port; `*.example.org` is any name below. Others get 421.",
    )
    out_of_range: Literal["warn", "refuse", "ignore"] = Field(
        "warn",
        description="What becomes of rows unlike those the model learnt from: answered with a warning, refused (422), or answered.",
    )
    range_margin: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="How far beyond the known range a number or date may lie before it is out of range, as a share of the range.",
    )
    most_missing: Share = Field(
        0.5, description="Share of the columns that are mostly known; a row that lacks more of them is `mostly_missing`."
    )
    log: Log = Field(default_factory=Log, description="What may wait for the [prediction log](prediction-log.md).")
    limits: Limits = Field(default_factory=Limits, description="What the service takes before it refuses.")


class Monitoring(Section):
    """What is kept of the served model and watched in it."""

    reference_bins: Annotated[int, Field(ge=2, le=100)] = Field(
        10, description="Quantile bins a numeric column in the drift reference."
    )
    reference_points: Annotated[int, Field(ge=20, le=1000)] = Field(
        200, description="Finer quantile cells a numeric column there, for Kolmogorov-Smirnov and Wasserstein."
    )
    most_rows: Annotated[int, Field(ge=1_000)] = Field(
        100_000,
        description="Most logged predictions of a window that a monitoring report holds; of more, an even sample is looked at, and "
        "the report says so.",
    )
    drift: Drift = Field(default_factory=Drift, description="When a difference is drift, and drift an alarm.")

    @property
    def cells(self) -> tuple[int, int]:
        """Bins and finer cells of a number."""
        return self.reference_bins, self.reference_points

    performance: Performance = Field(default_factory=Performance, description="Late labels, and estimates before they come.")
    alerts: AlertRules = Field(
        default_factory=default_alerts,
        description="Alerts by name. Those of [alerts](alerts.md#defaults) are there by themselves; a key given here goes over the "
        "default, and `NAME: null` takes an alert away.",
    )
    runbook_url: str = Field("docs/runbook.md", description="Where the runbook stands, to which every alert links with its name.")


class Retraining(Section):
    """When a new model is wanted; stated on the design page."""

    schedule: Literal["none", "daily", "weekly", "monthly"] = Field("weekly", description="How often the model is to be rebuilt.")
    max_performance_drop: Share = Field(0.05, description="Relative drop of the primary metric that asks for a new model.")


class Compliance(Section):
    """Who answers for the model and what it may be used for; printed in the card."""

    owner: str | None = Field(None, description="Person or team that answers for the model.")
    intended_use: str | None = Field(None, description="What the model may be used for, by whom.")
    out_of_scope: str | None = Field(None, description="What it must not be used for.")
    personal_data: bool = Field(False, description="Whether rows are about people.")
    ethical_notes: tuple[str, ...] = Field((), description="Risks and harms to people, and what is done about them.")
    log_retention: str | None = Field(
        "90 days",
        description="How long served predictions are kept in the log, such as `90 days`; empty keeps them for ever. Labels that "
        "come later than that find nothing.",
    )
    notes: tuple[str, ...] = Field((), description="Rules, approvals and reviews that apply.")
    license: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")] | None = Field(
        None, description="Licence of the model, by its identifier on Hugging Face's hub, such as `apache-2.0` or `other`."
    )
    license_link: str | None = Field(None, description="Where the text of a licence that is `other` stands.")
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = Field(
        None, description="Language of texts in the table (ISO 639), where there are any."
    )

    @field_validator("log_retention")
    @classmethod
    def _some_time(cls, log_retention: str | None) -> str | None:
        if log_retention is not None:
            seconds(log_retention)
        return log_retention
