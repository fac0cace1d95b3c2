"""What is done about missing values and outliers: the keys of the case file, and the policy of a column that follows from them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from gristmill.config.base import Scalar, Section, Share

Kind = Literal["numeric", "categorical", "boolean", "date", "text"]
Numeric = Literal["native", "median", "mean", "constant"]
Categorical = Literal["level", "most_frequent", "constant"]
Boolean = Literal["native", "most_frequent", "constant"]
Date = Literal["native", "median", "constant"]
FreeText = Literal["empty", "constant"]
Strategy = Literal["native", "level", "empty", "median", "mean", "most_frequent", "constant"]
Action = Literal["keep", "clip", "missing"]
Method = Literal["iqr", "quantile"]

STRATEGIES: Mapping[str, tuple[str, ...]] = {
    "numeric": get_args(Numeric),
    "categorical": get_args(Categorical),
    "boolean": get_args(Boolean),
    "date": get_args(Date),
    "text": get_args(FreeText),
}
"""Kind of column -> what may be done about its missing values, the default first."""

LIMITS = ("method", "factor", "lower", "upper")
"""Keys that say where outliers begin."""


def _plain_date(value: object) -> object:
    """Read a date, which YAML knows and JSON does not, as the text it stands for."""
    return value.isoformat() if isinstance(value, date) else value


FillValue = Annotated[Scalar, BeforeValidator(_plain_date)]


def _refuse_limits(given: set[str], method: str | None) -> None:
    """Refuse limits that the method has no use for."""
    for key in ("lower", "upper") if method == "iqr" else ("factor",) if method == "quantile" else ():
        if key in given:
            other = "quantile" if method == "iqr" else "iqr"
            raise ValueError(f"`{key}` has no meaning for `method: {method}`; remove it, or say `method: {other}`")


def _refuse_crossed(lower: float | None, upper: float | None) -> None:
    """Refuse quantiles between which nothing lies."""
    if lower is not None and upper is not None and lower >= upper:
        raise ValueError(f"expected `lower` below `upper`, got {lower:g} and {upper:g}")


class Missing(Section):
    """What is done about missing values, by kind of column; fitted inside the folds, on training rows alone."""

    numeric: Numeric = Field(
        "native",
        description="Numbers. `native`: forests and boosting read a gap as a gap, linear and neural models fill in the median; "
        "`median`, `mean` or `constant` fill it in for every family.",
    )
    categorical: Categorical = Field(
        "level",
        description="Levels. `level`: missing is a level of its own, for every family; `most_frequent` or `constant` fill it in.",
    )
    boolean: Boolean = Field(
        "native", description="True and false. `native` as for numbers; `most_frequent` or `constant` fill in for every family."
    )
    date: Date = Field(
        "native",
        description="Dates. `native` as for numbers; `median` fills in each part (year, month, ...) by its own; `constant` a date.",
    )
    text: FreeText = Field("empty", description="Free text. `empty`: a text without words; `constant` fills one in.")
    indicator: bool = Field(True, description="Whether a model is told, beside every value that is filled in, that it was missing.")
    fill_values: dict[Kind, FillValue] = Field(
        default_factory=dict, description="What `constant` fills in, by kind: `{numeric: 0, categorical: unknown}`."
    )

    @model_validator(mode="after")
    def _constants_have_values(self) -> "Missing":
        for kind in STRATEGIES:
            constant = getattr(self, kind) == "constant"
            if constant and kind not in self.fill_values:
                raise ValueError(f"`{kind}: constant` needs a value: add `fill_values: {{{kind}: ...}}`")
            if not constant and kind in self.fill_values:
                raise ValueError(
                    f"`fill_values.{kind}` has no meaning for `{kind}: {getattr(self, kind)}`; remove it, or say `{kind}: constant`"
                )
        for kind, value in self.fill_values.items():
            require_fitting(value, kind)
        return self


class Outliers(Section):
    """What is done about numbers far from the others; the limits are learnt inside the folds, on training rows alone."""

    numeric: Action = Field(
        "keep", description="`keep`, `clip` to the nearer limit, or treat as `missing`; dates and booleans are always kept."
    )
    method: Method = Field(
        "iqr",
        description="Where outliers begin: `iqr`, a number of interquartile ranges outside the quartiles, or at a `quantile`.",
    )
    factor: Annotated[float, Field(gt=0)] = Field(
        3.0, description='Interquartile ranges outside the quartiles, for `iqr`: 3 is Tukey\'s "far out", 1.5 his "outside".'
    )
    lower: Share = Field(0.01, description="Share of the training rows below the lower limit, for `quantile`.")
    upper: Share = Field(0.99, description="Share of the training rows below the upper limit, for `quantile`.")

    @model_validator(mode="after")
    def _limits_agree(self) -> "Outliers":
        _refuse_limits(self.model_fields_set, self.method)
        _refuse_crossed(self.lower, self.upper)
        return self


class ColumnTreatment(Section):
    """What is done about one column, where it is not what `features.missing` and `features.outliers` say."""

    missing: Strategy | None = Field(None, description="A strategy that `features.missing` has for columns of this kind.")
    fill_value: FillValue | None = Field(None, description="What `missing: constant` fills in.")
    indicator: bool | None = Field(None, description="Whether the model is told that a value was filled in.")
    outliers: Action | None = Field(None, description="`keep`, `clip` or treat as `missing`; for numeric columns.")
    method: Method | None = Field(None, description="As in `features.outliers`.")
    factor: Annotated[float, Field(gt=0)] | None = Field(None, description="As in `features.outliers`.")
    lower: Share | None = Field(None, description="As in `features.outliers`.")
    upper: Share | None = Field(None, description="As in `features.outliers`.")

    @model_validator(mode="after")
    def _keys_agree(self) -> "ColumnTreatment":
        if self.missing == "constant" and self.fill_value is None:
            raise ValueError("`missing: constant` needs a `fill_value`")
        if self.missing != "constant" and self.fill_value is not None:
            raise ValueError("`fill_value` has no meaning without `missing: constant`; add that, or remove it")
        limits = [key for key in LIMITS if getattr(self, key) is not None]
        if self.outliers == "keep" and limits:
            raise ValueError(f"`{limits[0]}` has no meaning for `outliers: keep`; remove it, or say `clip` or `missing`")
        _refuse_limits(set(limits), self.method)
        _refuse_crossed(self.lower, self.upper)
        return self


@dataclass(frozen=True)
class Policy:
    """What is done about one column.

    Attributes
    ----------
    missing
        One of :data:`STRATEGIES` of its kind.
    fill_value
        What ``constant`` fills in; else None.
    indicator
        Whether the model is told what was filled in.
    outliers
        ``keep``, ``clip`` or ``missing``.
    method, factor, lower, upper
        Where outliers begin.
    """

    missing: str
    fill_value: Scalar | None = None
    indicator: bool = True
    outliers: str = "keep"
    method: str = "iqr"
    factor: float = 3.0
    lower: float = 0.01
    upper: float = 0.99

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as JSON-able data, which ``Policy(**...)`` reads back."""
        return asdict(self)


