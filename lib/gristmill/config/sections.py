"""The sections of the case file, each with its keys, their defaults, and the sentences of ``docs/configuration.md``."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gristmill.config.base import Scalar, Section, Seed, Share, Text
from gristmill.config.durations import seconds
from gristmill.config.treatment import ColumnTreatment, Missing, Outliers

Family = Literal["linear", "forest", "boosting", "neural"]


class Source(Section):
    """Where the table comes from."""

    uri: str = Field(description="The table: a path or a URI (`data/customers.csv`, `postgresql://reader@host/shop?table=orders`).")
    query: str | None = Field(
        None,
        description="What a database is asked, in place of a table; or what is asked of a file, folder or demo table, in DuckDB's "
        "SQL, which calls it `source`. `:name` stands for a parameter of `options.params`.",
    )
    watermark: str | None = Field(
        None,
        description="Column of a database's table that only grows, such as the time of insertion: a refresh then reads the rows "
        "from its highest known value on, and keeps the earlier ones as they were.",
    )
    options: dict[str, Scalar | dict[str, Scalar]] = Field(
        default_factory=dict,
        description="Options of the reader, such as `delimiter` of a CSV file, `sheet` of a workbook, or `params` and `retries` of "
        "a database.",
    )


class Split(Section):
    """How rows are divided into training, validation and test rows."""

    strategy: Literal["stratified", "random", "time", "group", "stratified_group"] | None = Field(
        None,
        description="How rows are assigned; by default groups stay whole if `group_column` is set (`stratified_group` balances the "
        "classes as well, `group` is for numbers), `time` if `time_column` is set, else `stratified` for classes and `random` for "
        "numbers.",
    )
    test_size: Annotated[float, Field(gt=0, lt=1)] = Field(0.2, description="Share of the rows kept for the one final test.")
    n_splits: Annotated[int, Field(ge=2, le=50)] | None = Field(
        None, description="Number of cross-validation folds; 5 unless `validation_size` is given."
    )
    validation_size: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="Share of the training rows held out for validation, instead of folds."
    )
    gap: str | int | float | None = Field(
        None,
        description="How long before each validation block and the test rows of a split by time no row is used at all: a duration "
        "such as `7 days` or `12 hours`, or a number where `time_column` holds numbers.",
    )
    random_state: Seed = Field(
        42,
        description="Seed of the assignment. Rows that were assigned once stay where they are in later snapshots; another seed "
        "draws a new line, with new test rows.",
    )
    test_source: str | None = Field(
        None, description="A second table that is the test set; every row of `source` is then for training."
    )

    @model_validator(mode="after")
    def _one_way_to_validate(self) -> "Split":
        if self.n_splits is not None and self.validation_size is not None:
            raise ValueError("give either `n_splits` or `validation_size`, not both")
        return self

    @field_validator("gap", mode="before")
    @classmethod
    def _some_time(cls, gap: object) -> object:
        if isinstance(gap, str):
            seconds(gap)
        elif isinstance(gap, bool) or (isinstance(gap, int | float) and gap <= 0):
            raise ValueError(f"expected a number above zero, got {gap!r}; leave `gap` out for none")
        return gap

    @property
    def folds(self) -> int:
        """Number of validation folds: 1 with a hold-out set, else ``n_splits``."""
        return 1 if self.validation_size is not None else (self.n_splits or 5)


class ColumnRule(Section):
    """What is allowed in one column."""

    minimum: float | None = Field(None, description="Smallest number allowed.")
    maximum: float | None = Field(None, description="Largest number allowed.")
    levels: tuple[Text, ...] | None = Field(None, description="The only values allowed.")
    required: bool = Field(False, description="Whether missing values are refused.")


class Validation(Section):
    """What the raw table must satisfy."""

    completeness: Share = Field(0.95, description="Smallest share of cells that are not missing, checked by a gate.")
    min_rows: Annotated[int, Field(ge=2)] = Field(50, description="Fewest rows, with a target, that a model may be built on.")
    columns: dict[str, ColumnRule] = Field(
        default_factory=dict, description="Rules by column name; a row that breaks one stops the build."
    )
    allow_proxies: tuple[str, ...] = Field(
        (),
        description="Columns that leakage checks must not stop at, because they are legitimately known at prediction time: "
        "near-perfect predictors, numbers that look like identifiers, dates after the row's time.",
    )
    known_later: tuple[str, ...] = Field(
        (),
        description="Columns whose values become known only after the moment of prediction; the build stops if the model would see "
        "one, or a copy of one.",
    )
    duplicates: Literal["keep", "drop", "stop"] = Field(
        "keep",
        description="Rows that repeat another one in everything but their identifiers: `keep` them, on one side of the split; "
        "`drop` all but the first of each before the split; or `stop` the build.",
    )


class Aggregation(Section):
    """Figures of a number within the groups that the levels of one column make, or of several together."""

    by: tuple[str, ...] = Field(description="Features whose levels make the groups; a plain name is a list of one.")
    of: str | None = Field(None, description="The feature that is a number; only `count` goes without.")
    statistics: tuple[Literal["mean", "std", "median", "minimum", "maximum", "count", "difference"], ...] = Field(
        ("mean",), description="What is added; `difference` is the row's own number minus the mean of its group."
    )

    @field_validator("by", mode="before")
    @classmethod
    def _plain_name_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _something_to_add(self) -> "Aggregation":
        if not self.by or not self.statistics or len(set(self.statistics)) != len(self.statistics):
            raise ValueError("name at least one column in `by`, and at least one of the `statistics`, each once")
        if self.of is None and self.statistics != ("count",):
            raise ValueError(f"`statistics: [{', '.join(self.statistics)}]` need a number: add `of: COLUMN`")
        return self


class Features(Section):
    """Which columns the model sees, and how they are prepared."""

    exclude: tuple[str, ...] = Field((), description="Columns the model must not see.")
    rare_level_share: Share = Field(0.005, description="Levels rarer than this share of the training rows are pooled into one.")
    max_levels: Annotated[int, Field(ge=2)] = Field(
        30, description="Categorical columns with more levels are target-encoded instead of one-hot encoded."
    )
    date_parts: bool = Field(True, description="Whether dates are expanded into year, month, weekday and day.")
    date_cycles: bool = Field(
        True,
        description="Whether linear and neural models get month, weekday and hour as points on a circle as well, so that December "
        "is next to January; trees cut the numbers where they like.",
    )
    text: bool = Field(True, description="Whether free-text columns are turned into TF-IDF features.")
    custom: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")] | None = Field(
        None,
        description="A function of your own that makes further features, as `module:function`: it takes raw rows and returns new "
        "columns, each row's from that row alone. The module lies beside the case file or in the project's folder.",
    )
    aggregations: tuple[Aggregation, ...] = Field(
        (), description="Figures of numbers within groups of rows, learnt inside the folds; each item has the keys below."
    )
    proposals: Annotated[int, Field(ge=0, le=20)] = Field(
        0,
        description="How many ratios, products and differences, of two numbers or of a number and its mean within a level, each "
        "family may add to its features inside each fold, if they explain what the columns one by one do not; `0` for none.",
    )
    selection: Literal["none", "correlation", "importance", "recursive", "l1"] = Field(
        "none",
        description="How features that tell nothing about the target are left out, inside each fold: by `correlation` with others, "
        "by `importance` to a forest, by `recursive` elimination, or by an `l1` penalty.",
    )
    max_features: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Most features that `selection` may keep; empty for as many as it finds of use."
    )
    max_correlation: Annotated[float, Field(gt=0, le=1)] = Field(
        0.95, description="Size of the correlation from which `selection: correlation` keeps one of two numbers."
    )
    augmentation: Literal["none", "noise", "smote"] = Field(
        "none",
        description="Made-up rows among the training rows of each fold: copies with a little `noise`, or rows between neighbours "
        "of the rarer classes (`smote`).",
    )
    augmentation_share: Annotated[float, Field(gt=0, le=5)] = Field(
        0.5,
        description="How many: of `noise`, as a share of the training rows; of `smote`, up to this share of the most frequent "
        "class.",
    )
    missing: Missing = Field(default_factory=Missing, description="What is done about missing values.")
    outliers: Outliers = Field(default_factory=Outliers, description="What is done about numbers far from the others.")
    columns: dict[str, ColumnTreatment] = Field(
        default_factory=dict, description="What is done about missing values and outliers in single columns, by name."
    )

    @model_validator(mode="after")
    def _selection_is_asked_for(self) -> "Features":
        if self.max_features is not None and self.selection == "none":
            raise ValueError("`max_features` needs a `selection` that says which features stay, such as `selection: importance`")
        return self


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
    explained_rows: Annotated[int, Field(ge=10)] = Field(
        500, description="Test rows sampled for SHAP values and permutation importance."
    )


class Fairness(Section):
    """How far groups of people may be treated differently."""

    exclude_from_model: bool = Field(
        False, description="Whether the model may not see the sensitive features; they are audited anyway."
    )
    min_group_size: Annotated[int, Field(ge=1)] = Field(30, description="Groups with fewer test rows are shown, but not judged.")
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
    max_row_ms: Annotated[float, Field(gt=0)] = Field(100.0, description="Largest 95th percentile of the time to predict one row.")


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
    notes: tuple[str, ...] = Field((), description="Rules, approvals and reviews that apply.")
