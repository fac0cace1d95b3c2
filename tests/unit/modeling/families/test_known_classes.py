"""Probabilities have a column for every class of the case, whichever a fold holds."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import estimator_checks_generator

from gristmill.modeling.families.known_classes import KnownClasses

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
