import numpy as np
import pytest

from gristmill.metrics.scores import all_scores
from gristmill.metrics.weighted import weighted_scores


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("threshold", [None, 0.3])
def test_weights_of_one_give_the_plain_scores(make_predictions, n_classes, threshold):
    y_true, y_proba = make_predictions(300, n_classes)
    expected = all_scores("multiclass", y_true, y_proba, threshold=threshold)
    found = weighted_scores(y_true, y_proba, tuple(expected), threshold=threshold)(np.ones((1, 300)))
    assert {name: value[0] for name, value in found.items()} == pytest.approx(expected, abs=1e-12)


def test_weights_of_one_give_the_plain_scores_of_numbers():
    rng = np.random.default_rng(0)
    y_true = rng.normal(1e6, 1e3, 200)
    y_pred = y_true + rng.normal(0, 300, 200)
    expected = all_scores("regression", y_true, y_pred, n_features=7)
    found = weighted_scores(y_true, y_pred, tuple(expected), n_features=7)(np.ones((1, 200)))
    assert {name: value[0] for name, value in found.items()} == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_whole_weights_are_the_same_as_repeated_rows(make_predictions, n_classes):
    y_true, y_proba = make_predictions(120, n_classes)
    weights = np.random.default_rng(1).integers(1, 4, 120)
    rows = np.repeat(np.arange(120), weights)
    expected = all_scores("multiclass", y_true[rows], y_proba[rows])
    found = weighted_scores(y_true, y_proba, tuple(expected))(weights[None, :].astype(float))
    assert {name: value[0] for name, value in found.items()} == pytest.approx(expected, abs=1e-12)


def test_whole_weights_are_repeated_rows_for_numbers_too():
    rng = np.random.default_rng(2)
    y_true, y_pred = rng.normal(size=(2, 50))
    weights = rng.integers(0, 4, 50)
    rows = np.repeat(np.arange(50), weights)
    expected = all_scores("regression", y_true[rows], y_pred[rows])
    found = weighted_scores(y_true, y_pred, tuple(expected))(weights[None, :].astype(float))
    assert found["r2"][0] == pytest.approx(expected["r2"], abs=1e-12)
    assert found["mape"][0] == pytest.approx(expected["mape"], rel=1e-12)


def test_a_constant_target_has_the_r2_of_scikit_learn():
    y_true = np.ones(4)
    for y_pred in (np.ones(4), np.zeros(4)):
        expected = all_scores("regression", y_true, y_pred)["r2"]
        assert weighted_scores(y_true, y_pred, ("r2",))(np.ones((1, 4)))["r2"][0] == expected


def test_ranks_are_undefined_without_every_class(make_predictions):
    _, y_proba = make_predictions(10, 2)
    found = weighted_scores(np.zeros(10, dtype=int), y_proba, ("roc_auc", "brier"))(np.ones((2, 10)))
    assert np.isnan(found["roc_auc"]).all()
    assert np.isfinite(found["brier"]).all()


def test_metrics_of_classes_and_numbers_cannot_be_mixed(make_predictions):
    with pytest.raises(KeyError, match="rmse"):
        weighted_scores(*make_predictions(10, 2), ("accuracy", "rmse"))
