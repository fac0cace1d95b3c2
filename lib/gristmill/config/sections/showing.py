"""What the app shows of a case, and what it lets a person try."""

from typing import Annotated

from pydantic import Field

from gristmill.config.base import Section


class ShownColumn(Section):
    """What the app says of one column."""

    unit: str | None = Field(None, description="What its numbers count, such as `months`; stands behind its name in the form.")
    help: str | None = Field(None, description="A sentence for the person who fills in the form.")
    fixed: bool = Field(False, description="Whether nobody can change it: it is left alone where another decision is sought.")


class App(Section):
    """What the app shows."""

    columns: dict[str, ShownColumn] = Field(default_factory=dict, description="Words for columns, by column name.")
    level: Annotated[float, Field(ge=0.5, le=0.999)] = Field(
        0.9, description="Share of rows whose set of classes or interval is to hold the truth."
    )
    reasons: Annotated[int, Field(ge=1)] = Field(6, description="Reasons shown for a prediction; the others are added up.")
    counterfactuals: Annotated[int, Field(ge=1)] = Field(5, description="Smallest changes shown that lead to another decision.")
    changed_at_once: Annotated[int, Field(ge=1, le=3)] = Field(3, description="Columns that such a change may concern at most.")
    similar_rows: Annotated[int, Field(ge=1)] = Field(5, description="Past rows shown that are most like the one asked about.")
    sample_rows: Annotated[int, Field(ge=100)] = Field(
        20_000, description="Training rows, evenly taken, that are looked at for similar rows, defaults and ranges."
    )
    batch_rows_shown: Annotated[int, Field(ge=1)] = Field(
        200, description="Rows of a scored table, and bad ones, that a page shows."
    )
    batch_rows: Annotated[int, Field(ge=1)] = Field(
        10_000_000, description="Rows of an uploaded table at most; a small Parquet file can hold any number."
    )
    start_seconds: Annotated[float, Field(gt=0)] = Field(
        300.0, description="Seconds after which a model that does not load is given up."
    )
    answer_seconds: Annotated[float, Field(gt=0)] = Field(
        30.0, description="Seconds that a prediction may take, here or by a service."
    )
