import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import demographic_parity_difference, equal_opportunity_difference

from gristmill.modeling.choice.thresholds import NOBODY
from gristmill.modeling.mitigation.group_thresholds import GroupThresholds, cross_fitted, fit_thresholds, moved_to
from gristmill.modeling.mitigation.grouping import learn_grouping


def both(positive: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - positive, positive])


@pytest.mark.parametrize("own", [0.0, 1e-9, 0.1, 0.5, 0.7, 1 - 1e-9, 1.0, NOBODY])
@pytest.mark.parametrize("common", [0.01, 0.37, 0.5, 0.99])
def test_one_threshold_decides_as_the_rows_own_would(own: float, common: float):
    exactly = [own, np.nextafter(own, 0), np.nextafter(own, 1)] if own <= 1 else []
    positive = np.clip(np.r_[np.linspace(0, 1, 1001), common, exactly], 0, 1)
    moved = moved_to(common, np.full(len(positive), own), both(positive))[:, 1]
    assert ((moved >= common) == (positive >= own)).all()
    assert (np.diff(moved[np.argsort(positive, kind="stable")]) >= -1e-15).all()
    assert moved.min() >= 0
    assert moved.max() <= 1


def test_a_row_whose_threshold_is_the_common_one_stays_as_it_is():
    positive = np.random.default_rng(0).random(100)
    assert (moved_to(0.3, np.full(100, 0.3), both(positive))[:, 1] == positive).all()


@pytest.fixture
def unlike():
    rng = np.random.default_rng(0)
    groups = rng.choice(["f", "m"], 4000).astype(object)
    y = (rng.random(4000) < np.where(groups == "m", 0.5, 0.3)).astype(int)
    return y, np.clip(0.3 * y + 0.2 * (groups == "m") + rng.random(4000) * 0.5, 0, 1), groups


@pytest.mark.parametrize(
    ("rate", "difference"), [("selection", demographic_parity_difference), ("opportunity", equal_opportunity_difference)]
)
def test_at_full_strength_the_rates_of_groups_meet_and_at_half_they_come_closer(unlike, rate, difference):
    y, positive, groups = unlike

    def apart(strength: float) -> float:
        found = fit_thresholds(rate, strength, y, positive, groups, 0.5, 30)
        own = np.array([found[name] for name in groups])
        return float(difference(y, positive >= own, sensitive_features=groups))

    alone = float(difference(y, positive >= 0.5, sensitive_features=groups))
    assert apart(0.0) == pytest.approx(alone, abs=1e-3)
    assert apart(0.5) == pytest.approx(alone / 2, abs=5e-3)
    assert apart(1.0) < 2e-3 < alone / 10


def test_a_small_group_keeps_the_threshold_of_all(unlike):
    y, positive, groups = unlike
    groups = groups.copy()
    groups[:5] = "tiny"
    assert set(fit_thresholds("selection", 1.0, y, positive, groups, 0.5, 30)) == {"f", "m"}


def test_out_of_fold_each_fold_is_decided_by_thresholds_of_the_others(unlike):
    y, positive, groups = unlike
    rows = np.arange(4000)
    folds = [(rows[rows % 4 != k], rows[rows % 4 == k]) for k in range(4)]
    moved = cross_fitted("selection", 1.0, y, both(positive), groups, folds, 0.5, 30)
    others, valid = folds[0]
    found = fit_thresholds("selection", 1.0, y[others], positive[others], groups[others], 0.5, 30)
    own = np.array([found[name] for name in groups[valid]])
    assert ((moved[valid, 1] >= 0.5) == (positive[valid] >= own)).all()
    assert demographic_parity_difference(y, moved[:, 1] >= 0.5, sensitive_features=groups) < 0.04


def test_a_group_that_was_never_seen_is_decided_by_the_threshold_of_all():
    frame = pd.DataFrame({"sex": ["f", "m", "x", None]})
    made = GroupThresholds(learn_grouping(frame.iloc[:2], ["sex"]), {"f": 0.2, "m": 0.6}, 0.4, 0.5)
    again = GroupThresholds.from_record(made.as_record())
    for positive, decided in ((0.5, [True, False, True, True]), (0.3, [True, False, False, False])):
        assert (again.moved(frame, both(np.full(4, positive)))[:, 1] >= 0.5).tolist() == decided
