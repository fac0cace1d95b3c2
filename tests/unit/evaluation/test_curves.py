import numpy as np
import pytest

from gristmill.evaluation.curves import (
    MAX_POINTS,
    calibration_points,
    confusion_counts,
    gain_points,
    learning_points,
    residual_summary,
    threshold_points,
)

POSITIVE = np.array([True, False, True, False])
SCORES = np.array([0.9, 0.8, 0.3, 0.1])


def test_thresholds_give_what_acting_on_them_earns():
    points = threshold_points(POSITIVE, SCORES, value_true_positive=10, cost_contact=1)
    assert points["threshold"].tolist() == [0.9, 0.8, 0.3, 0.1]
    assert points["profit"].tolist() == [9, 8, 17, 16]
    assert points["precision"].tolist() == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert points["recall"].tolist() == [0.5, 0.5, 1, 1]


def test_equal_scores_are_one_threshold():
    points = threshold_points(POSITIVE, np.array([0.5, 0.5, 0.5, 0.1]), value_true_positive=1, cost_contact=0)
    assert points["flagged_share"].tolist() == [0.75, 1.0]


def test_a_curve_is_thinned_to_what_a_picture_can_show():
    scores = np.linspace(0, 1, 5000)
    points = gain_points(scores > 0.5, scores)
    assert len(points) == MAX_POINTS
    assert points["share_of_positives"].iloc[-1] == 1.0
    assert points["lift"].iloc[0] == pytest.approx(2.0)


def test_calibration_has_groups_of_equal_size_with_bands_around_what_happened():
    rng = np.random.default_rng(0)
    scores = rng.random(1000)
    points = calibration_points(rng.random(1000) < scores, scores)
    assert points["n"].tolist() == [100] * 10
    assert ((points["low"] <= points["observed"]) & (points["observed"] <= points["high"])).all()
    assert (points["predicted"] - points["observed"]).abs().max() < 0.15


def test_the_confusion_matrix_has_a_place_for_absent_classes():
    table = confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), ("a", "b", "c"))
    assert table.loc["a", "b"] == 1
    assert table.to_numpy().sum() == 3
    assert table.shape == (3, 3)


def test_residuals_are_truth_minus_prediction():
    found = residual_summary(np.array([3.0, 5.0]), np.array([1.0, 5.0]))
    assert (found["mean"], found["median"]) == (1.0, 1.0)


def test_a_learning_curve_stops_when_its_budget_is_spent():
    asked = []
    points = learning_points(lambda rows: asked.append(len(rows)) or (1.0, 0.5), 1000, budget_seconds=100)
    assert points["n_rows"].tolist() == asked == [100, 200, 400, 700, 1000]
    assert learning_points(lambda _: (1.0, 0.5), 1000, budget_seconds=-1).empty


def test_rows_that_cannot_be_learned_from_are_left_out_of_the_learning_curve():
    points = learning_points(lambda rows: None if len(rows) < 50 else (1.0, 0.5), 100, budget_seconds=100)
    assert points["n_rows"].tolist() == [70, 100]
