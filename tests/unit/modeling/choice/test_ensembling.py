"""Weights found out of fold, and the choice between a blend and its members."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression

from gristmill.modeling.choice.ensembling import (
    Candidate,
    WeightedClassifier,
    WeightedRegressor,
    blend,
    blocks_of,
    candidate,
    choose,
    greedy_weights,
    lead,
)

Y = np.arange(40) % 2
FOLDS = [(np.flatnonzero(np.arange(40) % 4 != fold), np.flatnonzero(np.arange(40) % 4 == fold)) for fold in range(4)]


def proba(positive: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - positive, positive])


def make_candidate(name: str, scores: list[float], members: int = 1, row_ms: float = 1.0) -> Candidate:
    weights = {f"{name} {member}": 1 / members for member in range(members)}
    return Candidate(name, float(np.mean(scores)), float(np.std(scores)), scores, weights, row_ms, np.zeros(1))


def test_members_that_err_differently_are_blended():
    rows = np.arange(40)
    first = np.where(rows % 8 < 2, 0.5, np.where(Y == 1, 0.9, 0.1))
    second = np.where(rows % 8 >= 6, 0.5, np.where(Y == 1, 0.9, 0.1))
    oof = {"a": proba(first), "b": proba(second), "useless": proba(1.0 - Y)}
    folds = [(rows, rows[:20]), (rows, rows[20:])]
    weights = greedy_weights("brier", Y, oof, folds)
    assert set(weights) == {"a", "b"}
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["a"] == pytest.approx(0.5, abs=0.1)


def test_a_perfect_member_is_not_diluted():
    oof = {"noise": proba(np.random.default_rng(0).random(40)), "perfect": proba(Y.astype(float))}
    assert greedy_weights("log_loss", Y, oof, FOLDS) == {"perfect": 1.0}


def test_a_blend_is_the_weighted_mean():
    oof = {"a": np.array([0.0, 1.0]), "b": np.array([1.0, 2.0])}
    assert blend(oof, {"a": 0.25, "b": 0.75}).tolist() == [0.75, 1.75]


def test_a_clear_winner_is_chosen_though_it_is_slower():
    best = make_candidate("ensemble", [0.90, 0.91, 0.92, 0.93], members=3, row_ms=50)
    choice = choose("roc_auc", [best, make_candidate("linear", [0.80, 0.81, 0.82, 0.83])])
    assert choice.candidate is best
    assert "larger than noise." in choice.reason


def test_within_noise_the_simpler_candidate_is_chosen():
    best = make_candidate("ensemble", [0.90, 0.80, 0.92, 0.84], members=2)
    simple = make_candidate("linear", [0.86, 0.85, 0.86, 0.86])
    choice = choose("roc_auc", [best, simple])
    assert choice.candidate is simple
    assert "which is within the standard error of that difference over the folds" in choice.reason
    assert choice.reason[0].isupper()
    assert choice.reason.endswith("ms a row).")


def test_among_equally_simple_ones_the_faster_family_is_chosen_whatever_the_stopwatch_says():
    scores = [0.8, 0.9]
    forest, linear = (
        Candidate(name, 0.85, 0.05, scores, {name: 1.0}, row_ms, np.zeros(1))
        for name, row_ms in (("forest", 2.0), ("linear", 20.0))
    )
    assert choose("roc_auc", [forest, linear]).candidate is linear


def test_a_lower_error_leads():
    ahead, error = lead("rmse", make_candidate("a", [1.0, 2.0]), make_candidate("b", [1.5, 2.5]))
    assert (ahead, error) == (0.5, 0.0)


def test_a_single_validation_set_is_cut_into_parts():
    blocks = blocks_of([(np.arange(10), np.arange(10, 33))])
    assert len(blocks) == 5
    assert sorted(np.concatenate([valid for _, valid in blocks])) == list(range(10, 33))


def test_folds_that_cannot_say_are_left_out_of_the_score():
    y = np.array([0, 0, 0, 1, 0, 1])
    folds = [(np.arange(6), np.array([0, 1])), (np.arange(6), np.array([2, 3])), (np.arange(6), np.array([4, 5]))]
    one = candidate("a", "roc_auc", y, proba(np.array([0.5, 0.5, 0.1, 0.9, 0.1, 0.9])), folds, {"a": 1.0}, 1.0)
    assert np.isnan(one.fold_scores[0])
    assert one.score == 1.0


def test_an_ensemble_answers_the_weighted_mean_of_its_members():
    X, y = np.arange(8.0).reshape(-1, 1), np.array([0, 1] * 4)
    members = [("prior", DummyClassifier()), ("linear", LogisticRegression())]
    model = WeightedClassifier(members, [0.25, 0.75]).fit(X, y)
    by_hand = 0.25 * DummyClassifier().fit(X, y).predict_proba(X) + 0.75 * LogisticRegression().fit(X, y).predict_proba(X)
    assert model.predict_proba(X) == pytest.approx(by_hand)
    assert model.predict(X).tolist() == np.argmax(by_hand, axis=1).tolist()


def test_an_ensemble_of_regressors_averages_numbers():
    members = [("low", DummyRegressor(strategy="constant", constant=0)), ("high", DummyRegressor(strategy="constant", constant=8))]
    assert WeightedRegressor(members, [0.75, 0.25]).fit([[0], [1]], [1, 2]).predict([[5]]).tolist() == [2.0]


def test_an_ensemble_needs_a_weight_for_every_member():
    with pytest.raises(ValueError, match="one weight a member, got 2 for 1"):
        WeightedClassifier([("a", DummyClassifier())], [0.5, 0.5]).fit([[0], [1]], [0, 1])
