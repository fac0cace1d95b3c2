"""A small fixed grid over the space that a family's ``suggest`` describes."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gristmill.modeling.families.catalogue import suggest
from gristmill.modeling.families.problem import Params, Problem

MOST = 64
"""Configurations of a grid at most."""

LEVELS = (3, 2, 1)
"""Values of a number, from the finest grid to the coarsest."""


def grid(family: str, problem: Problem) -> list[Params]:
    """Return the grid of a family, the same for the same problem, in an order that visits all its parts early.

    Each category takes all of its values and each number three, two or one, evenly spaced over its range (over its logarithm
    where that is how it is searched): as many as leave no more than :data:`MOST` configurations. A space whose categories alone
    make more is drawn from, by the problem's seed.

    Parameters
    ----------
    family
        Name of the family.
    problem
        What its space depends on.
    """
    for levels in LEVELS:
        found = _up_to(MOST + 1, family, problem, levels)
        if len(found) <= MOST:
            break
    else:
        found = _up_to(None, family, problem, LEVELS[-1])
    order = np.random.default_rng(problem.random_state).permutation(len(found))
    return [found[place] for place in order[:MOST]]


def _up_to(most: int | None, family: str, problem: Problem, levels: int) -> list[Params]:
    """Return the configurations of a grid with so many values a number, no two alike; at most ``most``."""
    found: dict[str, Params] = {}
    for params in _walk(family, problem, levels):
        found.setdefault(repr(sorted(params.items(), key=str)), params)
        if most is not None and len(found) >= most:
            break
    return list(found.values())


def _walk(family: str, problem: Problem, levels: int) -> Iterator[Params]:
    """Give the configuration of every path through ``suggest``, whose later questions may depend on earlier answers."""
    path: list[int] = []
    while True:
        asked = _Path(path, levels)
        yield suggest(family, asked, problem)
        path = [*path, *[0] * (len(asked.sizes) - len(path))]
        while path and path[-1] + 1 >= asked.sizes[len(path) - 1]:
            path.pop()
        if not path:
            return
        path[-1] += 1


class _Path:
    """Answers the questions of ``suggest`` along one path; the first answer where the path has ended."""

    def __init__(self, path: Sequence[int], levels: int) -> None:
        self.path, self.levels = path, levels
        self.sizes: list[int] = []

    def _pick(self, values: Sequence[Any]) -> Any:
        """Return the value that the path takes here."""
        place = len(self.sizes)
        self.sizes.append(len(values))
        return values[self.path[place] if place < len(self.path) else 0]

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:  # noqa: ARG002 - Optuna's signature
        """Return a category."""
        return self._pick(list(choices))

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False) -> float:  # noqa: ARG002
        """Return a number."""
        values = _spaced(low, high, self.levels, log=log)
        return float(self._pick(values if step is None else [low + round((value - low) / step) * step for value in values]))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:  # noqa: ARG002
        """Return a whole number."""
        values = [low + round((value - low) / step) * step for value in _spaced(low, high, self.levels, log=log)]
        return int(self._pick(list(dict.fromkeys(values))))


def _spaced(low: float, high: float, levels: int, *, log: bool) -> list[float]:
    """Return the middles of equal parts of a range."""
    begin, end = (math.log(low), math.log(high)) if log else (low, high)
    middles = [begin + (end - begin) * (place + 0.5) / levels for place in range(levels)]
    return [math.exp(middle) if log else middle for middle in middles]
