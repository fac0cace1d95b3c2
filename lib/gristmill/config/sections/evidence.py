"""The sections of the case file about what a model must show: its evaluation, its fairness, and the gates."""

from typing import Annotated

from pydantic import Field

from gristmill.config.base import Section, Share, Text


class Evaluation(Section):
    """What success is and how surely it must be known."""

    primary_metric: str | None = Field(
        None, description="The metric that selects models; `roc_auc`, `log_loss` or `rmse` by task when empty."
    )
    success_criteria: dict[str, float] = Field(
        default_factory=dict, description="Test metrics with the value each must reach; each becomes a gate."
    )
    business_metric: str | None = Field(None, description="What the model is for, in the business's words; printed in the card.")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(0.95, description="Level of all intervals.")
    resamples: Annotated[int, Field(ge=100)] = Field(1000, description="Bootstrap resamples behind each interval.")
    parity_rows: Annotated[int, Field(ge=1000)] = Field(
        100_000, description="Generated rows on which the compiled form of the model is held against its pipeline."
    )
    explained_rows: Annotated[int, Field(ge=10)] = Field(
        500, description="Test rows sampled for SHAP values and permutation importance."
    )


class Fairness(Section):
    """How far groups of people may be treated differently."""

    exclude_from_model: bool = Field(
        False, description="Whether the model may not see the sensitive features; they are audited anyway."
    )
    min_group_size: Annotated[int, Field(ge=1)] = Field(
        30, description="Groups with fewer test rows are shown one by one, and judged together, as one group of other levels."
    )
    min_disparate_impact: Share | None = Field(
        0.8, description="Smallest ratio of selection rates between groups (four-fifths rule); empty: reported, not judged."
    )
    max_equal_opportunity_difference: Share | None = Field(
        0.1, description="Largest difference in true-positive rate between groups; empty: reported, not judged."
    )
    max_equalized_odds_difference: Share | None = Field(
        None,
        description="Largest difference in true-positive or in false-positive rate between groups; empty: reported, not judged.",
    )
    max_calibration_difference: Share | None = Field(
        None,
        description="Largest difference between groups in how far their mean probability lies above what came true; empty: "
        "reported, not judged.",
    )
    max_error_ratio: Annotated[float, Field(ge=1)] | None = Field(
        1.5, description="Largest ratio of the mean error between groups (regression); empty: reported, not judged."
    )
    mitigation: str = Field(
        "none",
        description="How groups are made to be treated more alike, by the name of a point of the frontier that `09_audit_fairness` "
        "shows ([fairness](fairness.md#choosing-a-point)); `none` changes nothing.",
    )
    min_mean_prediction_ratio: Share | None = Field(
        None,
        description="Smallest ratio of the mean prediction between groups (regression of numbers that are not negative); empty: "
        "reported, not judged.",
    )


class Gates(Section):
    """Limits that decide whether a model may go to production."""

    min_improvement: Share = Field(
        0.1, description="Smallest relative reduction of the loss (or of 1 - score) against the baseline on the test rows."
    )
    champion_margin: Share = Field(
        0.1,
        description="Share of the champion's loss (or of what its score lacks of the best) by which a candidate may be worse and "
        "still take its place; the whole interval of the difference on the same test rows has to keep it.",
    )
    max_fold_std: Share = Field(0.05, description="Largest spread of the score over folds; for errors, relative to their mean.")
    max_calibration_error: Share | None = Field(
        0.1,
        description="Largest calibration error (ECE) on the test rows, by the lower end of its interval, so that noise alone fails "
        "no model; empty: reported, not judged.",
    )
    max_row_ms: Annotated[float, Field(gt=0)] = Field(100.0, description="Largest 95th percentile of the time to predict one row.")
    required: tuple[Text, ...] = Field(
        (), description="Names of gates that have to be measured: one of them that is not measured counts as not passed."
    )
