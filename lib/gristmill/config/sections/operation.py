"""The sections of the case file about a model at work: serving, watching, training again, and the rules it falls under."""

from typing import Annotated, Literal

from pydantic import Field

from gristmill.config.base import Section, Share
from gristmill.config.sections.drift import Drift


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


class Monitoring(Section):
    """What is kept with the model so that drift can be measured."""

    reference_bins: Annotated[int, Field(ge=2, le=100)] = Field(
        10, description="Quantile bins a numeric column in the drift reference."
    )
    reference_points: Annotated[int, Field(ge=20, le=1000)] = Field(
        200, description="Finer quantile cells a numeric column there, for Kolmogorov-Smirnov and Wasserstein."
    )
    drift: Drift = Field(default_factory=Drift, description="When a difference is drift, and drift an alarm.")

    @property
    def cells(self) -> tuple[int, int]:
        """Bins and finer cells of a number."""
        return self.reference_bins, self.reference_points


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
    notes: tuple[str, ...] = Field((), description="Rules, approvals and reviews that apply.")
    license: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")] | None = Field(
        None, description="Licence of the model, by its identifier on Hugging Face's hub, such as `apache-2.0` or `other`."
    )
    license_link: str | None = Field(None, description="Where the text of a licence that is `other` stands.")
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = Field(
        None, description="Language of texts in the table (ISO 639), where there are any."
    )
