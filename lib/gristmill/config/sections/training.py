"""The sections of the case file about training and the threshold of decisions."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gristmill.config.base import Section, Seed, Share

Family = Literal["linear", "forest", "boosting", "neural"]


class Training(Section):
    """What is trained and for how long."""

    families: tuple[Family, ...] = Field(
        ("linear", "forest", "boosting", "neural"), description="Model families to train, each a task of its own."
    )
    budget_seconds: Annotated[float, Field(gt=0)] = Field(
        60,
        description="Wall-clock seconds for the search of all families together on this machine. Each has a fixed share and one "
        "core; where there are several, 15 % is kept for the one that more search helps most.",
    )
    trials: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Exact number of trials a family, in place of the budget: the same model every time."
    )
    search: Literal["bayesian", "random", "grid"] = Field(
        "bayesian",
        description="How configurations are proposed after the family's strong defaults: by Optuna's model of the scores so far, "
        "at random, or from a fixed grid of at most 64 over the family's space.",
    )
    replay: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="A registered version of this case to be trained again, in place of a search: on one machine, the same model "
        "bit for bit. Refused when the rows or the features have changed since.",
    )
    memory_gb: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="Memory that the training of one family may use, in gigabytes; a configuration that needs more fails as a "
        "trial. Empty: four fifths of what is free, divided by the families that are trained side by side.",
    )
    random_state: Seed = Field(42, description="Seed of every estimator and search.")

    @field_validator("families")
    @classmethod
    def _some_family(cls, families: tuple[Family, ...]) -> tuple[Family, ...]:
        if not families or len(set(families)) != len(families):
            raise ValueError("name at least one family, each once")
        return families


class Threshold(Section):
    """When a probability becomes a decision (binary tasks)."""

    rule: Literal["profit", "cost", "f1", "fbeta", "youden", "capacity", "fixed"] = Field(
        "f1",
        description="How the threshold is chosen out of fold: greatest profit, F1, F-score of `beta`, or Youden's J; least cost of "
        "mistakes; as many rows as `capacity` allows; or the fixed `value`.",
    )
    value: Share = Field(0.5, description="The threshold of rule `fixed`.")
    value_true_positive: Annotated[float, Field(ge=0)] = Field(
        1.0, description="What acting on a true positive is worth, in the business's currency (rule `profit`)."
    )
    cost_contact: Annotated[float, Field(ge=0)] = Field(
        0.5, description="What acting on any flagged row costs, in the same currency (rule `profit`)."
    )
    cost_false_positive: Annotated[float, Field(ge=0)] | None = Field(
        None, description="What flagging a row in vain costs (rule `cost`)."
    )
    cost_false_negative: Annotated[float, Field(ge=0)] | None = Field(
        None, description="What missing a positive row costs, in the same currency (rule `cost`)."
    )
    beta: Annotated[float, Field(gt=0)] | None = Field(
        None, description="How many times as important recall is as precision (rule `fbeta`)."
    )
    capacity: int | float | None = Field(
        None,
        description="How many rows may be flagged (rule `capacity`): a share of them such as `0.1`, or a whole number out of the "
        "rows that are validated out of fold. Equal probabilities stay together, so that fewer may be.",
    )
    max_disparity: Share | None = Field(
        None,
        description="Largest difference of the rate `disparity` between groups of a sensitive feature, out of fold, that the "
        "threshold may leave; groups of fewer than `fairness.min_group_size` rows are not judged.",
    )
    disparity: Literal["selection_rate", "true_positive_rate"] = Field(
        "selection_rate", description="The rate that `max_disparity` limits: of flagged rows, or of positive rows that are flagged."
    )

    @field_validator("capacity", mode="before")
    @classmethod
    def _rows_or_share(cls, capacity: object) -> object:
        whole = isinstance(capacity, int) and not isinstance(capacity, bool) and capacity >= 1
        if capacity is not None and not whole and not (isinstance(capacity, float) and 0 < capacity < 1):
            raise ValueError("expected a whole number of rows from 1 on, or a share between 0 and 1")
        return capacity

    @model_validator(mode="after")
    def _keys_belong_to_the_rule(self) -> "Threshold":
        for rule, keys in {
            "cost": ("cost_false_positive", "cost_false_negative"),
            "fbeta": ("beta",),
            "capacity": ("capacity",),
        }.items():
            for key in keys:
                if self.rule == rule and getattr(self, key) is None:
                    raise ValueError(f"rule `{rule}` needs a number for `{key}`")
                if self.rule != rule and getattr(self, key) is not None:
                    raise ValueError(f"`{key}` belongs to rule `{rule}`, and the rule is `{self.rule}`; remove one of them")
        if self.rule == "cost" and not (self.cost_false_positive or self.cost_false_negative):
            raise ValueError("rule `cost` needs a mistake that costs something; both costs are 0")
        if self.rule == "fixed" and self.max_disparity is not None:
            raise ValueError("a fixed `value` cannot be moved to keep `max_disparity`; choose another rule, or remove the limit")
        if "disparity" in self.model_fields_set and self.max_disparity is None:
            raise ValueError("`disparity` says what `max_disparity` limits; give that limit as well")
        return self
