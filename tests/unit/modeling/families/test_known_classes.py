"""Probabilities have a column for every class of the case, whichever a fold holds."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import estimator_checks_generator

from gristmill.modeling.families.known_classes import KnownClasses
from gristmill.modeling.families.lightgbm_trees import LightGBMTreesClassifier

X = np.array([[0.0], [1.0], [2.0], [3.0]])


def test_with_all_classes_it_answers_what_the_classifier_answers():
    plain = LogisticRegression().fit(X, [0, 0, 1, 1])
    assert np.array_equal(KnownClasses(LogisticRegression(), 2).fit(X, [0, 0, 1, 1]).predict_proba(X), plain.predict_proba(X))


def test_an_absent_class_gets_its_share_of_a_count_of_zero():
    proba = KnownClasses(LogisticRegression(), 3).fit(X, [0, 0, 2, 2]).predict_proba(X)
    assert proba.shape == (4, 3)
    assert proba[:, 1] == pytest.approx(1 / 7)
    assert proba.sum(axis=1) == pytest.approx(1)


def test_rows_of_one_class_give_a_constant_answer():
    model = KnownClasses(LogisticRegression(), 2).fit(X, [1, 1, 1, 1])
    assert model.predict_proba(X) == pytest.approx(np.tile([1 / 6, 5 / 6], (4, 1)))
    assert model.predict(X).tolist() == [1, 1, 1, 1]


def test_the_code_of_the_most_probable_class_is_predicted():
    assert KnownClasses(LogisticRegression(C=1e6), 3).fit(X, [0, 0, 2, 2]).predict(X).tolist() == [0, 0, 2, 2]


def test_it_keeps_scikit_learns_rules_about_parameters():
    about = ("parameters", "get_params", "set_params", "clone", "mutable", "init")
    for estimator, check in estimator_checks_generator(KnownClasses(DummyClassifier(), 2)):
        if any(word in str(check) for word in about):
            check(estimator)


def watching(n_classes: int = 3) -> KnownClasses:
    return KnownClasses(LightGBMTreesClassifier(rounds=7, min_samples_leaf=2, learning_rate=0.3), n_classes)


def test_only_what_can_watch_itself_is_watched():
    assert not hasattr(KnownClasses(LogisticRegression(), 2), "fit_watched")
    assert not hasattr(KnownClasses(LogisticRegression(), 2), "truncated")
    assert not hasattr(KnownClasses(LogisticRegression(), 2), "stages_param")
    assert watching().stages_param == "rounds"


@pytest.mark.parametrize("valid", [[0, 1, 2, 1, 0, 2], [1, 1, 1, 1, 1, 1], [0, 0, 2, 2, 0, 2]])
def test_the_curve_counts_validation_rows_of_a_class_that_was_never_learnt(valid: list[int]):
    rows = np.tile(np.arange(6.0).reshape(-1, 1), (5, 1))
    model = watching().fit_watched(rows, np.tile([0, 0, 0, 2, 2, 2], 5), rows[:6], valid)
    for stages in (1, 3, 7):
        proba = model.truncated(stages).predict_proba(rows[:6])
        assert model.curve_[stages - 1] == pytest.approx(log_loss(valid, proba, labels=[0, 1, 2]))


def test_stages_of_a_single_class_are_all_alike():
    model = watching(2).fit_watched(X, [1, 1, 1, 1], X, [1, 0, 1, 1])
    assert model.curve_ == pytest.approx(np.full(7, log_loss([1, 0, 1, 1], np.tile([1 / 6, 5 / 6], (4, 1)))))
    assert np.array_equal(model.truncated(2).predict_proba(X), model.predict_proba(X))


def test_a_truncated_wrapper_leaves_the_whole_one_as_it_was():
    rows, y = np.tile(np.arange(6.0).reshape(-1, 1), (5, 1)), np.tile([0, 0, 0, 1, 2, 2], 5)
    model = watching().fit_watched(rows, y, rows, y)
    before = model.predict_proba(rows)
    assert not np.array_equal(model.truncated(1).predict_proba(rows), before)
    assert np.array_equal(model.predict_proba(rows), before)
    assert not hasattr(model.fit(rows, y), "curve_")
