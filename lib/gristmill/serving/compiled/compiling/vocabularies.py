"""Which numbers and levels a model reads, and every level that any part of it knows by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from gristmill.features.aggregates import SEPARATOR, GroupAggregates
from gristmill.features.filling import FillText
from gristmill.features.proposals import Proposals
from gristmill.features.rows import MISSING_LEVEL
from gristmill.features.target_means import TargetMeans


@dataclass(frozen=True)
class Features:
    """The row-wise features of a model.

    Attributes
    ----------
    numbers, levels
        Name -> place.
    vocabularies
        The known levels of each feature of levels, sorted.
    """

    numbers: Mapping[str, int]
    levels: Mapping[str, int]
    vocabularies: Sequence[Sequence[str]]

    def unseen(self) -> str:
        """Return a text that is no level of any feature."""
        known = {name for names in self.vocabularies for name in names}
        text = "\x00unseen"
        while text in known:
            text += "\x00"
        return text

    def table(self, columns: Sequence[str]) -> NDArray[np.object_]:
        """Return the levels of some features side by side, each followed by unseen ones, shape ``(longest + 1, n_columns)``."""
        names = [self.vocabularies[self.levels[column]] for column in columns]
        made = np.full((max(map(len, names), default=0) + 1, len(columns)), self.unseen(), dtype=object)
        for place, known in enumerate(names):
            made[: len(known), place] = known
        return made

    def sizes(self, columns: Sequence[str]) -> list[int]:
        """Return how many codes each of some features may have: its levels, and one for an unseen one."""
        return [len(self.vocabularies[self.levels[column]]) + 1 for column in columns]

    def with_number(self, name: str) -> "Features":
        """Return the features with one more number, behind the others."""
        return Features({**self.numbers, name: max(self.numbers.values(), default=-1) + 1}, self.levels, self.vocabularies)


def features_of(plan: Mapping[str, Any], model: Any) -> Features:
    """Return the features of a plan, and the levels that a fitted model knows of them."""
    names = {
        kind: [f["name"] for f in plan["features"] if (f["step"] == "level") == (kind == "level")] for kind in ("level", "number")
    }
    known: dict[str, set[str]] = {name: {MISSING_LEVEL} for name in names["level"]}
    for column, levels in _known(model):
        if column in known:
            known[column].update(str(level) for level in levels)
    places = {kind: {name: place for place, name in enumerate(several)} for kind, several in names.items()}
    return Features(places["number"], places["level"], [sorted(known[name]) for name in names["level"]])


def _known(estimator: Any) -> Iterator[tuple[str, Sequence[Any]]]:
    """Give columns and levels that an estimator, or what it is made of, knows by name."""
    yield from _own(estimator)
    for inner in _inside(estimator):
        yield from _known(inner)


def _own(estimator: Any) -> Iterator[tuple[str, Sequence[Any]]]:
    """Give columns and levels that a step itself knows by name."""
    if isinstance(estimator, ColumnTransformer):
        for _, step, columns in estimator.transformers_:
            if not isinstance(step, str):
                yield from _of_step(step, list(columns) if not isinstance(columns, str) else [columns])
    elif isinstance(estimator, GroupAggregates):
        for asked, names in zip(estimator.aggregations, estimator.groups_, strict=True):
            parts = [str(name).split(SEPARATOR) for name in names] if len(asked["by"]) > 1 else [[str(name)] for name in names]
            for place, column in enumerate(asked["by"]):
                yield column, [part[place] for part in parts if len(part) == len(asked["by"])]
    elif isinstance(estimator, Proposals):
        for recipe in estimator.recipes_:
            if recipe["kind"] == "centred":
                yield recipe["with"], list(recipe["levels"])


def _inside(estimator: Any) -> list[Any]:
    """Return what an estimator is made of, as far as it holds preparations."""
    if isinstance(estimator, Pipeline):
        return [step for _, step in estimator.steps]
    members = getattr(estimator, "estimators_", None)
    if isinstance(members, list) and any(isinstance(member, Pipeline) for member in members):
        return members
    wrapped = getattr(estimator, "estimator_", None)
    return [wrapped] if isinstance(wrapped, Pipeline) or hasattr(wrapped, "estimators_") else []


def _of_step(step: Any, columns: Sequence[str]) -> Iterator[tuple[str, Sequence[Any]]]:
    """Give columns and levels that one step of a preparation knows."""
    for inner in [one for _, one in step.steps] if isinstance(step, Pipeline) else [step]:
        if isinstance(inner, OneHotEncoder | OrdinalEncoder):
            yield from zip(columns, inner.categories_, strict=True)
        elif isinstance(inner, TargetMeans):
            yield from zip(columns, inner.levels_, strict=True)
        elif isinstance(inner, FillText):
            yield from ((column, [text]) for column, text in zip(columns, inner.statistics_, strict=True))
