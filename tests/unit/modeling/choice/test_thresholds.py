"""From probability to decision."""

from types import SimpleNamespace

import numpy as np
import pytest

from gristmill.modeling import figures
from gristmill.modeling.choice.thresholds import choose_threshold, threshold_curve

Y = np.array([0, 0, 0, 1, 0, 1, 1])
POSITIVE = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])


def settings(**changes) -> SimpleNamespace:
    return SimpleNamespace(**{"rule": "f1", "value": 0.5, "value_true_positive": 1.0, "cost_contact": 0.5, **changes})


def test_f1_is_greatest_where_its_threshold_says():
    chosen = choose_threshold(Y, POSITIVE, settings())
    assert chosen.value == pytest.approx(0.35)
    assert max(chosen.curve["f1"]) == pytest.approx(2 * 3 / (4 + 3))


def test_profit_counts_hits_and_contacts():
    curve = threshold_curve(Y, POSITIVE, value_true_positive=100, cost_contact=60)
    by_threshold = dict(zip(np.round(curve["threshold"], 2), curve["profit"], strict=True))
    assert by_threshold[0.35] == 3 * 100 - 4 * 60
    assert by_threshold[0.55] == 2 * 100 - 2 * 60
    assert choose_threshold(Y, POSITIVE, settings(rule="profit", value_true_positive=100, cost_contact=60)).value == pytest.approx(
        0.55
    )


def test_when_nothing_pays_nobody_is_flagged():
    chosen = choose_threshold(Y, POSITIVE, settings(rule="profit", value_true_positive=1, cost_contact=10))
    assert (chosen.value <= POSITIVE).sum() == 0


def test_when_nothing_pays_not_even_certain_rows_are_flagged():
    certain = np.array([0.1, 0.2, 0.3, 1.0, 0.5, 1.0, 1.0])
    chosen = choose_threshold(Y, certain, settings(rule="profit", value_true_positive=1, cost_contact=10))
    assert (chosen.value <= certain).sum() == 0
    assert max(chosen.curve["profit"]) == 0
    assert figures.threshold(chosen).axes


def test_youden_weighs_hits_against_false_alarms():
    chosen = choose_threshold(Y, POSITIVE, settings(rule="youden"))
    assert chosen.value == pytest.approx(0.35)
    assert max(chosen.curve["youden"]) == pytest.approx(1 - 1 / 4)


def test_a_fixed_threshold_is_taken_as_given():
    assert choose_threshold(Y, POSITIVE, settings(rule="fixed", value=0.123)).value == 0.123


def test_the_curve_says_what_each_threshold_gives():
    curve = threshold_curve(Y, POSITIVE)
    row = {name: values[curve["threshold"].index(pytest.approx(0.55))] for name, values in curve.items()}
    assert (row["precision"], row["recall"], row["share_flagged"]) == (1.0, pytest.approx(2 / 3), pytest.approx(2 / 7))


def test_many_probabilities_are_thinned():
    random = np.random.default_rng(0)
    curve = threshold_curve(random.integers(0, 2, 50_000), random.random(50_000))
    assert len(curve["threshold"]) <= 202
    assert curve["threshold"] == sorted(curve["threshold"])


def test_equal_probabilities_leave_all_or_none():
    curve = threshold_curve(Y, np.full(7, 0.4))
    assert curve["share_flagged"][0] == 1.0
    assert curve["share_flagged"][-1] == 0.0