DEFAULTS: Mapping[str, Policy] = {kind: Policy(strategies[0]) for kind, strategies in STRATEGIES.items()}
"""Kind of column -> its policy in a case file that says nothing."""


def require_fitting(value: Scalar, kind: str) -> None:
    """Refuse a value that cannot be filled into a column of a kind.

    Raises
    ------
    ValueError
        The message says what the kind wants.
    """
    if kind == "numeric" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"expected a number to fill in numeric columns with, got {value!r}")
    if kind == "boolean" and not isinstance(value, bool):
        raise ValueError(f"expected `true` or `false` to fill in boolean columns with, got {value!r}")
    if kind == "date":
        try:
            datetime.fromisoformat(str(value))
        except ValueError as error:
            raise ValueError(f"expected a date such as 2024-01-31 to fill in columns of dates with, got {value!r}") from error


def policy_of(features: Any, column: str, kind: str) -> Policy:
    """Return what the ``features`` section of a case says about a column of a kind.

    Raises
    ------
    ValueError
        The column's own entry asks for what its kind does not have; the message says what it has.
    """
    general: Missing = features.missing
    own: ColumnTreatment = features.columns.get(column) or ColumnTreatment()
    missing = own.missing or getattr(general, kind)
    if missing not in STRATEGIES[kind]:
        raise ValueError(f"`missing: {missing}` is not for a {kind} column; choose {', '.join(STRATEGIES[kind])}")
    if own.fill_value is not None:
        require_fitting(own.fill_value, kind)
    fill_value = own.fill_value if own.missing else general.fill_values.get(kind)  # type: ignore[call-overload]
    indicator = general.indicator if own.indicator is None else own.indicator
    return Policy(missing, fill_value, indicator, **_outliers(features.outliers, own, kind))


def _outliers(general: Outliers, own: ColumnTreatment, kind: str) -> dict[str, Any]:
    """Return what is done about outliers in a column, as the keywords of a policy."""
    asked = [key for key in ("outliers", *LIMITS) if getattr(own, key) is not None]
    if kind != "numeric":
        if asked and own.outliers != "keep":
            raise ValueError(f"`{asked[0]}` is for numeric columns, and this one is {kind}; remove it")
        return {}
    action = own.outliers or general.numeric
    if action == "keep":
        if any(key in LIMITS for key in asked):
            raise ValueError(f"`{asked[0]}` has no meaning while outliers are kept; add `outliers: clip` or `outliers: missing`")
        return {}
    method = own.method or general.method
    _refuse_limits(set(asked), method)
    values = {key: getattr(general if getattr(own, key) is None else own, key) for key in ("factor", "lower", "upper")}
    _refuse_crossed(values["lower"], values["upper"])
    return {"outliers": action, "method": method, **values}
