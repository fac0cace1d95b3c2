import numpy as np
import pytest

from gristmill.metrics.gains import top_gain
from gristmill.metrics.scores import score


def of_all(is_positive, scores):
    found = top_gain(np.asarray(is_positive, dtype=bool), np.asarray(scores, dtype=float))(np.ones((1, len(scores))))
    return {name: value[0] for name, value in found.items()}


def test_the_top_tenth_and_fifth_are_counted():
    positive = [True, False, True, False, False, False, False, False, True, False]
    found = of_all(positive, np.linspace(1, 0, 10))
    assert found == pytest.approx({"lift_10": (1 / 3) / 0.1, "gain_20": 1 / 3}, abs=1e-12)


def test_rows_of_equal_score_are_taken_in_part():
    assert of_all([True, False] * 10, np.zeros(20)) == pytest.approx({"lift_10": 1.0, "gain_20": 0.2}, abs=1e-12)
    found = of_all([True] + [False] * 9, [0.9, 0.9, 0.9, 0.9, *np.linspace(0.5, 0.1, 6)])
    assert found["gain_20"] == pytest.approx(0.5, abs=1e-12)  # two of four rows, one of which is the positive


@pytest.mark.parametrize("digits", [1, 6])
def test_whole_weights_are_repeated_rows(digits):
    rng = np.random.default_rng(0)
    positive, scores, weights = rng.random(60) < 0.3, rng.random(60).round(digits), rng.integers(0, 4, 60)
    rows = np.repeat(np.arange(60), weights)
    found = top_gain(positive, scores)(weights[None, :].astype(float))
    assert {name: value[0] for name, value in found.items()} == pytest.approx(of_all(positive[rows], scores[rows]), abs=1e-12)


def test_a_part_of_a_row_counts_in_proportion():
    found = of_all([True, False, False, False, True], [5, 4, 3, 2, 1])
    assert found["lift_10"] == pytest.approx((0.5 / 2) / 0.1)


def test_without_a_positive_nothing_is_defined_and_several_classes_are_averaged(make_predictions):
    assert np.isnan(of_all([False, False], [1, 2])["gain_20"])
    y_true, y_proba = make_predictions(200, 3)
    each = [of_all(y_true == code, y_proba[:, code])["lift_10"] for code in range(3)]
    assert score("lift_10", y_true, y_proba) == pytest.approx(np.mean(each), abs=1e-12)
