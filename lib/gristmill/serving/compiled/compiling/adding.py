"""Compiling of the steps that come before the matrix: aggregations, proposals, and a selection of features."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gristmill.errors import NoCompiledForm
from gristmill.features.aggregates import SEPARATOR, GroupAggregates
from gristmill.features.proposals import Proposals
from gristmill.features.rows import MISSING_LEVEL
from gristmill.features.selecting import FeatureSelection
from gristmill.serving.compiled.added import Adding, Blanking, Combination, GroupFigure, NumbersAsLevels
from gristmill.serving.compiled.compiling.vocabularies import Features


def compile_before(steps: Sequence[Any], features: Features) -> tuple[tuple[Any, ...], Features]:
    """Return the parts that change cells before the matrix is made of them, and the features there are then."""
    found: list[Any] = []
    for step in steps:
        if isinstance(step, GroupAggregates):
            made, features = _aggregates(step, features)
        elif isinstance(step, Proposals):
            made, features = _proposals(step, features)
        elif isinstance(step, FeatureSelection):
            made = _selection(step, features)
        else:
            raise NoCompiledForm(f"{type(step).__name__}, a step before its matrix, has no compiled form")
        found += made
    return tuple(found), features


def _aggregates(step: GroupAggregates, features: Features) -> tuple[list[Any], Features]:
    """Return the figures of groups; numbers that make groups are told apart by a code of their own."""
    counted = list(dict.fromkeys(name for asked in step.aggregations for name in asked["by"] if name in features.numbers))
    values = {name: _values(name, step) for name in counted}
    places = {**features.levels, **{name: len(features.levels) + place for place, name in enumerate(counted)}}
    codes: dict[str, Mapping[str, int]] = {
        name: {level: code for code, level in enumerate(features.vocabularies[place])} for name, place in features.levels.items()
    }
    codes |= {name: {**{str(value): code for code, value in enumerate(known)}, "nan": len(known)} for name, known in values.items()}
    sizes = {name: len(features.vocabularies[place]) + 1 for name, place in features.levels.items()}
    sizes |= {name: len(known) + 2 for name, known in values.items()}
    before = features
    made = []
    for asked, names, figures, overall in zip(step.aggregations, step.groups_, step.figures_, step.overall_, strict=True):
        by = list(asked["by"])
        if np.prod([float(sizes[name]) for name in by]) >= 2.0**62:
            raise NoCompiledForm(f"the groups of {' and '.join(by)} are too many to be numbered")
        keys = [_key(str(name), by, codes, sizes) for name in names]
        order = np.argsort(np.array(keys, dtype=np.intp), kind="stable")
        of = before.numbers[asked["of"]] if asked["statistic"] == "difference" else None
        made.append(
            GroupFigure(
                np.array([places[name] for name in by], dtype=np.intp),
                np.array([sizes[name] for name in by], dtype=np.intp),
                np.array(keys, dtype=np.intp)[order],
                np.asarray(figures, dtype=np.float64)[order],
                np.array([overall], dtype=np.float64),
                of,
            )
        )
        features = features.with_number(asked["name"])
    as_levels = NumbersAsLevels(
        np.array([before.numbers[name] for name in counted], dtype=np.intp), tuple(np.array(values[name]) for name in counted)
    )
    return [*([as_levels] if counted else []), Adding(tuple(made))], features


def _values(column: str, step: GroupAggregates) -> list[float]:
    """Return the numbers that a column makes groups by, sorted."""
    found: set[float] = set()
    for asked, names in zip(step.aggregations, step.groups_, strict=True):
        if column in asked["by"]:
            texts = {str(name).split(SEPARATOR)[asked["by"].index(column)] for name in names}
            if "-0.0" in texts:
                raise NoCompiledForm(f"the column {column!r} has a group for minus zero")
            found |= {float(text) for text in texts if text != "nan"}
    return sorted(found)


def _key(name: str, by: Sequence[str], codes: Mapping[str, Mapping[str, int]], sizes: Mapping[str, int]) -> int:
    """Return the number of a group."""
    parts = name.split(SEPARATOR) if len(by) > 1 else [name]
    if len(parts) != len(by):
        raise NoCompiledForm(f"a level of {' or '.join(by)} holds the character that parts the levels of a group")
    key = 0
    for column, text in zip(by, parts, strict=True):
        key = key * sizes[column] + codes[column][text]
    return key


def _proposals(step: Proposals, features: Features) -> tuple[list[Any], Features]:
    """Return the combinations of columns."""
    made = []
    before = features
    for recipe in step.recipes_:
        first, ends = before.numbers[recipe["of"]], (float(recipe["lower"]), float(recipe["upper"]))
        if recipe["kind"] == "centred":
            place = before.levels[recipe["with"]]
            known = dict(zip((str(name) for name in recipe["levels"]), np.asarray(recipe["means"], dtype=np.float64), strict=True))
            means = [known.get(level, recipe["overall"]) for level in before.vocabularies[place]]
            table = np.array([*means, recipe["overall"]], dtype=np.float64)
            made.append(Combination(recipe["kind"], first, place, table, *ends))
        else:
            made.append(Combination(recipe["kind"], first, before.numbers[recipe["with"]], None, *ends))
        features = features.with_number(recipe["name"])
    return [Adding(tuple(made))] if made else [], features


def _selection(step: FeatureSelection, features: Features) -> list[Any]:
    """Return what is left out."""
    numbers = [features.numbers[name] for name in step.blank_ if name in features.numbers]
    levels = [features.levels[name] for name in step.blank_ if name in features.levels]
    missing = [list(features.vocabularies[place]).index(MISSING_LEVEL) for place in levels]
    return [Blanking(*(np.array(one, dtype=np.intp) for one in (numbers, levels, missing)))] if step.blank_ else []
