"""Numbers are scaled by their deviation, flags by what they are."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from gristmill.features.scaling import EvenScaler


def test_a_flag_of_one_row_stands_no_further_out_than_one_of_every_second():
    rare, common = np.zeros(400), np.arange(400) % 2
    rare[7] = 1
    scaled = EvenScaler().fit_transform(np.column_stack([rare, common]))
    assert np.ptp(scaled, axis=0) == pytest.approx([2, 2])
    assert scaled.mean(axis=0) == pytest.approx([0, 0])
    assert StandardScaler().fit_transform(rare[:, None]).max() > 19


def test_numbers_are_scaled_as_scikit_learn_scales_them_and_what_is_steady_stays():
    matrix = np.random.default_rng(0).normal(3, 5, (50, 3))
    matrix[:, 2] = 0.1
    assert EvenScaler().fit_transform(matrix) == pytest.approx(StandardScaler().fit_transform(matrix))


def test_it_is_an_estimator_of_scikit_learn():
    check_estimator(EvenScaler(), on_skip=None)
