"""Rows, targets and folds in one order."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.modeling.conftest import make_frame, make_rows

from gristmill.errors import DataError
from gristmill.modeling.training_rows import TrainingRows, training_rows


def test_predictions_survive_the_way_to_a_table_and_back(multiclass_rows: TrainingRows):
    oof = np.random.default_rng(0).dirichlet([1, 1, 1], 120)
    table = multiclass_rows.table(oof)
    assert table.columns.tolist() == ["fold", "probability_high", "probability_low", "probability_middle"]
    assert np.array_equal(multiclass_rows.array(table.iloc[::-1]), oof)


def test_rows_that_are_never_validated_are_not_in_the_table(regression_rows: TrainingRows):
    fold = regression_rows.fold.copy()
    fold.iloc[:10] = -1
    rows = TrainingRows(regression_rows.X, regression_rows.y, fold, [], (), regression_rows.problem)
    table = rows.table(np.arange(120.0))
    assert len(table) == 110
    back = rows.array(table)
    assert np.isnan(back[:10]).all()
    assert back[10] == 10.0


def test_targets_are_matched_by_row_key_not_by_place():
    rows = make_rows("regression")
    target = make_frame("regression")["y"].sample(frac=1, random_state=1)
    again = training_rows(rows.X, target, rows.fold, rows.folds, rows.problem.plan, classes=None, random_state=1)
    assert np.array_equal(again.y, rows.y)


def test_the_problem_knows_its_rarest_class(binary_rows: TrainingRows):
    assert binary_rows.problem.rarest == min(binary_rows.y.sum(), 120 - binary_rows.y.sum())
    assert binary_rows.problem.n_classes == 2


def test_a_target_that_is_no_number_is_refused():
    rows = make_rows("regression")
    target = pd.Series("many", index=rows.X.index, name="y")
    with pytest.raises(DataError, match="'many'"):
        training_rows(rows.X, target, rows.fold, rows.folds, rows.problem.plan, classes=None, random_state=1)
