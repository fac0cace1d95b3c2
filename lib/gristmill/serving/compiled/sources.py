"""Which columns a model reads, and what each of them gives: a number, a place in a vocabulary, the parts of a date."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gristmill.serving.compiled.parts import part

Row = Mapping[str, object]
Column = Mapping[str, Any]


@part
@dataclass(frozen=True)
class NumberSource:
    """A column that gives one number, to the place ``number`` among the numbers.

    Attributes
    ----------
    column
        Name of the column.
    number
        Place among the numbers.
    truth
        Whether the contract says that it holds truth values.
    """

    column: str
    number: int
    truth: bool


@part
@dataclass(frozen=True)
class DateSource:
    """A column of dates, of which each of ``steps`` gives a number; ``numbers`` holds their places."""

    column: str
    steps: tuple[str, ...]
    numbers: tuple[int, ...]
    iso: bool


@part
@dataclass(frozen=True)
class LevelSource:
    """A column whose levels are looked up in ``vocabulary``; ``level`` is its place among the levels.

    ``written`` says whether the contract holds its values as text, so that a text is the level that it stands for.
    """

    column: str
    level: int
    vocabulary: tuple[str, ...]
    written: bool


@part
@dataclass(frozen=True)
class UnusedSource:
    """A column that rows must have and whose values must fit the contract, but that no part of the model reads."""

    column: str


Source = NumberSource | DateSource | LevelSource | UnusedSource
