"""The sections of the case file about the table: where it comes from, how it is divided, what is asked of it."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gristmill.config.base import Scalar, Section, Seed, Share, Text
from gristmill.config.durations import seconds


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
