"""Calibration is kept only where it helps out of fold."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from gristmill.metrics.scores import score
from gristmill.modeling.choice.calibration import Calibrated, ProbabilityCalibrator, calibrate, cross_calibrated

N = 2000


def proba(positive: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - positive, positive])


@pytest.fixture
def true_share() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.02, 0.98, N)


@pytest.fixture
def outcomes(true_share: np.ndarray) -> np.ndarray:
    return (np.random.default_rng(1).random(N) < true_share).astype(int)


FOLDS = [(np.flatnonzero(np.arange(N) % 5 != fold), np.flatnonzero(np.arange(N) % 5 == fold)) for fold in range(5)]


def test_overconfident_probabilities_are_drawn_back(true_share, outcomes):
    done = calibrate("roc_auc", outcomes, proba(expit(3 * logit(true_share))), FOLDS)
    assert done.method in ("sigmoid", "isotonic")
    assert done.log_loss_after < done.log_loss_before - 0.1
    assert done.calibrator.transform(proba(expit(3 * logit(np.array([0.2, 0.5, 0.8])))))[:, 1] == pytest.approx(
        [0.2, 0.5, 0.8], abs=0.06
    )


def test_probabilities_that_are_right_are_left_alone(true_share, outcomes):
    done = calibrate("roc_auc", outcomes, proba(true_share), FOLDS)
    assert (done.method, done.calibrator) == ("none", None)
    assert done.log_loss_after == done.log_loss_before


def test_a_row_is_calibrated_by_a_curve_that_has_not_seen_it(true_share, outcomes):
    oof = proba(expit(3 * logit(true_share)))
    flipped = outcomes.copy()
    flipped[FOLDS[0][1]] = 1 - flipped[FOLDS[0][1]]
    first = cross_calibrated("sigmoid", outcomes, oof, FOLDS)[FOLDS[0][1]]
    assert np.array_equal(first, cross_calibrated("sigmoid", flipped, oof, FOLDS)[FOLDS[0][1]])


def test_a_curve_that_helps_only_the_rows_it_was_fitted_on_is_not_kept(true_share, outcomes):
    oof = proba(true_share)
    seen = ProbabilityCalibrator("isotonic").fit(oof, outcomes).transform(oof)
    assert score("log_loss", outcomes, seen) < score("log_loss", outcomes, oof) - 0.003
    assert calibrate("log_loss", outcomes, oof, FOLDS).method == "none"


def test_what_is_reported_after_calibration_was_measured_on_other_rows_than_fitted(true_share, outcomes):
    sharp = proba(expit(3 * logit(true_share)))
    done = calibrate("log_loss", outcomes, sharp, FOLDS)
    assert done.log_loss_after == score("log_loss", outcomes, cross_calibrated(done.method, outcomes, sharp, FOLDS))
    assert done.log_loss_after > score("log_loss", outcomes, done.calibrator.transform(sharp))


def test_three_classes_are_calibrated_and_sum_to_one():
    random = np.random.default_rng(0)
    truth = random.dirichlet([1, 1, 1], N)
    y = np.array([random.choice(3, p=row) for row in truth])
    sharp = truth**3 / (truth**3).sum(axis=1, keepdims=True)
    done = calibrate("log_loss", y, sharp, FOLDS)
    assert done.method != "none"
    assert done.oof.sum(axis=1) == pytest.approx(1)
    assert score("log_loss", y, done.oof) < score("log_loss", y, sharp) - 0.1


def test_too_few_rows_of_a_class_are_not_calibrated(true_share):
    y = np.zeros(N, dtype=int)
    y[:15] = 1
    assert calibrate("log_loss", y, proba(true_share), FOLDS).method == "none"


def test_certainty_is_never_claimed(outcomes):
    certain = proba(outcomes.astype(float))
    for method in ("sigmoid", "isotonic"):
        calibrated = ProbabilityCalibrator(method).fit(certain, outcomes).transform(certain)
        assert 0 < calibrated.min() < calibrated.max() < 1


def test_refitting_leaves_the_calibrator_as_it_is(true_share, outcomes):
    calibrator = ProbabilityCalibrator("sigmoid").fit(proba(true_share), outcomes)
    model = Calibrated(DummyClassifier(), calibrator).fit(true_share.reshape(-1, 1), outcomes)
    prior = outcomes.mean()
    assert model.predict_proba([[0.1]]) == pytest.approx(calibrator.transform(proba(np.array([prior]))))
    assert model.predict([[0.1]]).tolist() == [int(prior > 0.5)]


def test_a_clone_keeps_the_fitted_curves(true_share, outcomes):
    calibrator = ProbabilityCalibrator("isotonic").fit(proba(true_share), outcomes)
    model = Pipeline([("model", Calibrated(DummyClassifier(), calibrator))])
    rows = true_share.reshape(-1, 1)
    assert clone(model).fit(rows, outcomes).predict_proba(rows) == pytest.approx(model.fit(rows, outcomes).predict_proba(rows))
