"""How a model must behave: tests of what it answers, and segments of rows on which it must be good, as a case file states them."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gristmill.config.base import Section, Share, Text
from gristmill.config.metric_names import CLASSIFICATION_METRICS, REGRESSION_METRICS
from gristmill.config.metric_ranges import require_in_range
from gristmill.config.treatment import FillValue

Values = FillValue | tuple[FillValue, ...]
"""One value or several: what a column is compared with."""


def gate_name(name: str) -> str:
    """Return a name as it stands in the name of a gate: lower-case words with underscores.

    Examples
    --------
    >>> gate_name("New customers, Spain")
    'new_customers_spain'
    """
    return re.sub(r"\W+", "_", name.lower()).strip("_")


class BehaviourTest(Section):
    """One test of what the model answers: on which rows, after which change, and what is expected."""

    where: dict[str, Values] = Field(
        default_factory=dict,
        description="Which test rows are tried, by column: a level, a list of levels, a number, `at least 5`, `at most 5`, "
        "`above 5`, `below 5`, `5 to 9` or `missing`; all rows when empty.",
    )
    change: dict[str, FillValue] = Field(
        default_factory=dict,
        description="What is changed in them, by column: a value to put in, `up`, `down`, `up 12`, `down 10%`, `up 7 days`, `any` "
        "(another value of the column), `missing`, or `typo` (free text).",
    )
    expect: Literal["same", "up", "down", "not up", "not down"] | None = Field(
        None, description="How the answer must move when the rows are changed; of classes, the probability of `of`."
    )
    answer: Text | None = Field(None, description="The class that the model must give to the rows, after `change` if there is one.")
    minimum: float | None = Field(None, description="Smallest answer allowed: a number, or the probability of `of`.")
    maximum: float | None = Field(None, description="Largest answer allowed: a number, or the probability of `of`.")
    of: Text | None = Field(
        None,
        description="The class whose probability is meant; the positive one of two when empty, and every class for `expect: same`.",
    )
    margin: Annotated[float, Field(ge=0)] | None = Field(
        None,
        description="Largest move that does not count: of a probability (0.01 when empty), or in the target's unit (a hundredth of "
        "its standard deviation when empty).",
    )
    tolerance: Share | None = Field(
        None, description="Share of the tried rows that may break the test; `behaviour.tolerance` when empty."
    )

    @model_validator(mode="after")
    def _one_expectation(self) -> "BehaviourTest":
        fixed = [key for key in ("answer", "minimum", "maximum") if getattr(self, key) is not None]
        if self.expect is None and not fixed:
            raise ValueError("say what is expected: `expect`, `answer`, `minimum` or `maximum`")
        if self.expect is not None and fixed:
            raise ValueError(f"give either `expect` or `{fixed[0]}`, not both; make it two tests")
        if self.expect is not None and not self.change:
            raise ValueError(f"`expect: {self.expect}` needs a `change` that the answer is compared before and after")
        if self.answer is not None and (len(fixed) > 1 or self.of is not None):
            other = "of" if self.of is not None else fixed[1]
            raise ValueError(f"`answer` is a class and `{other}` is about a probability; make it two tests")
        if self.expect is None and self.margin is not None:
            raise ValueError("`margin` is about moves and has no meaning without `expect`; remove it")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"expected `minimum` up to `maximum`, got {self.minimum:g} and {self.maximum:g}")
        return self


class CriticalSegment(Section):
    """Rows on which the model must be good enough by themselves; each of their criteria becomes a gate."""

    where: dict[str, Values] = Field(description="Which test rows they are, by column, in the words of `tests.NAME.where`.")
    success_criteria: dict[str, float] = Field(description="Metrics with the value that each must reach on these test rows.")

    @model_validator(mode="after")
    def _says_something(self) -> "CriticalSegment":
        for key in ("where", "success_criteria"):
            if not getattr(self, key):
                raise ValueError(f"`{key}` is empty; name at least one {'column' if key == 'where' else 'metric'}")
        return self


class Behaviour(Section):
    """How the model must behave on rows that matter and on changed rows; judged on test rows, by gates."""

    tests: dict[str, BehaviourTest] = Field(
        default_factory=dict, description="Tests of what the model answers, by a name of your own; each has the keys below."
    )
    tolerance: Share = Field(0.05, description="Share of the tried rows that may break a test.")
    rows: Annotated[int, Field(ge=10, le=100_000)] = Field(2000, description="Most test rows that a test tries, drawn at random.")
    critical_segments: dict[str, CriticalSegment] = Field(
        default_factory=dict, description="Segments that must be served well, by a name of your own; each has the keys below."
    )

    @field_validator("tests", "critical_segments")
    @classmethod
    def _names_are_apart(cls, named: dict[str, object]) -> dict[str, object]:
        seen: dict[str, str] = {}
        for name in named:
            short = gate_name(name)
            if not short or short in seen:
                raise ValueError(
                    f"the name {name!r} is that of {seen[short]!r} but for signs and capitals" if short else "a name is empty"
                )
            seen[short] = name
        return named


def require_fitting(behaviour: Behaviour, task: str) -> None:
    """Refuse tests and segments that have no meaning for a task.

    Raises
    ------
    ValueError
        The message names the key and what to write instead.
    """
    for name, test in behaviour.tests.items():
        _require_test(f"behaviour.tests.{name}", test, task)
    known = REGRESSION_METRICS if task == "regression" else CLASSIFICATION_METRICS
    for name, segment in behaviour.critical_segments.items():
        key = f"behaviour.critical_segments.{name}.success_criteria"
        for metric, value in segment.success_criteria.items():
            if metric not in known:
                raise ValueError(f"`{key}`: metric {metric!r} is not one of a {task} task: {', '.join(sorted(known))}")
            require_in_range(metric, value, task, key)


def _require_test(key: str, test: BehaviourTest, task: str) -> None:
    """Refuse a test that has no meaning for a task."""
    if task == "regression":
        for part in ("answer", "of"):
            if getattr(test, part) is not None:
                raise ValueError(f"`{key}.{part}` is about classes and has no meaning for a regression task; remove it")
        return
    probability = test.minimum is not None or test.maximum is not None
    if task == "multiclass" and test.of is None and (probability or test.expect not in (None, "same")):
        raise ValueError(f"`{key}` needs `of`: the class whose probability is meant")
    for part in ("minimum", "maximum"):
        limit = getattr(test, part)
        if limit is not None and not 0 <= limit <= 1:
            raise ValueError(f"`{key}.{part}` is a probability between 0 and 1, got {limit:g}")
