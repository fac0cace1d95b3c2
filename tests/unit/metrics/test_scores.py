import numpy as np
import pytest
from sklearn import metrics as sk

from gristmill.config.metric_names import CLASSIFICATION_METRICS, REGRESSION_METRICS
from gristmill.metrics import scores

Y = np.array([0, 1, 1, 0])
PROBA = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])


def test_every_named_metric_can_be_computed(make_predictions):
    y_true, y_proba = make_predictions(60, 2)
    assert set(scores.all_scores("binary", y_true, y_proba)) == set(CLASSIFICATION_METRICS)
    numbers = scores.all_scores("regression", y_true.astype(float), y_proba[:, 1], n_features=3)
    assert set(numbers) == set(REGRESSION_METRICS)
    assert all(np.isfinite(value) for value in numbers.values())


def test_a_threshold_makes_the_decision_including_its_own_value():
    assert scores.decide(PROBA, 0.6).tolist() == [0, 1, 0, 1]
    assert scores.decide(PROBA, 0.61).tolist() == [0, 0, 0, 1]


def test_without_a_threshold_the_most_probable_class_is_decided():
    assert scores.decide(np.array([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])).tolist() == [1, 0]


def test_a_threshold_means_nothing_for_three_classes():
    assert scores.decide(np.array([[0.2, 0.5, 0.3]]), 0.9).tolist() == [1]


def test_binary_metrics_are_those_of_the_positive_class():
    y_pred = scores.decide(PROBA, 0.5)
    assert scores.score("precision", Y, PROBA, threshold=0.5) == sk.precision_score(Y, y_pred)
    assert scores.score("recall", Y, PROBA, threshold=0.5) == 0.5
    assert scores.score("brier", Y, PROBA) == pytest.approx(np.mean((PROBA[:, 1] - Y) ** 2), abs=1e-15)


def test_several_classes_are_averaged_alike(make_predictions):
    y_true, y_proba = make_predictions(200, 3)
    expected = sk.roc_auc_score(y_true, y_proba, multi_class="ovr", average="macro")
    assert scores.score("roc_auc", y_true, y_proba) == pytest.approx(expected, abs=1e-12)
    y_pred = y_proba.argmax(axis=1)
    assert scores.score("f1", y_true, y_proba) == pytest.approx(sk.f1_score(y_true, y_pred, average="macro"), abs=1e-12)


def test_a_metric_of_ranks_is_undefined_without_every_class():
    assert np.isnan(scores.score("roc_auc", np.array([1, 1]), PROBA[:2]))
    assert np.isnan(scores.score("pr_auc", np.array([0, 0]), PROBA[:2]))


def test_precision_of_a_model_that_selects_nobody_is_zero():
    assert scores.score("precision", Y, PROBA, threshold=0.99) == 0.0


def test_balanced_accuracy_leaves_out_a_class_that_does_not_occur():
    y_proba = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    assert scores.score("balanced_accuracy", np.array([0, 1]), y_proba) == 1.0


def test_perfectly_calibrated_groups_have_no_calibration_error():
    y_true = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    y_proba = np.repeat([[0.75, 0.25], [0.25, 0.75]], 4, axis=0)
    assert scores.expected_calibration_error(y_true, y_proba) == 0.0


def test_a_surely_wrong_model_has_the_largest_calibration_error():
    assert scores.expected_calibration_error(np.array([0, 0]), np.array([[0.0, 1.0], [0.0, 1.0]])) == 1.0


def test_adjusted_r2_is_undefined_without_freedom():
    y_true = np.array([1.0, 2.0, 4.0])
    assert np.isnan(scores.score("adjusted_r2", y_true, y_true + 0.1, n_features=2))
    assert scores.score("adjusted_r2", y_true, y_true, n_features=1) == 1.0


def test_an_unknown_metric_is_refused():
    with pytest.raises(KeyError, match="accurracy"):
        scores.score("accurracy", Y, PROBA)


def test_losses_change_their_sign_to_become_gains():
    assert scores.as_gain("log_loss", 0.4) == -0.4
    assert scores.as_gain("roc_auc", 0.8) == 0.8


def test_improvement_is_the_share_of_the_baselines_loss_that_is_gone():
    assert scores.relative_improvement("roc_auc", 0.8, 0.5) == pytest.approx(0.6)
    assert scores.relative_improvement("rmse", 8.0, 10.0) == pytest.approx(0.2)
    assert scores.relative_improvement("rmse", 12.0, 10.0) == pytest.approx(-0.2)
    assert scores.relative_improvement("rmse", 1.0, 0.0) == 0.0


@pytest.mark.parametrize("level", [0.1, 0.9])
def test_pinball_losses_are_scikit_learns(level):
    y_true, y_pred = np.random.default_rng(0).normal(size=(2, 50))
    expected = sk.mean_pinball_loss(y_true, y_pred, alpha=level)
    assert scores.score(f"pinball_{round(100 * level)}", y_true, y_pred) == pytest.approx(expected, abs=1e-12)


def test_a_number_too_low_costs_nine_times_one_too_high_at_the_upper_level():
    low, high = (scores.score("pinball_90", np.array([10.0]), np.array([guess])) for guess in (9.0, 11.0))
    assert low == pytest.approx(9 * high)


@pytest.mark.parametrize("threshold", [None, 0.35])
def test_two_classes_are_scored_as_scikit_learn_does(make_predictions, threshold):
    y_true, y_proba = make_predictions(300, 2)
    y_pred = (y_proba[:, 1] >= threshold).astype(int) if threshold else y_proba.argmax(axis=1)
    expected = {
        "roc_auc": sk.roc_auc_score(y_true, y_proba[:, 1]),
        "pr_auc": sk.average_precision_score(y_true, y_proba[:, 1]),
        "log_loss": sk.log_loss(y_true, y_proba),
        "brier": sk.brier_score_loss(y_true, y_proba[:, 1]),
        "accuracy": sk.accuracy_score(y_true, y_pred),
        "balanced_accuracy": sk.balanced_accuracy_score(y_true, y_pred),
        "precision": sk.precision_score(y_true, y_pred),
        "recall": sk.recall_score(y_true, y_pred),
        "f1": sk.f1_score(y_true, y_pred),
        "mcc": sk.matthews_corrcoef(y_true, y_pred),
    }
    found = scores.all_scores("binary", y_true, y_proba, threshold=threshold)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_numbers_are_scored_as_scikit_learn_does():
    y_true, y_pred = np.random.default_rng(0).normal(5, 2, size=(2, 80))
    expected = {
        "mse": sk.mean_squared_error(y_true, y_pred),
        "rmse": sk.root_mean_squared_error(y_true, y_pred),
        "mae": sk.mean_absolute_error(y_true, y_pred),
        "mape": sk.mean_absolute_percentage_error(y_true, y_pred),
        "r2": sk.r2_score(y_true, y_pred),
    }
    found = scores.all_scores("regression", y_true, y_pred, n_features=4)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert found["adjusted_r2"] == pytest.approx(1 - (1 - expected["r2"]) * 79 / 75, abs=1e-12)


def test_the_loss_of_a_lift_is_what_it_lacks_of_ten():
    assert scores.lost("lift_10", 3.0) == 7.0
    assert scores.relative_improvement("lift_10", 3.0, 1.0) == pytest.approx(2 / 9)
