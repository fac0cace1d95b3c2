"""Rows unlike those that the model learnt from: out of their range, with levels or gaps they did not have."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Literal, NamedTuple

from gristmill.config.sections.operation import Serving
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.serving.guards.known import known_columns
from gristmill.serving.problems import ProblemError

OUT_OF_RANGE, UNSEEN_LEVEL, MOSTLY_MISSING = CODES = ("out_of_range", "unseen_level", "mostly_missing")
WARN, REFUSE, IGNORE = "warn", "refuse", "ignore"
MOST_NAMED = 20
"""Rows that a refusal names."""


class RowWarning(NamedTuple):
    """What is unusual about a row.

    Attributes
    ----------
    code
        One of :data:`CODES`.
    column
        The column, or an empty text if it is about the whole row.
    detail
        A sentence with the range that is known; never the value that was sent.
    """

    code: str
    column: str
    detail: str

    @property
    def short(self) -> str:
        """The warning in one word for logs, such as ``out_of_range:tenure``."""
        return f"{self.code}:{self.column}" if self.column else self.code


@dataclass(frozen=True)
class Guard:
    """Tells rows that are unlike those a model learnt from.

    Attributes
    ----------
    policy
        ``warn``, ``refuse`` or ``ignore``.
    ranges
        Name, smallest and largest known number of a column.
    levels
        Name and known levels of a column.
    usual
        Columns that are mostly not missing.
    most_missing
        How many of these a row may lack.
    """

    policy: Literal["warn", "refuse", "ignore"]
    ranges: tuple[tuple[str, float, float], ...]
    levels: tuple[tuple[str, frozenset[str]], ...]
    usual: tuple[str, ...]
    most_missing: float

    @classmethod
    def from_model(cls, model: FittedModel, settings: Serving) -> "Guard":
        """Return the guard of a model, under the policy of the case file."""
        known = known_columns(model, settings.range_margin)
        ranges = tuple((one.name, one.low, one.high) for one in known.numbers)
        levels = tuple((one.name, one.levels) for one in known.levels)
        return cls(settings.out_of_range, ranges, levels, known.usual, settings.most_missing * len(known.usual))

    def check(self, rows: Sequence[Mapping[str, object]]) -> list[list[RowWarning]]:
        """Return the warnings of each row, in order; none of any row where the policy is ``ignore``.

        Parameters
        ----------
        rows
            Column -> value as it stands in JSON. A number may be written as a text; what is neither is left to validation.
        """
        if self.policy == IGNORE:
            return [[] for _ in rows]
        return [self._of(row) for row in rows]

    def require(self, warnings: Sequence[Sequence[RowWarning]]) -> None:
        """Refuse rows with warnings, where the policy is to.

        Raises
        ------
        ProblemError
            422, with the place and the warnings of each such row, of the first 20.
        """
        if self.policy != REFUSE or not any(warnings):
            return
        places = [place for place, found in enumerate(warnings) if found]
        errors = [
            {"row": place, "column": one.column, "code": one.code, "detail": one.detail}
            for place in places[:MOST_NAMED]
            for one in warnings[place]
        ]
        raise ProblemError(
            422,
            "Unlike Known Rows",
            f"{len(places)} of {len(warnings)} rows are unlike those the model learnt from.",
            errors=errors,
        )

    def _of(self, row: Mapping[str, object]) -> list[RowWarning]:
        """Return the warnings of one row."""
        found: list[RowWarning] = []
        get = row.get
        for name, low, high in self.ranges:
            value = get(name)
            if value is None:
                continue
            if value.__class__ is float or value.__class__ is int:
                if not low <= value <= high:
                    found.append(_out_of_range(name, low, high))
            elif isinstance(value, str) and not _text_within(value, low, high):
                found.append(_out_of_range(name, low, high))
        for name, levels in self.levels:
            value = get(name)
            if value.__class__ is str:
                unseen = value != "" and value not in levels
            else:
                unseen = isinstance(value, int | float) and _level(value) not in levels
            if unseen:
                found.append(RowWarning(UNSEEN_LEVEL, name, "This level was not among the rows the model learnt from."))
        missing = self._missing(row)
        if missing > self.most_missing:
            detail = f"{missing} of {len(self.usual)} columns that are mostly known are missing."
            found.append(RowWarning(MOSTLY_MISSING, "", detail))
        return found

    def _missing(self, row: Mapping[str, object]) -> int:
        """Return how many of the columns that are mostly known a row lacks; at once where it lacks none."""
        try:
            if None not in self._usual_of(row):
                return 0
        except KeyError:
            pass
        return sum([row.get(name) is None for name in self.usual])

    @cached_property
    def _usual_of(self) -> Callable[[Mapping[str, object]], tuple[object, ...]]:
        """What reads the columns that are mostly known out of a row, all of them with one call."""
        return itemgetter(*self.usual) if len(self.usual) > 1 else lambda row: tuple(row[name] for name in self.usual)


def _out_of_range(name: str, low: float, high: float) -> RowWarning:
    return RowWarning(OUT_OF_RANGE, name, f"Known are values from {low:g} to {high:g}.")


def _text_within(text: str, low: float, high: float) -> bool:
    """Return whether a number written as a text is within a range; what is no number is not judged here."""
    try:
        return low <= float(text) <= high
    except ValueError:
        return True


def _level(value: object) -> str:
    """Return a value that is no text as the level that the contract has for it: whole numbers without a decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
