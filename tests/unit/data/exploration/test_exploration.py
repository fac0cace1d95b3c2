"""What the training rows are like, over all of them, with the problems named (R8, R9)."""

import numpy as np
import pytest

from gristmill.data.contract.schema import coerce, infer
from gristmill.data.exploration import exploration
from gristmill.data.exploration.problems.finding import as_table
from gristmill.data.exploration.problems.looking import problems


def explored(frame, case):
    agreed = infer(frame, case)
    rows = coerce(frame, agreed)
    pairs = exploration.associations(rows, [one["name"] for one in agreed["columns"] if one["n_levels"] > 1])
    return {(one.column, one.finding): one for one in problems(rows, case, agreed, pairs)}


def said(found, column):
    return " ".join(text for name, text in found if name == column)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_most_telling_column_comes_first(customers, make_case, task):
    case = (
        make_case(id_columns=["customer"]) if task == "binary" else make_case(task=task, target="visits", id_columns=["customer"])
    )
    frame = customers.assign(copy=customers[case.target])
    found = exploration.telling(frame, case, infer(frame, case))
    assert found.index[0] == "copy"
    assert found["value"].iloc[0] > 0.95
    assert set(found.index) == set(frame.columns) - {case.target, "customer"}


def test_associations_are_one_of_what_is_the_same_and_near_none_of_noise(customers):
    frame = customers.assign(plan_code=customers["plan"].str[:2], spend_cents=customers["spend"] * -100)
    pairs = exploration.associations(frame, ["plan", "plan_code", "spend", "spend_cents", "visits", "since"])
    assert pairs.loc["plan", "plan_code"] == pytest.approx(1.0, abs=0.02)
    assert pairs.loc["spend", "spend_cents"] == pytest.approx(1.0)
    assert pairs.loc["plan", "visits"] < 0.25
    assert (pairs == pairs.T).all(axis=None)


def test_a_level_that_sets_a_number_goes_with_it(customers):
    frame = customers.assign(price=customers["plan"].map({"basic": 1.0, "plus": 2.0, "pro": 9.0}))
    assert exploration.associations(frame, ["plan", "price"]).loc["plan", "price"] == pytest.approx(1.0)


def test_a_clean_table_has_no_findings(customers, make_case):
    assert explored(customers.drop(columns="customer").fillna({"spend": 50.0}), make_case()) == {}


def test_problems_of_columns_are_found(customers, make_case):
    frame = customers.assign(
        none=None, gaps=customers["visits"].where(customers.index % 3 == 0), same=1, tail=np.exp(np.linspace(0, 30, 200)),
        zeros=np.where(customers.index % 4, 0, customers.index), twin=customers["plan"].str.upper(),
    )  # fmt: skip
    found = explored(frame, make_case(id_columns=["customer"]))
    assert "Missing in every training row" in said(found, "none")
    assert "Missing in 66%" in said(found, "gaps")
    assert "one value" in said(found, "same")
    assert "skewed" in said(found, "tail")
    assert "zero in 76%" in said(found, "zeros")
    assert "same as 'plan'" in said(found, "twin")
    assert "Missing in 10%" in said(found, "spend")


def test_gaps_that_go_with_the_target_are_found(customers, make_case):
    frame = customers.assign(called=np.where(customers["y"] == "yes", 1.0, np.nan), spend=50.0)
    assert "go with the target" in said(explored(frame, make_case(id_columns=["customer"])), "called")


def test_a_rare_class_and_a_skewed_target_are_found(customers, make_case):
    rare = customers.assign(y=["yes"] * 8 + ["no"] * 192)
    assert "'yes' is rare: 4.0%" in said(explored(rare, make_case(id_columns=["customer"])), "y")
    skewed = customers.assign(y=np.exp(np.linspace(0, 30, 200)))
    assert "very skewed" in said(explored(skewed, make_case(task="regression", id_columns=["customer"])), "y")


def test_the_most_severe_finding_comes_first(customers, make_case):
    found = list(explored(customers.assign(none=None), make_case(id_columns=["customer"])).values())
    assert [one.severity for one in found] == sorted((one.severity for one in found), key=["high", "medium", "low"].index)
    assert as_table(found)["severity"].iloc[0] == "high"
    assert as_table([]).empty
