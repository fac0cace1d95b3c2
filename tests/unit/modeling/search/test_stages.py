"""The number of stages is chosen by cross-validation, once for all folds (R20, R21)."""

from types import SimpleNamespace

import numpy as np
import pytest

from gristmill.modeling.search.stages import POINTS, best_stages, known_curve, mean_curve, thinned


def test_the_best_number_is_that_of_the_mean_curve_and_not_of_a_fold():
    curves = [np.array([3.0, 1.0, 2.0, 3.0]), np.array([3.0, 2.5, 1.0, 3.0]), np.array([3.0, 2.5, 1.0, 3.0])]
    assert best_stages(curves) == 3


def test_a_fold_that_stopped_early_keeps_its_last_loss():
    assert mean_curve([np.array([2.0, 1.0]), np.array([4.0, 3.0, 1.0])]).tolist() == [3.0, 2.0, 1.0]


def test_among_equals_the_fewest_stages_win_and_no_curve_gives_no_number():
    assert best_stages([np.array([2.0, 1.0, 1.0])]) == 2
    assert best_stages([None, None]) is None
    assert best_stages([None, np.array([2.0, 1.0])]) == 2


def test_a_loss_that_is_no_number_is_never_the_best():
    assert best_stages([np.array([np.nan, 2.0, 3.0])]) == 2


@pytest.mark.parametrize("curve", [None, [], [np.nan, np.nan]])
def test_a_model_without_losses_has_no_curve(curve):
    assert known_curve(SimpleNamespace(curve_=curve)) is None


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_its_lowest_point():
    curve = np.abs(np.arange(1000.0) - 333)
    kept = thinned(curve)
    assert len(kept) <= POINTS
    assert (kept[0], kept[-1]) == ((1, 333.0), (1000, 666.0))
    assert (334, 0.0) in kept
