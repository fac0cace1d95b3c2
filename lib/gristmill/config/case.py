"""The case file: what a use case is, as frozen, typed settings with documented defaults.

Every parameter of a build is here (R59). The sentences below are the ones printed in ``docs/configuration.md``.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gristmill.config.base import Section, Text
from gristmill.config.behaviour import Behaviour, require_fitting
from gristmill.config.metric_names import CLASSIFICATION_METRICS, DEFAULT_METRIC, REGRESSION_METRICS
from gristmill.config.metric_ranges import require_in_range
from gristmill.config.mitigations import NONE, mitigations
from gristmill.config.sections.data import Source, Split, Validation
from gristmill.config.sections.evidence import Evaluation, Fairness, Gates
from gristmill.config.sections.features import Features
from gristmill.config.sections.operation import Compliance, Monitoring, Retraining, Serving
from gristmill.config.sections.showing import App
from gristmill.config.sections.training import Threshold, Training

Task = Literal["binary", "multiclass", "regression"]

GROUP_STRATEGIES = ("group", "stratified_group")
"""Strategies of a split that keep groups whole."""

ANSWERS = {
    "binary": ("truth", "prediction", "probability", "prediction_set"),
    "multiclass": ("truth", "prediction", "prediction_set"),
    "regression": ("truth", "prediction", "lower", "upper"),
}
"""Columns of a table of predictions by task, beside which its identifiers stand."""

CLASS_ANSWER = "probability_"
"""How further such columns of several classes begin; the name of a class follows."""


class Case(Section):
    """A use case, as its case file states it."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = Field(
        description="Name of the case: lower-case letters, digits and underscores; the registered model's name as well."
    )
    task: Task = Field(description="Kind of target: two classes, several, or a number.")
    source: Source = Field(description="Where the table comes from; a plain string is its `uri`.")
    target: str = Field(description="Column to predict.")
    positive_class: Text | None = Field(None, description="The class whose probability is meant, for binary tasks.")
    id_columns: tuple[str, ...] = Field(
        (),
        description="Columns that only name rows: kept in outputs, never a feature; not called `truth`, `prediction` or the like.",
    )
    time_column: str | None = Field(None, description="When a row became known; later rows test models trained on earlier ones.")
    group_column: str | None = Field(None, description="Rows of one group (a patient, a shop) never cross a split.")
    sensitive_features: tuple[str, ...] = Field((), description="Columns whose groups are audited for fairness.")
    split: Split = Field(default_factory=Split, description="Training, validation and test rows.")
    validation: Validation = Field(default_factory=Validation, description="What the raw table must satisfy.")
    features: Features = Field(default_factory=Features, description="Which columns the model sees, and how.")
    training: Training = Field(default_factory=Training, description="What is trained and for how long.")
    threshold: Threshold = Field(default_factory=Threshold, description="When a probability becomes a decision.")
    evaluation: Evaluation = Field(default_factory=Evaluation, description="What success is.")
    behaviour: Behaviour = Field(default_factory=Behaviour, description="How the model must behave, and where it must be good.")
    fairness: Fairness = Field(default_factory=Fairness, description="How far groups may be treated differently.")
    gates: Gates = Field(default_factory=Gates, description="Limits on the way to production.")
    serving: Serving = Field(default_factory=Serving, description="What the model's users need.")
    monitoring: Monitoring = Field(default_factory=Monitoring, description="What is kept and watched of the served model.")
    retraining: Retraining = Field(default_factory=Retraining, description="When a new model is wanted.")
    compliance: Compliance = Field(default_factory=Compliance, description="Who answers for it, and for what.")
    app: App = Field(default_factory=App, description="What the [app](app.md) shows, and lets a person try.")

    @field_validator("source", mode="before")
    @classmethod
    def _plain_path_is_a_uri(cls, value: object) -> object:
        return {"uri": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _keys_agree(self) -> "Case":
        if self.task == "binary" and self.positive_class is None:
            raise ValueError("a binary task needs `positive_class`: the class whose probability is meant")
        if self.task != "binary" and self.positive_class is not None:
            raise ValueError(f"`positive_class` has no meaning for a {self.task} task; remove it")
        if self.target in (*self.id_columns, *self.sensitive_features, self.time_column, self.group_column):
            raise ValueError(f"the target {self.target!r} cannot be an identifier, sensitive, time or group column as well")
        if self.split.strategy == "time" and self.time_column is None:
            raise ValueError("`split.strategy: time` needs `time_column`")
        if self.split.strategy in GROUP_STRATEGIES and self.group_column is None:
            raise ValueError(f"`split.strategy: {self.split.strategy}` needs `group_column`")
        other = {"stratified": "random", "stratified_group": "group"}.get(self.split.strategy or "")
        if other is not None and self.task == "regression":
            raise ValueError(f"`split.strategy: {self.split.strategy}` needs classes; use `{other}` for a regression task")
        if self.features.augmentation == "smote" and self.task == "regression":
            raise ValueError("`features.augmentation: smote` needs classes; use `noise` for a regression task")
        if self.split.gap is not None and self.split_strategy != "time":
            raise ValueError(f"`split.gap` belongs to a split by time, and this one is {self.split_strategy}; remove it")
        return self

    @model_validator(mode="after")
    def _identifiers_are_no_answers(self) -> "Case":
        for name in self.id_columns:
            if name in ANSWERS[self.task] or (self.task == "multiclass" and name.startswith(CLASS_ANSWER)):
                others = f"{', '.join(ANSWERS[self.task])}{f', {CLASS_ANSWER}CLASS' if self.task == 'multiclass' else ''}"
                raise ValueError(
                    f"the id column {name!r} has the name of a column of predictions ({others}), beside which identifiers are "
                    "kept; rename it in the table, or by `source.query`"
                )
        return self

    @model_validator(mode="after")
    def _metrics_fit(self) -> "Case":
        known = REGRESSION_METRICS if self.task == "regression" else CLASSIFICATION_METRICS
        for metric in (self.primary_metric, *self.evaluation.success_criteria):
            if metric not in known:
                raise ValueError(f"metric {metric!r} is not one of a {self.task} task: {', '.join(sorted(known))}")
        for metric, value in self.evaluation.success_criteria.items():
            require_in_range(metric, value, self.task)
        require_fitting(self.behaviour, self.task)
        return self

    @model_validator(mode="after")
    def _threshold_fits(self) -> "Case":
        if self.task != "binary" and self.threshold.model_fields_set:
            raise ValueError(f"`threshold` decides between two classes and has no meaning for a {self.task} task; remove it")
        if self.threshold.max_disparity is not None and not self.sensitive_features:
            raise ValueError("`threshold.max_disparity` needs `sensitive_features`: the columns whose groups are compared")
        return self

    @model_validator(mode="after")
    def _mitigation_fits(self) -> "Case":
        asked, known = self.fairness.mitigation, mitigations(self.task)
        if asked not in known:
            raise ValueError(f"`fairness.mitigation: {asked}` is not one of those for a {self.task} task: {', '.join(known)}")
        if asked != NONE and not self.sensitive_features:
            raise ValueError("`fairness.mitigation` needs `sensitive_features`: the columns whose groups are to be treated alike")
        return self

    @property
    def primary_metric(self) -> str:
        """The metric that selects models."""
        return self.evaluation.primary_metric or DEFAULT_METRIC[self.task]

    @property
    def split_strategy(self) -> str:
        """The strategy in force, with the default filled in."""
        if self.split.strategy is not None:
            return self.split.strategy
        if self.group_column is not None:
            return "group" if self.task == "regression" else "stratified_group"
        if self.time_column is not None:
            return "time"
        return "random" if self.task == "regression" else "stratified"

    @property
    def non_feature_columns(self) -> tuple[str, ...]:
        """Columns that must not reach the model: target, identifiers, group, and what the case excludes."""
        hidden = [self.target, *self.id_columns, *self.features.exclude]
        if self.group_column is not None:
            hidden.append(self.group_column)
        if self.fairness.exclude_from_model:
            hidden.extend(self.sensitive_features)
        return tuple(dict.fromkeys(hidden))
