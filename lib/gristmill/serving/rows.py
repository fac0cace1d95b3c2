"""Rows as they come in JSON, held against the data contract: every wrong value is named, none is repeated.

A checker is made once for a version, one function a column, so that a row of twenty columns costs a few microseconds. What it lets
through, :meth:`gristmill.serving.predictor.Predictor.values_of` can read, up to dates that no calendar has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gristmill.data.contract.schema import nearest_column

MOST_FAULTS = 20
"""Faults that are told of one request; the rest are counted."""

LARGEST = 1.7976931348623157e308
LARGEST_WHOLE = 2**63 - 1

Row = Mapping[str, object]
Check = Callable[[object], bool]


@dataclass(frozen=True)
class Fault:
    """What is wrong with one value, or with one row.

    Attributes
    ----------
    row
        Its place in ``instances``, from 0.
    column
        The column, or an empty text where the row is no row.
    expected, got
        In words; never the value itself.
    """

    row: int
    column: str
    expected: str
    got: str


@dataclass(frozen=True)
class ColumnRule:
    """What a value of one column may be.

    Attributes
    ----------
    name
        The column.
    expected
        In words, for the one who sent something else.
    holds
        Whether a value is one; missing values are not its matter.
    required
        Whether a row must have the column.
    nullable
        Whether its value may be null, which means missing.
    """

    name: str
    expected: str
    holds: Check
    required: bool
    nullable: bool


class RowChecker:
    """Checks rows of one model.

    Parameters
    ----------
    contract
        The data contract of the model.
    feature_columns
        Columns that a row must have; other columns of the contract may be sent as well.
    missing_as_trained
        Whether null is refused in columns that had a value in every row the model learnt from.
    """

    def __init__(self, contract: Mapping[str, Any], feature_columns: Sequence[str], *, missing_as_trained: bool = False) -> None:
        self.rules = tuple(_rule(column, feature_columns, missing_as_trained) for column in contract["columns"])
        self._required = tuple((rule.name, rule.holds, rule.nullable) for rule in self.rules if rule.required)
        self._others = {rule.name: rule for rule in self.rules if not rule.required}
        self._known = {rule.name for rule in self.rules}

    def faults(self, rows: Sequence[object]) -> tuple[list[Fault], int]:
        """Return the first :data:`MOST_FAULTS` faults of rows, and how many there are."""
        found: list[Fault] = []
        total = 0
        for place, row in enumerate(rows):
            if type(row) is dict and self._is_right(row):
                continue
            wrong = self._wrong(place, row)
            total += len(wrong)
            found += wrong[: MOST_FAULTS - len(found)]
        return found, total

    def _is_right(self, row: dict[str, object]) -> bool:
        """Return whether a row has nothing wrong, as fast as Python can."""
        for name, holds, nullable in self._required:
            value = row.get(name, _ABSENT)
            if not (nullable if value is None else holds(value)):
                return False
        return len(row) == len(self._required) or self._others_are_right(row)

    def _others_are_right(self, row: dict[str, object]) -> bool:
        """Return whether the columns that a row need not have are known, and right."""
        found = 0
        for name, rule in self._others.items():
            value = row.get(name, _ABSENT)
            if value is _ABSENT:
                continue
            if value is not None and not rule.holds(value):
                return False
            found += 1
        return len(row) == len(self._required) + found

    def _wrong(self, place: int, row: object) -> list[Fault]:
        """Return what is wrong with one row."""
        if not isinstance(row, dict):
            return [Fault(place, "", "an object of columns and values", kind_of(row))]
        wrong = []
        for rule in self.rules:
            value = row.get(rule.name, _ABSENT)
            if value is _ABSENT and not rule.required:
                continue
            if not (rule.nullable if value is None else rule.holds(value)):
                wrong.append(Fault(place, rule.name, rule.expected, kind_of(value)))
        known = [rule.name for rule in self.rules if rule.required]
        for name in row.keys() - self._known:
            shown = name[:64].encode("utf-8", "replace").decode()
            wrong.append(
                Fault(place, shown, f"a column of the data contract; {nearest_column(name[:64], known)}", "an unknown column")
            )
        return wrong


_ABSENT = object()


def kind_of(value: object) -> str:
    """Return what a value of JSON is, in words."""
    if value is _ABSENT:
        return "no such column in the row"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, float) and not -LARGEST <= value <= LARGEST:
        return "a number that is not finite"
    if isinstance(value, int | float):
        return "a number out of bounds" if isinstance(value, int) and abs(value) > LARGEST_WHOLE else "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"


def _rule(column: Mapping[str, Any], feature_columns: Sequence[str], missing_as_trained: bool) -> ColumnRule:  # noqa: FBT001
    """Return the rule of one contracted column."""
    name, required = str(column["name"]), column["name"] in feature_columns
    expected, holds = _identifier() if column["role"] == "id" else _kind_rule(column)
    nullable = not (missing_as_trained and required and not column["nullable"])
    return ColumnRule(name, expected + (", or null where it is missing" if nullable else ""), holds, required, nullable)


def is_whole(column: Mapping[str, Any]) -> bool:
    """Return whether a contracted column of numbers holds whole ones."""
    return str(column["dtype"]).lower().startswith(("int", "uint"))


def _kind_rule(column: Mapping[str, Any]) -> tuple[str, Check]:
    """Return in words, and as a function, what a value of a column may be that is no identifier."""
    kind = column["kind"]
    if kind == "numeric":
        return ("a whole number", _whole) if is_whole(column) else ("a finite number", _number)
    if kind == "boolean":
        return "true or false", _truth
    if kind == "date":
        return f"a date as text, such as {example_of_date(column)!r}", _date(column.get("format"))
    if is_whole(column):  # codes that mean levels
        return "a text, or a whole number", _text_or_whole
    return "a text", _text


def _identifier() -> tuple[str, Check]:
    return "a text or a whole number that names the row", _text_or_whole


def example_of_date(column: Mapping[str, Any]) -> str:
    """Return a date as the column writes it."""
    return str(column["example"] or "2024-01-31")


def _whole(value: object) -> bool:
    kind = type(value)
    if kind is int:
        return -LARGEST_WHOLE <= value <= LARGEST_WHOLE  # type: ignore[operator]
    return kind is float and -LARGEST_WHOLE <= value <= LARGEST_WHOLE and value.is_integer()  # type: ignore[operator, attr-defined]


def _number(value: object) -> bool:
    kind = type(value)
    return (kind is float or kind is int) and -LARGEST <= value <= LARGEST  # type: ignore[operator]


def _truth(value: object) -> bool:
    return value is True or value is False


def _text(value: object) -> bool:
    """Return whether a value is a text that every database and every encoding can hold: no NUL, no half of a character."""
    if type(value) is not str or "\x00" in value:
        return False
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def _text_or_whole(value: object) -> bool:
    return _text(value) or _whole(value)


def _date(date_format: str | None) -> Check:
    """Return whether a value is a date in ISO 8601, or in the format of the column."""
    formats = () if date_format in (None, "ISO8601") else (str(date_format),)

    def holds(value: object) -> bool:
        return _text(value) and (_is_date(str(value), None) or any(_is_date(str(value), one) for one in formats))

    return holds


def _is_date(text: str, date_format: str | None) -> bool:
    try:
        if date_format is None:
            datetime.fromisoformat(text)
        else:
            datetime.strptime(text, date_format)
    except ValueError:
        return False
    return True
