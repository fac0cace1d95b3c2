"""Months, weekdays and hours on a circle."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import check_estimator
from tests.unit.features.conftest import contract_of, make_case

from gristmill.features.builder import make_plan
from gristmill.features.cycles import Cycles
from gristmill.features.preparation import preprocessor
from gristmill.features.rows import RowFeatures


def test_december_is_as_near_to_january_as_january_to_february():
    points = Cycles(12.0).fit_transform(np.array([[12.0], [1.0], [2.0], [7.0]]))
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps[0] == pytest.approx(steps[1])
    assert steps[2] > 2 * steps[0]


def test_a_missing_date_is_as_far_from_every_month():
    cycles = Cycles([12.0, 7.0]).fit(pd.DataFrame({"m": [1.0, np.nan], "w": [0.0, 6.0]}))
    assert cycles.transform(pd.DataFrame({"m": [np.nan], "w": [0.0]})).tolist() == [[0.0, 0.0, 0.0, 1.0]]
    assert cycles.get_feature_names_out().tolist() == ["m: sine", "m: cosine", "w: sine", "w: cosine"]


def test_it_is_an_estimator_of_scikit_learn():
    check_estimator(Cycles(), on_skip=None)


@pytest.mark.parametrize(("family", "expected"), [("linear", 4), ("neural", 4), ("forest", 0), ("boosting", 0)])
def test_families_that_scale_get_circles_and_trees_keep_ordinals(nasty: pd.DataFrame, family: str, expected: int):
    case = make_case()
    plan = make_plan(nasty, case, contract_of(nasty, case))
    prepare = preprocessor(plan, family).fit(RowFeatures(plan).transform(nasty), nasty["label"].to_numpy())
    names = list(prepare.get_feature_names_out())
    assert sum(name.startswith("cycles__") for name in names) == expected
    assert sum(name.endswith("__when: month") for name in names) == 1
