"""Rows unlike those that a model learnt from: told, refused or let be, at little cost (R38)."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.models import customers, save_model

from gristmill.config.sections.operation import Serving
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.serving.guards.guard import CODES, MOSTLY_MISSING, OUT_OF_RANGE, UNSEEN_LEVEL, Guard
from gristmill.serving.problems import ProblemError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> FittedModel:
    directory = tmp_path_factory.mktemp("models") / "model"
    save_model(directory)
    return FittedModel.load(directory)


def guard_of(model: FittedModel, **settings: Any) -> Guard:
    return Guard.from_model(model, Serving(**settings))


def usual() -> dict[str, object]:
    return {"customer": "0001", "tenure": 12, "charge": 70.0, "plan": "01"}


def codes(guard: Guard, **changes: object) -> list[str]:
    return [one.short for one in guard.check([{**usual(), **changes}])[0]]


def test_rows_the_model_was_built_on_are_not_warned_of(model: FittedModel):
    frame = customers().astype(object)
    rows = frame.where(frame.notna(), None).to_dict("records")
    assert guard_of(model).check(rows) == [[] for _ in rows]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"tenure": -1}, ["out_of_range:tenure"]),
        ({"tenure": 1e9}, ["out_of_range:tenure"]),
        ({"tenure": "9000"}, ["out_of_range:tenure"]),
        ({"tenure": "12"}, []),
        ({"tenure": "twelve"}, []),
        ({"tenure": True}, []),
        ({"tenure": [1]}, []),
        ({"charge": None}, []),
        ({"plan": "99"}, ["unseen_level:plan"]),
        ({"plan": ""}, []),
        ({"plan": 10}, []),
        ({"plan": 10.0}, []),
        ({"plan": 11}, ["unseen_level:plan"]),
        ({"plan": ["01"]}, []),
        ({"plan": None}, []),
        ({"plan": None, "charge": None}, ["mostly_missing"]),
        ({"tenure": -5, "plan": "x"}, ["out_of_range:tenure", "unseen_level:plan"]),
        ({"customer": "never seen"}, []),
    ],
)
def test_a_row_is_warned_of_what_is_unlike(model: FittedModel, changes: dict[str, object], expected: list[str]):
    assert codes(guard_of(model), **changes) == expected


def test_the_ends_of_a_range_are_within_and_a_margin_widens_it(model: FittedModel):
    (low, high) = next((low, high) for name, low, high in guard_of(model).ranges if name == "tenure")
    assert codes(guard_of(model), tenure=low) == codes(guard_of(model), tenure=high) == []
    beyond = high + 0.05 * (high - low)
    assert codes(guard_of(model), tenure=beyond) == ["out_of_range:tenure"]
    assert codes(guard_of(model, range_margin=0.1), tenure=beyond) == []


def test_a_level_that_the_training_rows_lacked_is_unseen_though_the_contract_has_it(model: FittedModel):
    train = customers()
    train = train[train["plan"] != "10"]
    reference = drift_reference(train, dict(model.contract), model.feature_columns, train[["spend", "tenure"]].to_numpy(float), 10)
    assert codes(guard_of(model), plan="10") == []
    assert codes(guard_of(replace(model, drift_reference=reference)), plan="10") == ["unseen_level:plan"]


def test_a_column_whose_levels_are_not_all_known_is_not_judged(model: FittedModel):
    columns = [{**column, "levels": None} for column in model.contract["columns"]]
    assert codes(guard_of(replace(model, contract={**model.contract, "columns": columns})), plan="99") == []


def test_a_column_that_is_mostly_missing_anyway_does_not_count(model: FittedModel):
    reference = {"columns": {"charge": {"missing_share": 0.9}}}
    seldom = guard_of(replace(model, drift_reference=reference))
    assert "charge" not in seldom.usual
    assert codes(seldom, plan=None, charge=None) == []
    assert codes(guard_of(model, most_missing=0.9), plan=None, charge=None) == []


def test_ignored_rows_have_no_warnings(model: FittedModel):
    assert guard_of(model, out_of_range="ignore").check([{"tenure": -1}, {}]) == [[], []]


def test_rows_are_refused_where_the_case_says_so_and_named(model: FittedModel):
    rows = [usual(), {**usual(), "tenure": -1}, {**usual(), "plan": "4929-secret"}]
    for policy in ("warn", "ignore"):
        lenient = guard_of(model, out_of_range=policy)
        lenient.require(lenient.check(rows))
    strict = guard_of(model, out_of_range="refuse")
    strict.require(strict.check(rows[:1]))
    with pytest.raises(ProblemError) as caught:
        strict.require(strict.check(rows))
    assert caught.value.status == 422
    assert [(error["row"], error["column"], error["code"]) for error in caught.value.more["errors"]] == [
        (1, "tenure", OUT_OF_RANGE), (2, "plan", UNSEEN_LEVEL),
    ]  # fmt: skip
    assert b"secret" not in bytes(caught.value.response().body)


def test_a_refusal_of_many_rows_stays_small(model: FittedModel):
    strict = guard_of(model, out_of_range="refuse")
    with pytest.raises(ProblemError) as caught:
        strict.require(strict.check([{"tenure": -1}] * 10_000))
    assert len(caught.value.more["errors"]) <= 20 * len(CODES)
    assert MOSTLY_MISSING in {error["code"] for error in caught.value.more["errors"]}


def test_a_row_of_twenty_columns_takes_less_than_twenty_microseconds_of_an_idle_core():
    ranges = tuple((f"n{number}", 0.0, 1.0) for number in range(10))
    levels = tuple((f"c{number}", frozenset({"a", "b"})) for number in range(10))
    row = {**{name: 0.5 for name, _, _ in ranges}, **{name: "a" for name, _ in levels}}
    guard = Guard("warn", ranges, levels, tuple(row), 10.0)
    rows = [row] * 1_000
    times = []
    for _ in range(20):
        begin = time.process_time()
        assert not any(guard.check(rows))
        times.append((time.process_time() - begin) / len(rows) * 1e6)
    assert min(times) < 20


def test_the_path_of_a_model_of_an_earlier_build_is_open(tmp_path: Path):
    save_model(tmp_path / "model", "regression")
    model = FittedModel.load(tmp_path / "model")
    assert guard_of(replace(model, drift_reference=None)).check([usual()]) == [[]]
