"""The section of the case file about features."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gristmill.config.base import Section, Share
from gristmill.config.treatment import ColumnTreatment, Missing, Outliers


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
