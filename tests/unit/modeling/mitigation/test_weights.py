import numpy as np
import pytest

from gristmill.modeling.mitigation.weights import MOST_WEIGHT, drawn, outcomes, row_weights

GROUPS = np.array(["f"] * 40 + ["m"] * 60, dtype=object)
OUTCOME = np.array([1] * 10 + [0] * 30 + [1] * 40 + [0] * 20)


def test_under_the_weights_group_and_outcome_are_independent():
    weights = row_weights("reweighing", 1.0, GROUPS, OUTCOME)
    assert weights[0] == pytest.approx(0.4 * 0.5 / 0.1)  # P(f) P(1) / P(f, 1)
    shares = [weights[(group == GROUPS) & (OUTCOME == 1)].sum() / weights[group == GROUPS].sum() for group in ("f", "m")]
    assert shares == pytest.approx([0.5, 0.5])
    assert weights.sum() == pytest.approx(100)


def test_half_the_strength_is_half_the_way():
    full, half = (row_weights("reweighing", strength, GROUPS, OUTCOME) for strength in (1.0, 0.5))
    assert half == pytest.approx((1 + full) / 2)


def test_balancing_gives_every_group_the_same_weight():
    weights = row_weights("balancing", 1.0, GROUPS, OUTCOME)
    assert weights[GROUPS == "f"].sum() == pytest.approx(50)
    assert weights[GROUPS == "m"].sum() == pytest.approx(50)


def test_a_tiny_group_does_not_become_the_model():
    groups = np.array(["rare"] + ["m"] * 999, dtype=object)
    assert row_weights("balancing", 1.0, groups, np.zeros(1000, dtype=int)).max() == MOST_WEIGHT


def test_rows_are_drawn_as_often_as_they_weigh():
    weights = row_weights("reweighing", 1.0, GROUPS, OUTCOME)
    rows = drawn(weights, 0)
    assert len(rows) == 100
    for group in ("f", "m"):
        for outcome in (0, 1):
            cell = (group == GROUPS) & (outcome == OUTCOME)
            assert abs(cell[rows].sum() - weights[cell].sum()) <= 1


def test_equal_weights_draw_every_row_once():
    assert drawn(np.full(7, 0.3), 5).tolist() == list(range(7))


def test_the_draw_is_the_same_every_time():
    weights = np.random.default_rng(0).random(50)
    assert drawn(weights, 3).tolist() == drawn(weights, 3).tolist()


def test_numbers_have_their_quarters_for_outcomes():
    assert np.bincount(outcomes(np.arange(80.0), 0)).tolist() == [20, 20, 20, 20]
    assert outcomes(np.array([2, 0, 1]), 3).tolist() == [2, 0, 1]
