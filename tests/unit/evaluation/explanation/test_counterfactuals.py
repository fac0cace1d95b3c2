"""The smallest changes that lead to another decision, on models whose answer can be worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from gristmill.evaluation.explanation.counterfactuals import Counterfactual, Goal, Movable, counterfactuals
from gristmill.evaluation.explanation.movable import movable_columns

AGE = Movable("age", low=0, high=80, spread=20, whole=True)
PAY = Movable("pay", low=0, high=100, spread=10)
PLAN = Movable("plan", levels=("a", "b", "c"))
ROW = pd.DataFrame({"age": [40], "pay": [20.0], "plan": ["a"], "sex": ["f"]})
ABOVE_HALF = Goal(lambda values: values[:, 1] >= 0.5, lambda values: values[:, 1])


def two(score: pd.Series) -> np.ndarray:
    return np.column_stack([1 - score, score])


def test_of_a_number_the_smallest_move_over_the_threshold_is_found_between_the_values_first_tried():
    (found,) = counterfactuals(lambda rows: two(rows["pay"] / 100), ROW, [AGE, PAY], ABOVE_HALF)
    before, after = found.changes["pay"]
    assert before == 20
    assert 50 <= after <= 50 + 2 * 80 / 15 / 24 + 1.5
    assert found.size == pytest.approx((after - 20) / 10)
    assert found.value[1] >= 0.5


def test_fewer_columns_come_before_more_and_small_moves_before_large_ones():
    def predict(rows: pd.DataFrame) -> np.ndarray:
        return two(((rows["plan"] == "c") | (rows["pay"] > 90) | (rows["age"] < 1)).astype(float))

    found = counterfactuals(predict, ROW, [PAY, AGE, PLAN], ABOVE_HALF)
    assert [set(one.changes) for one in found] == [{"plan"}, {"age"}, {"pay"}]
    assert found[0].changes["plan"] == ("a", "c")
    assert [one.size for one in found] == sorted(one.size for one in found)


def test_columns_that_do_only_together_are_found_together_and_no_larger_set_that_holds_them():
    def predict(rows: pd.DataFrame) -> np.ndarray:
        return two(0.3 * (rows["plan"] == "b") + 0.3 * (rows["age"] >= 60))

    (found,) = counterfactuals(predict, ROW, [PAY, AGE, PLAN], ABOVE_HALF)
    assert found.changes["plan"] == ("a", "b")
    assert found.changes["age"][1] >= 60
    assert set(found.changes) == {"plan", "age"}


def test_three_columns_together_are_the_last_resort_and_are_not_sought_where_two_are_asked_for():
    def predict(rows: pd.DataFrame) -> np.ndarray:
        return two(0.2 * (rows["plan"] == "b") + 0.2 * (rows["age"] >= 60) + 0.2 * (rows["pay"] >= 60))

    (found,) = counterfactuals(predict, ROW, [PAY, AGE, PLAN], ABOVE_HALF)
    assert set(found.changes) == {"plan", "age", "pay"}
    assert counterfactuals(predict, ROW, [PAY, AGE, PLAN], ABOVE_HALF, at_once=2) == []


def test_what_may_not_change_is_left_alone_even_where_it_alone_decides():
    rows = pd.DataFrame(
        {"age": range(60), "sex": ["f", "m"] * 30, "plan": ["a", "b", "c"] * 20, "name": [f"n{n}" for n in range(60)]}
    )
    facts = [("age", "feature", "numeric", "int64"), ("sex", "sensitive", "categorical", "object"),
             ("plan", "feature", "categorical", "object"), ("name", "feature", "text", "object")]  # fmt: skip
    contract = {"columns": [dict(zip(("name", "role", "kind", "dtype"), one, strict=True)) for one in facts]}
    assert [column.name for column in movable_columns(rows, contract, fixed={"age"})] == ["plan"]
    age, plan = movable_columns(rows, contract)
    assert (age.low, age.high, age.spread, age.whole) == (0, 59, 29.5, True)
    assert set(plan.levels) == {"a", "b", "c"}


def test_numbers_have_goals_as_well_and_a_missing_value_may_become_known():
    row = ROW.assign(pay=np.nan)
    goal = Goal(lambda values: values >= 30, lambda values: values)
    (found, *_) = counterfactuals(lambda rows: rows["pay"].fillna(0).to_numpy() / 2, row, [PAY], goal)
    assert isinstance(found, Counterfactual)
    assert found.changes["pay"][1] >= 60
    assert float(found.value) >= 30
    assert found.size == 1


def test_where_nothing_leads_there_nothing_is_claimed():
    assert counterfactuals(lambda rows: two(0 * rows["pay"]), ROW, [PAY, AGE, PLAN], ABOVE_HALF) == []
    assert counterfactuals(lambda rows: two(0 * rows["pay"]), ROW, [], ABOVE_HALF) == []
