import numpy as np
import pytest

from gristmill.metrics.intervals import Bootstrap
from gristmill.metrics.noninferiority import judge, rows_needed
from gristmill.metrics.paired import Answers, differences


def judged(low, high, margin=0.1):
    value = (low + high) / 2
    return judge({"value": value, "low": low, "high": high}, (high - low) / 3.92, margin, 400, 0.95)


@pytest.mark.parametrize(
    ("low", "high", "verdict", "accepted"),
    [
        (0.01, 0.2, "better", True),
        (0.0, 0.2, "not worse", True),
        (-0.1, 0.2, "not worse", True),
        (-0.09, -0.01, "not worse", True),
        (-0.11, 0.2, "cannot tell", False),
        (-0.3, -0.05, "cannot tell", False),
        (-0.3, -0.11, "worse", False),
        (float("nan"), float("nan"), "cannot tell", False),
    ],
)
def test_the_interval_and_the_margin_decide(low, high, verdict, accepted):
    found = judged(low, high)
    assert (found.verdict, found.accepted) == (verdict, accepted)


def test_without_a_margin_only_a_better_model_or_one_that_answers_alike_is_accepted():
    assert judged(0.0, 0.0, margin=0.0).accepted
    assert not judged(-0.001, 0.2, margin=0.0).accepted


def test_four_times_as_many_rows_halve_the_error():
    """1.96 + 0.84 standard errors have to fit between no difference and the margin."""
    assert rows_needed(0.0, 0.1, 0.1, 400, 0.95) == pytest.approx(400 * (1.95996 + 0.84162) ** 2, rel=0.02)
    assert rows_needed(0.0, 0.05, 0.1, 400, 0.95) == pytest.approx(100 * (1.95996 + 0.84162) ** 2, rel=0.03)


def test_it_takes_more_rows_than_there_are_where_they_cannot_tell():
    for value in np.linspace(-0.3, 0.1, 9):
        found = judge({"value": value, "low": value - 0.25, "high": value + 0.25}, 0.25 / 1.96, 0.1, 400, 0.95)
        assert found.verdict == "cannot tell"
        assert found.rows_needed is None or found.rows_needed > 400


def test_no_number_of_rows_shows_a_difference_of_exactly_the_margin():
    assert rows_needed(-0.1, 0.05, 0.1, 400, 0.95) is None
    assert rows_needed(float("nan"), 0.05, 0.1, 400, 0.95) is None


def test_a_model_worse_by_the_margin_is_hardly_ever_accepted():
    accepted = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        shared, y_true = rng.normal(size=150), rng.normal(size=150)
        first, second = (y_true + size * (0.9 * shared + 0.436 * rng.normal(size=150)) for size in (1.1, 1.0))
        found = differences("regression", y_true, Answers(first), Answers(second), ("rmse",), Bootstrap(resamples=200))["rmse"]
        accepted += judge(found.improvement, found.error, 0.1, 150, 0.95).accepted
    assert accepted <= 8


@pytest.mark.parametrize(
    ("n_wrong", "verdict"),
    [(0, "not worse"), (1, "cannot tell"), (20, "worse")],
)
def test_beside_a_model_that_loses_nothing_only_losses_beyond_chance_are_worse(n_wrong, verdict):
    y_true, first = np.zeros(200), np.zeros(200)
    first[:n_wrong] = 1.0
    found = differences("regression", y_true, Answers(first), Answers(y_true), ("mae",), Bootstrap(resamples=400))["mae"]
    assert judge(found.improvement, found.error, 0.1, 200, 0.95, found.gain).verdict == verdict


def test_where_the_improvement_is_not_known_a_gain_below_zero_is_worse():
    unknown = dict.fromkeys(("value", "low", "high"), float("nan"))
    below, around = {"value": -0.1, "low": -0.2, "high": -0.01}, {"value": -0.1, "low": -0.2, "high": 0.01}
    assert judge(unknown, float("nan"), 0.1, 200, 0.95, below).verdict == "worse"
    assert judge(unknown, float("nan"), 0.1, 200, 0.95, around).verdict == "cannot tell"
