"""A search hands on other good configurations than the best: strong ones that differ from it."""

import numpy as np
import pytest
from tests.unit.modeling.conftest import make_case

from gristmill.modeling.search import runners_up
from gristmill.modeling.search.runners_up import RunnersUp, kind
from gristmill.modeling.search.trial import Search, Trial
from gristmill.modeling.search.tuning import train_family
from gristmill.modeling.training_rows import TrainingRows

Y = np.random.default_rng(0).normal(size=100)
FOLDS = [(np.flatnonzero(np.arange(100) % 4 != fold), np.flatnonzero(np.arange(100) % 4 == fold)) for fold in range(4)]


def offered(held: RunnersUp, number: int, oof: np.ndarray, **params: object) -> Trial:
    """Offer a trial whose score is the error of its predictions."""
    scores = [float(np.sqrt(np.mean((oof[valid] - Y[valid]) ** 2))) for _, valid in FOLDS]
    trial = Trial(number, params, scores, float(np.mean(scores)), 0.3, 1.0, "finished", "default")
    held.offer(trial, oof)
    return trial


def errors(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=100)


def test_a_weaker_trial_that_errs_differently_comes_before_a_near_copy_of_the_best():
    held = RunnersUp("rmse")
    best = offered(held, 0, Y + 0.5 * errors(1))
    offered(held, 1, Y + 0.51 * errors(1))
    offered(held, 2, Y + 0.6 * errors(2))
    assert held.chosen(best, Y, FOLDS)[0].trial.number == 2


def test_trials_that_answer_the_same_or_lie_far_behind_are_left_out():
    held = RunnersUp("rmse")
    best = offered(held, 0, Y + 0.5 * errors(1))
    offered(held, 1, Y + 0.5 * errors(1))
    offered(held, 2, Y + 5 * errors(2))
    assert held.chosen(best, Y, FOLDS) == []


def test_no_more_are_held_than_memory_allows_and_the_best_of_each_kind_stay():
    held = RunnersUp("rmse")
    many = [offered(held, number, Y + 0.2 * errors(number), library="a", rounds=number) for number in range(20)]
    odd = offered(held, 20, Y + 0.9 * errors(20), library="b", rounds=3)
    assert len(held.held) == runners_up.MOST_HELD
    assert odd in [one.trial for one in held.held]
    assert [one.trial for one in held.held[:-1]] == sorted(many, key=lambda trial: trial.score)[: runners_up.MOST_HELD - 1]


def test_few_predictions_of_a_large_table_are_held(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runners_up, "MOST_HELD_BYTES", 3 * Y.nbytes)
    held = RunnersUp("rmse")
    for number in range(6):
        offered(held, number, Y + 0.1 * errors(number))
    assert len(held.held) == 3


def test_a_kind_is_what_a_configuration_says_in_words():
    assert kind({"numeric": "spline", "penalty": 0.1, "l1_ratio": 0.0}) == kind(
        {"numeric": "spline", "penalty": 9.0, "l1_ratio": 0.5}
    )
    assert kind({"numeric": "spline"}) != kind({"numeric": "standard"})


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_what_a_search_stores_of_runners_up_is_read_back(task: str, request: pytest.FixtureRequest):
    rows: TrainingRows = request.getfixturevalue(f"{task}_rows")
    found = train_family("linear", rows, make_case(task, training={"trials": 6, "families": ["linear"]}))
    product = found.as_product(None)
    assert 1 <= len(product["runners_up"]) <= runners_up.MOST_RUNNERS_UP
    numbers = [one["number"] for one in product["runners_up"]]
    assert found.best.number not in numbers
    assert len(set(numbers)) == len(numbers)
    table = rows.table(found.oof, found.others)
    assert np.array_equal(rows.array(table), found.oof, equal_nan=True)
    for number, runner in zip(numbers, product["runners_up"], strict=True):
        assert np.array_equal(rows.array(table, number), found.others[number], equal_nan=True)
        assert runner["params"] == found.trials[number].params
        assert runner["row_ms"] > 0


def test_a_family_without_a_model_has_none():
    assert Search("linear", enabled=False).as_product(None)["runners_up"] == []
    assert RunnersUp("rmse").chosen(Trial(0, {}, [], None, 0, 0, "failed", "default"), Y, FOLDS) == []
