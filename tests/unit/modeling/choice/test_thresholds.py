"""From probability to decision."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gristmill.config.sections.training import Threshold
from gristmill.modeling import figures
from gristmill.modeling.choice.group_rates import GroupLimit
from gristmill.modeling.choice.thresholds import capacity_threshold, choose_threshold, threshold_curve

Y = np.array([0, 0, 0, 1, 0, 1, 1])
POSITIVE = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])


def settings(**changes: Any) -> Threshold:
    return Threshold.model_validate(changes)


def test_f1_is_greatest_where_its_threshold_says():
    chosen = choose_threshold(Y, POSITIVE, settings())
    assert chosen.value == pytest.approx(0.35)
    assert max(chosen.curve["f1"]) == pytest.approx(2 * 3 / (4 + 3))
    assert chosen.reason == "It makes F1 greatest out of fold, 0.857, and flags 4 of 7 rows (57 %)."


def test_profit_counts_hits_and_contacts():
    asked = settings(rule="profit", value_true_positive=100, cost_contact=60)
    curve = threshold_curve(Y, POSITIVE, asked)
    by_threshold = dict(zip(np.round(curve["threshold"], 2), curve["profit"], strict=True))
    assert by_threshold[0.35] == 3 * 100 - 4 * 60
    assert by_threshold[0.55] == 2 * 100 - 2 * 60
    assert choose_threshold(Y, POSITIVE, asked).value == pytest.approx(0.55)


def test_when_nothing_pays_nobody_is_flagged():
    chosen = choose_threshold(Y, POSITIVE, settings(rule="profit", value_true_positive=1, cost_contact=10))
    assert (chosen.value <= POSITIVE).sum() == 0


def test_when_nothing_pays_not_even_certain_rows_are_flagged():
    certain = np.array([0.1, 0.2, 0.3, 1.0, 0.5, 1.0, 1.0])
    chosen = choose_threshold(Y, certain, settings(rule="profit", value_true_positive=1, cost_contact=10))
    assert (chosen.value <= certain).sum() == 0
    assert max(chosen.curve["profit"]) == 0
    assert figures.threshold(chosen).axes


@pytest.mark.parametrize(("false_positive", "false_negative", "threshold"), [(1, 10, 0.35), (10, 1, 0.55)])
def test_the_cost_of_mistakes_is_least_where_its_threshold_says(false_positive: float, false_negative: float, threshold: float):
    asked = settings(rule="cost", cost_false_positive=false_positive, cost_false_negative=false_negative)
    chosen = choose_threshold(Y, POSITIVE, asked)
    costs = [
        false_positive * ((t <= POSITIVE) & (Y == 0)).sum() + false_negative * ((t > POSITIVE) & (Y == 1)).sum()
        for t in chosen.curve["threshold"]
    ]
    assert chosen.curve["cost"] == costs
    assert chosen.value == pytest.approx(threshold)


def test_a_large_beta_asks_for_recall_and_a_small_one_for_precision():
    y = np.array([1, 0, 0, 0, 0, 1, 1])
    assert (choose_threshold(y, POSITIVE, settings(rule="fbeta", beta=5)).value <= POSITIVE).sum() == 7
    precise = choose_threshold(y, POSITIVE, settings(rule="fbeta", beta=0.2))
    assert (precise.value <= POSITIVE).sum() == 2
    assert max(precise.curve["fbeta"]) == pytest.approx((1 + 0.04) * 1 * (2 / 3) / (0.04 * 1 + 2 / 3))


@pytest.mark.parametrize(("capacity", "flagged"), [(1, 1), (137, 137), (0.25, 1250), (5000, 5000), (9999, 5000)])
def test_a_capacity_flags_exactly_as_many_rows_the_highest_first(capacity: float, flagged: int):
    random = np.random.default_rng(0)
    y, positive = random.integers(0, 2, 5000), random.random(5000)
    chosen = choose_threshold(y, positive, settings(rule="capacity", capacity=capacity))
    is_flagged = positive >= chosen.value
    assert is_flagged.sum() == flagged
    assert is_flagged.all() or positive[is_flagged].min() > positive[~is_flagged].max()


def test_equal_probabilities_never_exceed_the_capacity():
    tied = np.array([0.9, 0.9, 0.5, 0.5, 0.5, 0.1])
    assert [int((tied >= capacity_threshold(tied, rows)).sum()) for rows in range(1, 7)] == [0, 2, 2, 2, 5, 6]
    neighbours = np.array([0.5, np.nextafter(0.5, 1)])
    assert (neighbours >= capacity_threshold(neighbours, 1)).sum() == 1


def groups_apart(n_rows: int = 2000) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    """Return rows of two groups of which one has the higher probabilities, and the truth behind them."""
    random = np.random.default_rng(0)
    old = random.random(n_rows) < 0.5
    positive = np.where(old, random.uniform(0.3, 1.0, n_rows), random.uniform(0.0, 0.7, n_rows))
    return (random.random(n_rows) < positive).astype(int), positive, pd.Series(np.where(old, "old", "young"))


@pytest.mark.parametrize(("rate", "most"), [("selection_rate", 0.2), ("true_positive_rate", 0.1)])
def test_a_limit_between_groups_binds_and_is_kept(rate: str, most: float):
    y, positive, groups = groups_apart()
    asked = settings(max_disparity=most, disparity=rate)
    limit = GroupLimit(rate, most, 30, {"age": groups})
    free, held = choose_threshold(y, positive, settings()), choose_threshold(y, positive, asked, limit)

    def apart(threshold: float) -> float:
        counted = y == 1 if rate == "true_positive_rate" else np.ones(len(y), dtype=bool)
        rates = [(positive[counted & (groups == name)] >= threshold).mean() for name in ("old", "young")]
        return rates[0] - rates[1]

    assert apart(free.value) > most + 0.05
    assert most / 2 < apart(held.value) <= most
    assert held.disparity["value"] == pytest.approx(apart(held.value))
    assert held.disparity["without_limit"] == pytest.approx(apart(free.value))
    allowed = np.asarray(held.curve["disparity"]) <= most
    assert np.asarray(held.curve["f1"])[allowed].max() == held.curve["f1"][held.curve["threshold"].index(held.value)]
    assert f"between young and old of age; here it differs by {held.disparity['value']:.3f} at most." in held.reason
    assert json.loads(json.dumps(held.as_product()))["disparity"]["groups"] == ["young", "old"]
    assert figures.threshold(held).axes


def test_a_limit_that_is_kept_anyway_changes_nothing():
    y, positive, groups = groups_apart()
    shuffled = groups.sample(frac=1, random_state=1).reset_index(drop=True)
    held = choose_threshold(y, positive, settings(max_disparity=0.2), GroupLimit("selection_rate", 0.2, 30, {"age": shuffled}))
    assert held.value == choose_threshold(y, positive, settings()).value
    assert "within the limit of 0.2." in held.reason


def test_the_worst_feature_decides():
    y, positive, groups = groups_apart()
    harmless = groups.sample(frac=1, random_state=1).reset_index(drop=True)
    limit = GroupLimit("selection_rate", 0.2, 30, {"harmless": harmless, "age": groups})
    assert choose_threshold(y, positive, settings(max_disparity=0.2), limit).disparity["feature"] == "age"


def test_it_is_said_when_only_flagging_all_or_none_keeps_the_limit():
    y, positive = np.array([1, 0] * 50), np.tile([0.8, 0.2], 50)
    limit = GroupLimit("selection_rate", 0.1, 30, {"sex": pd.Series(["a", "b"] * 50)})
    held = choose_threshold(y, positive, settings(max_disparity=0.1), limit)
    assert (held.value <= positive).all()
    assert held.reason.endswith("No threshold that tells rows apart keeps it as well as this one, which flags every row.")


def test_groups_too_small_to_be_judged_leave_the_threshold_and_are_named():
    y, positive, groups = groups_apart(40)
    held = choose_threshold(y, positive, settings(max_disparity=0.1), GroupLimit("selection_rate", 0.1, 30, {"age": groups}))
    assert held.value == choose_threshold(y, positive, settings()).value
    assert held.reason.endswith("could not be measured: no sensitive feature has two groups of 30 rows out of fold.")
    assert held.disparity == {"rate": "selection_rate", "limit": 0.1, "value": None, "without_limit": None}


def test_a_capacity_is_kept_together_with_a_limit_between_groups():
    y, positive, groups = groups_apart()
    asked = settings(rule="capacity", capacity=1000, max_disparity=0.2)
    held = choose_threshold(y, positive, asked, GroupLimit("selection_rate", 0.2, 30, {"age": groups}))
    flagged = positive >= held.value
    assert 0 < flagged.sum() < 1000
    assert flagged[groups == "old"].mean() - flagged[groups == "young"].mean() <= 0.2


def test_youden_weighs_hits_against_false_alarms():
    chosen = choose_threshold(Y, POSITIVE, settings(rule="youden"))
    assert chosen.value == pytest.approx(0.35)
    assert max(chosen.curve["youden"]) == pytest.approx(1 - 1 / 4)


def test_a_fixed_threshold_is_taken_as_given():
    assert choose_threshold(Y, POSITIVE, settings(rule="fixed", value=0.123)).value == 0.123


def test_the_curve_says_what_each_threshold_gives():
    curve = {name: values.tolist() for name, values in threshold_curve(Y, POSITIVE, settings()).items()}
    row = {name: values[curve["threshold"].index(pytest.approx(0.55))] for name, values in curve.items()}
    assert (row["precision"], row["recall"], row["share_flagged"]) == (1.0, pytest.approx(2 / 3), pytest.approx(2 / 7))


def test_many_probabilities_are_thinned():
    random = np.random.default_rng(0)
    curve = threshold_curve(random.integers(0, 2, 50_000), random.random(50_000), settings())
    assert len(curve["threshold"]) <= 202
    assert (np.diff(curve["threshold"]) > 0).all()


def test_equal_probabilities_leave_all_or_none():
    curve = threshold_curve(Y, np.full(7, 0.4), settings())
    assert curve["share_flagged"][0] == 1.0
    assert curve["share_flagged"][-1] == 0.0
