"""The grid of a family is small, fixed, and covers its space (R19)."""

from dataclasses import replace

import pytest

from gristmill.modeling.search import grid as module
from gristmill.modeling.search.grid import MOST, grid
from gristmill.modeling.training_rows import TrainingRows

FAMILIES = ["linear", "forest", "boosting", "neural"]


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_small_and_the_same_every_time(family: str, binary_rows: TrainingRows):
    found = grid(family, binary_rows.problem)
    assert 2 <= len(found) <= MOST
    assert len({repr(one) for one in found}) == len(found)
    assert found == grid(family, binary_rows.problem)


def test_every_combination_of_the_linear_family_is_in_it(binary_rows: TrainingRows):
    found = grid("linear", binary_rows.problem)
    numerics, ratios = {one["numeric"] for one in found}, {one["l1_ratio"] for one in found}
    assert len(found) == len(numerics) * len(ratios) * 3
    assert len({one["penalty"] for one in found}) == 3


def test_the_order_visits_both_kinds_of_forest_early(binary_rows: TrainingRows):
    assert {one["kind"] for one in grid("forest", binary_rows.problem)[:8]} == {"random", "extra"}


def test_another_seed_gives_another_order(binary_rows: TrainingRows):
    other = replace(binary_rows.problem, random_state=1)
    assert grid("linear", other) != grid("linear", binary_rows.problem)


def test_questions_that_depend_on_answers_are_followed(binary_rows: TrainingRows, monkeypatch: pytest.MonkeyPatch):
    def branching(family, trial, problem):
        kind = trial.suggest_categorical("kind", ["a", "b"])
        if kind == "a":
            return {"kind": kind, "depth": trial.suggest_int("depth", 1, 3)}
        return {"kind": kind, "rate": trial.suggest_float("rate", 0.01, 1.0, log=True)}

    monkeypatch.setattr(module, "suggest", branching)
    found = sorted(grid("any", binary_rows.problem), key=repr)
    assert [one.get("depth") for one in found[:3]] == [1, 2, 3]
    assert [one["rate"] for one in found[3:]] == pytest.approx([0.0215, 0.1, 0.464], rel=0.01)


def test_a_space_of_too_many_categories_is_drawn_from(binary_rows: TrainingRows, monkeypatch: pytest.MonkeyPatch):
    def wide(family, trial, problem):
        return {name: trial.suggest_categorical(name, list("abcdef")) for name in ("one", "two", "three")}

    monkeypatch.setattr(module, "suggest", wide)
    found = grid("any", binary_rows.problem)
    assert len(found) == MOST
    assert {one["one"] for one in found} == set("abcdef")
