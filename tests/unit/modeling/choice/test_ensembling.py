"""Weights found out of fold, and judged on folds they were not found on."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression

from gristmill.metrics.scores import score
from gristmill.modeling.choice.ensembling import (
    WeightedClassifier,
    WeightedRegressor,
    blend,
    blends,
    cross_combined,
    greedy_weights,
    other_folds,
    scores_of,
)

Y = np.arange(40) % 2
FOLDS = [(np.flatnonzero(np.arange(40) % 4 != fold), np.flatnonzero(np.arange(40) % 4 == fold)) for fold in range(4)]


def proba(positive: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - positive, positive])


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


@pytest.mark.parametrize(
    ("metric", "n_classes"), [("roc_auc", 2), ("log_loss", 2), ("log_loss", 3), ("roc_auc", 3), ("rmse", 0), ("f1", 2), ("mae", 0)]
)
def test_several_predictions_are_scored_at_once_as_one_by_one(metric: str, n_classes: int):
    random = np.random.default_rng(0)
    y = random.integers(0, n_classes, 60) if n_classes else random.normal(size=60)
    answers = random.dirichlet(np.ones(n_classes), (4, 60)).round(2) if n_classes else random.normal(size=(4, 60))
    answers = answers / answers.sum(axis=2, keepdims=True) if n_classes else answers
    assert scores_of(metric, y, answers) == pytest.approx([score(metric, y, one) for one in answers])


def test_a_fold_without_both_classes_has_no_area():
    assert np.isnan(scores_of("roc_auc", np.zeros(5, dtype=int), np.full((2, 5, 2), 0.5))).all()


def test_the_weights_that_predict_a_fold_have_not_seen_its_rows():
    random = np.random.default_rng(0)
    oof = {name: proba(random.random(40)) for name in "abc"}
    flipped = Y.copy()
    flipped[FOLDS[0][1]] = 1 - flipped[FOLDS[0][1]]

    def first_fold(y: np.ndarray) -> np.ndarray:
        found = [greedy_weights("brier", y, oof, folds) for folds in other_folds(FOLDS)]
        return cross_combined([lambda answers, w=w: blend(answers, w) for w in found], oof, FOLDS)[FOLDS[0][1]]

    assert np.array_equal(first_fold(Y), first_fold(flipped))


def test_weights_of_pure_noise_look_better_than_they_are_unless_judged_elsewhere():
    rows, seen, honest = np.arange(120), [], []
    folds = [(rows, rows[fold::3]) for fold in range(3)]
    for seed in range(8):
        random = np.random.default_rng(seed)
        y, oof = random.normal(size=120), {f"noise {number}": random.normal(size=120) for number in range(12)}
        found = [greedy_weights("rmse", y, oof, others) for others in other_folds(folds)]
        seen.append(score("rmse", y, blend(oof, greedy_weights("rmse", y, oof, folds))))
        honest.append(score("rmse", y, cross_combined([lambda answers, w=w: blend(answers, w) for w in found], oof, folds)))
    assert np.mean(seen) < np.mean(honest) - 0.02
    assert sum(a < b for a, b in zip(seen, honest, strict=True)) >= 7


def test_smaller_blends_hold_the_weightiest_members():
    random = np.random.default_rng(1)
    oof = {f"m{number}": proba(np.clip(Y + random.normal(0, 0.7, 40), 0.01, 0.99)) for number in range(7)}
    found = blends("log_loss", Y, oof, FOLDS)
    assert set(found) == {2, 3, 5, 7}
    assert all(len(weights) <= size for size, weights in found.items())
    heaviest = sorted(found[7], key=found[7].__getitem__, reverse=True)[:2]
    assert set(found[2]) <= set(heaviest)


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
