"""What a data contract can say about a table: frozen, typed, the same whether it was inferred or written by a person.

A limit stands under ``expect`` or under ``require``. What is expected was seen, or follows from what was seen: a departure
warns. What is required was written by a person: a departure stops the build. Moving a limit from one to the other changes its
severity.
"""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gristmill.config.base import Section, Share, Text
from gristmill.data.contract.checks import Severity

ColumnType = Literal["integer", "number", "boolean", "date", "category", "text"]

KINDS: dict[str, str] = {
    "integer": "numeric", "number": "numeric", "boolean": "boolean", "date": "date", "category": "categorical", "text": "text",
}  # fmt: skip
"""Type of a column in a contract -> its kind in the schema that training and serving use."""

NUMBERS = ("integer", "number")
OUTLIERS = 0.01
"""Share of far outliers from which a column of numbers is warned of, where its contract says nothing."""


def _as_end(value: object) -> object:
    """Read a date, which YAML makes of ``2024-01-31``, as the text it was."""
    return value.isoformat() if isinstance(value, dt.date) else value


End = Annotated[float | str, BeforeValidator(_as_end)]


class Limits(Section):
    """Limits on the values of one column."""

    missing: Share | None = Field(None, description="Largest share of the rows without a value.")
    minimum: End | None = Field(None, description="Smallest number, or earliest date, allowed.")
    maximum: End | None = Field(None, description="Largest number, or latest date, allowed.")
    levels: tuple[Text, ...] | None = Field(None, description="The only values allowed.")
    pattern: str | None = Field(None, description="Regular expression that the whole of every text matches.")
    unique: bool = Field(False, description="Whether no two rows may share a value.")
    outliers: Share | None = Field(
        None,
        description="Largest share of numbers more than three interquartile ranges outside the quartiles; 0.01 if not given.",
    )

    @field_validator("pattern")
    @classmethod
    def _pattern_is_understood(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            _check_pattern(pattern)
        return pattern

    @property
    def stated(self) -> dict[str, Any]:
        """The limits that are set, by name."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in named.items() if value is not None and value is not False}


def _check_pattern(pattern: str) -> None:
    """Refuse an expression that DuckDB does not understand."""
    import duckdb  # noqa: PLC0415 - few contracts have a pattern

    try:
        duckdb.connect().execute("SELECT regexp_full_match('', ?)", [pattern])
    except duckdb.Error as error:
        raise ValueError(f"no regular expression (of RE2) ({error})") from error


class ColumnSeverity(Section):
    """What the rules that need no limit do in one column; what is empty is as under `severity` of the file."""

    missing_column: Severity | None = Field(None, description="The column is not in the table.")
    retyped: Severity | None = Field(None, description="A value cannot be read as the column's type.")
    fractions: Severity | None = Field(None, description="A column of type `integer` holds a fraction.")
    infinite: Severity | None = Field(None, description="A number is infinite.")
    empty_text: Severity | None = Field(None, description="A text is empty or blank, which is not the same as missing.")
    spellings: Severity | None = Field(
        None, description="Levels differ in case or blanks only, or few texts spoil a column of numbers."
    )
    constant: Severity | None = Field(None, description="A column has one value only, or is mostly missing.")


class RuleSeverity(Section):
    """What the rules that need no limit do: `stop` the build, or `warn`."""

    missing_column: Severity = Field("stop", description="A column of the contract is not in the table.")
    retyped: Severity = Field("stop", description="A value cannot be read as its column's type.")
    new_column: Severity = Field("warn", description="The table has a column that the contract does not know.")
    fractions: Severity = Field("warn", description="A column of type `integer` holds a fraction.")
    infinite: Severity = Field("warn", description="A number is infinite; in the target of a regression it always stops.")
    empty_text: Severity = Field("warn", description="A text is empty or blank, which is not the same as missing.")
    spellings: Severity = Field("warn", description="Levels differ in case or blanks only, or few texts spoil a column of numbers.")
    constant: Severity = Field("warn", description="A column has one value only, or is mostly missing.")


class ColumnTerms(Section):
    """What one column has to be."""

    type: ColumnType = Field(description="What its values are; training and serving read them so.")
    format: str | None = Field(None, description="How dates are written, if they are text: `%d.%m.%Y`; or `ISO8601`.")
    expect: Limits = Field(
        default_factory=Limits, description="Limits; a departure warns. `gristmill contract accept` renews them."
    )
    require: Limits = Field(default_factory=Limits, description="Limits; a departure stops the build. Only people write them.")
    severity: ColumnSeverity = Field(default_factory=ColumnSeverity, description="Other severities in this column.")

    @property
    def limits_outliers(self) -> bool:
        """Whether a limit on the share of far outliers is stated."""
        return self.expect.outliers is not None or self.require.outliers is not None

    @model_validator(mode="after")
    def _limits_fit_the_type(self) -> "ColumnTerms":
        if self.format is not None and self.type != "date":
            raise ValueError(f"`format` has a meaning for the type date only, not for {self.type}; remove it")
        for limits in (self.expect, self.require):
            self._check(limits)
        return self

    def _check(self, limits: Limits) -> None:
        for name in ("minimum", "maximum"):
            end = getattr(limits, name)
            if end is not None:
                _check_end(name, end, self.type)
        if limits.outliers is not None and self.type not in NUMBERS:
            raise ValueError(f"`outliers` has a meaning for numbers only, not for the type {self.type}; remove it")
        if limits.pattern is not None and self.type not in {"category", "text"}:
            raise ValueError(f"`pattern` has a meaning for text only, not for the type {self.type}; remove it")
        ends = (limits.minimum, limits.maximum)
        if None not in ends and ends != tuple(sorted(ends)):  # type: ignore[type-var]
            raise ValueError(f"`minimum` {limits.minimum} is above `maximum` {limits.maximum}")


def _check_end(name: str, end: float | str, kind: str) -> None:
    """Refuse an end of a range that the type of the column does not have."""
    if kind in NUMBERS and isinstance(end, str):
        raise ValueError(f"`{name}` of a column of type {kind} has to be a number, got {end!r}")
    if kind == "date":
        try:
            dt.datetime.fromisoformat(str(end))
        except ValueError:
            raise ValueError(f"`{name}` of a column of dates has to be written as 2024-01-31, got {end!r}") from None
    if kind not in {*NUMBERS, "date"}:
        raise ValueError(f"`{name}` has a meaning for numbers and dates only, not for the type {kind}; remove it")


class Freshness(Section):
    """How old the latest row may be."""

    column: str = Field(description="Column of dates.")
    days: Annotated[float, Field(ge=0)] = Field(description="Largest age in days of its latest date when the snapshot was taken.")


class TableLimits(Section):
    """Limits on the table as a whole."""

    rows: Annotated[int, Field(ge=1)] | None = Field(None, description="Fewest rows with a target.")
    completeness: Share | None = Field(None, description="Smallest share of cells that are not missing.")
    duplicates: Share | None = Field(
        None, description="Largest share of rows that repeat an earlier one in everything but their identifiers."
    )
    freshness: Freshness | None = Field(None, description="How old the latest row may be.")

    @property
    def stated(self) -> dict[str, Any]:
        """The limits that are set, by name."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class TableTerms(Section):
    """What the table as a whole has to be."""

    expect: TableLimits = Field(default_factory=TableLimits, description="Limits; a departure warns.")
    require: TableLimits = Field(
        default_factory=TableLimits, description="Limits; a departure stops the build. Only people write them."
    )


class Terms(Section):
    """A data contract."""

    snapshot: str | None = Field(
        None, description="Beginning of the digest of the snapshot that it was last accepted on, for the reader."
    )
    table: TableTerms = Field(default_factory=TableTerms, description="The table as a whole.")
    severity: RuleSeverity = Field(default_factory=RuleSeverity, description="What the rules that need no limit do.")
    columns: dict[str, ColumnTerms] = Field(description="Every column of the table by its name, in any order.")

    @field_validator("columns", mode="before")
    @classmethod
    def _names_are_text(cls, columns: object) -> object:
        return {str(name): terms for name, terms in columns.items()} if isinstance(columns, dict) else columns

    @model_validator(mode="after")
    def _freshness_names_a_date(self) -> "Terms":
        for limits in (self.table.expect, self.table.require):
            if limits.freshness is not None:
                column = self.columns.get(limits.freshness.column)
                if column is None or column.type != "date":
                    raise ValueError(
                        f"`freshness` names {limits.freshness.column!r}, which is no column of type date of this contract"
                    )
        return self

    def severity_of(self, rule: str, column: str | None = None) -> Severity:
        """Return what a rule without a limit does, in one column if it is given."""
        terms = self.columns.get(column) if column is not None else None
        own: Severity | None = getattr(terms.severity, rule) if terms is not None else None
        return own or getattr(self.severity, rule)
