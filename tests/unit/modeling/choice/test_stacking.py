"""A stack recovers what combines its members best, and never reads one backwards."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from gristmill.metrics.scores import score
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes
from gristmill.modeling.choice.stacking import MetaModel, StackedClassifier, StackedRegressor, fit_meta

N = 2000


def proba(positive: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - positive, positive])


def two_views(seed: int = 0) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return classes whose log-odds are the sum of two views, and what each view alone says of them."""
    random = np.random.default_rng(seed)
    views = random.normal(size=(2, N)) * 2
    y = (random.random(N) < expit(views.sum(axis=0))).astype(int)
    return y, [proba(expit(view)) for view in views]


def test_two_views_of_the_log_odds_are_added_where_a_mean_would_halve_them():
    y, members = two_views()
    meta = MetaModel(2).fit(members, y)
    assert meta.weights_ == pytest.approx([1, 1], abs=0.15)
    fresh, seen_by = two_views(1)
    stacked, mean = meta.transform(seen_by), np.mean(seen_by, axis=0)
    assert score("log_loss", fresh, stacked) < score("log_loss", fresh, mean) - 0.03


def test_a_member_that_says_the_opposite_gets_no_weight():
    y, (one, other) = two_views()
    assert MetaModel(2).fit([one, other[:, ::-1]], y).weights_[1] == 0


def test_three_classes_share_one_weight_a_member_and_sum_to_one():
    random = np.random.default_rng(0)
    truth = random.dirichlet([1, 1, 1], N)
    y = np.array([random.choice(3, p=row) for row in truth])
    noise = random.dirichlet([1, 1, 1], N)
    meta = MetaModel(3).fit([truth, noise], y)
    assert meta.weights_ == pytest.approx([1, 0], abs=0.12)
    assert meta.transform([truth, noise]).sum(axis=1) == pytest.approx(1)


def test_numbers_get_the_weights_that_made_them():
    random = np.random.default_rng(0)
    members = list(random.normal(size=(3, N)) * 1000)
    y = 5000 + 0.7 * members[0] + 0.2 * members[2] + random.normal(size=N)
    meta = MetaModel(0).fit(members, y)
    assert meta.weights_ == pytest.approx([0.7, 0, 0.2], abs=0.01)
    assert score("rmse", y, meta.transform(members)) < 1.5 + 0.01 * 1000


def test_members_that_say_the_same_share_the_weight_evenly():
    y, (good, _) = two_views()
    first, second = MetaModel(2).fit([good, good], y).weights_
    assert first == pytest.approx(second, abs=1e-3)


def test_members_that_do_not_matter_are_left_out():
    random = np.random.default_rng(0)
    y = random.normal(size=N)
    answers = [y + random.normal(size=N) * 0.1, -y, random.normal(size=N)]
    names, meta = fit_meta(["good", "backwards", "noise"], answers, y, 0)
    assert "backwards" not in names
    assert "good" in names
    assert len(meta.weights_) == len(names)


def test_the_gradient_is_that_of_the_loss_so_that_the_minimum_is_one():
    y, members = two_views()
    best = MetaModel(2).fit(members, y)

    def loss(weights: np.ndarray) -> float:
        moved = MetaModel(2).fit(members, y)
        moved.weights_ = weights
        return score("log_loss", y, moved.transform(members))

    here = loss(best.weights_)
    assert all(loss(best.weights_ + step) >= here - 1e-5 for step in np.vstack([np.eye(2), -np.eye(2)]) * 0.05)


def stacked_classifier() -> tuple[StackedClassifier, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 2))
    y = (X[:, 0] + random.normal(size=200) > 0).astype(int)
    linear = LogisticRegression().fit(X, y).predict_proba(X)
    meta = MetaModel(2).fit([linear, np.full((200, 2), 0.5)], y)
    return StackedClassifier([("linear", LogisticRegression()), ("prior", DummyClassifier())], meta), X, y


def test_a_stack_refits_its_members_and_keeps_the_meta_model():
    unfitted, X, y = stacked_classifier()
    before = unfitted.meta.weights_.copy()
    model = clone(unfitted).fit(X, y)
    members = [LogisticRegression().fit(X, y).predict_proba(X), DummyClassifier().fit(X, y).predict_proba(X)]
    assert model.predict_proba(X) == pytest.approx(unfitted.meta.transform(members))
    assert model.predict(X).tolist() == np.argmax(model.predict_proba(X), axis=1).tolist()
    assert np.array_equal(model.meta.weights_, before)


def test_a_stored_stack_answers_as_before():
    unfitted, X, y = stacked_classifier()
    model = unfitted.fit(X, y)
    assert np.array_equal(load_pipeline_bytes(dump_pipeline(model)).predict_proba(X), model.predict_proba(X))


def test_a_stack_of_regressors_answers_numbers_and_can_be_stored():
    random = np.random.default_rng(0)
    X = random.normal(size=(100, 1))
    y = 3 * X[:, 0] + 1
    meta = MetaModel(0).fit([y, np.full(100, y.mean())], y)
    model = StackedRegressor([("line", LinearRegression()), ("mean", DummyRegressor())], meta).fit(X, y)
    assert model.predict(X) == pytest.approx(y, abs=0.1)
    assert np.array_equal(load_pipeline_bytes(dump_pipeline(model)).predict(X), model.predict(X))


def test_a_stack_needs_a_weight_for_every_member():
    unfitted, X, y = stacked_classifier()
    with pytest.raises(ValueError, match="one weight a member, got 2 for 1"):
        StackedClassifier(unfitted.estimators[:1], unfitted.meta).fit(X, y)


def test_certain_members_leave_finite_answers():
    y = np.array([0, 1] * 20)
    meta = MetaModel(2).fit([proba(y.astype(float))], y)
    assert np.isfinite(logit(meta.transform([proba(y.astype(float))])[:, 1])).all()
