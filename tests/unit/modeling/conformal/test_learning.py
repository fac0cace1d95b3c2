"""What is learnt from out-of-fold predictions, and when errors are divided by their size."""

from collections.abc import Callable

import numpy as np
import pytest

from gristmill.errors import DataError
from gristmill.modeling.conformal import learning
from gristmill.modeling.conformal.conformity import ABSOLUTE, LAC, SCALED
from gristmill.modeling.conformal.learning import conformity_of, interval_loss, number_conformity, residuals, uneven
from gristmill.modeling.conformal.spread import Spread
from gristmill.modeling.training_rows import TrainingRows

Folds = list[tuple[np.ndarray, np.ndarray]]


def folds_of(n_rows: int, n_folds: int = 5) -> Folds:
    fold = np.arange(n_rows) % n_folds
    return [(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(n_folds)]


def prices(n_rows: int, noise: Callable[[np.ndarray], np.ndarray], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    predicted = np.exp(rng.normal(0, 1, n_rows))
    return predicted + rng.normal(size=n_rows) * noise(predicted), predicted


def test_errors_that_grow_with_the_prediction_are_scaled_and_all_prices_are_held_alike():
    y, predicted = prices(8000, lambda price: 0.3 * price)
    learnt = number_conformity(y[:4000], predicted[:4000], folds_of(4000))
    assert learnt.method == SCALED
    lower, upper = learnt.interval(predicted[4000:], 0.9)
    held = (lower <= y[4000:]) & (y[4000:] <= upper)
    assert held.mean() == pytest.approx(0.9, abs=0.03)
    for part in np.array_split(np.argsort(predicted[4000:]), 4):
        assert held[part].mean() == pytest.approx(0.9, abs=0.06)
    plain = np.quantile(np.abs(y[:4000] - predicted[:4000]), 0.9) * 2
    assert (upper - lower).mean() < 0.95 * plain


@pytest.mark.parametrize("seed", range(4))
def test_errors_of_one_size_stay_absolute(seed: int):
    y, predicted = prices(2000, lambda price: np.full(len(price), 0.5), seed)
    assert number_conformity(y, predicted, folds_of(2000)).method == ABSOLUTE


def test_scaled_errors_that_make_worse_intervals_are_not_taken(monkeypatch: pytest.MonkeyPatch):
    y, predicted = prices(2000, lambda price: 0.3 * price)
    right = learning.fit_spread
    assert number_conformity(y, predicted, folds_of(2000)).method == SCALED
    wrong = lambda said, errors: Spread(right(said, errors).knots, right(said, errors).sizes[::-1])  # noqa: E731
    monkeypatch.setattr(learning, "fit_spread", wrong)
    assert number_conformity(y, predicted, folds_of(2000)).method == ABSOLUTE


def test_quarters_are_uneven_only_beyond_chance():
    predicted = np.arange(400.0)
    assert uneven(predicted, predicted < 300)
    assert not uneven(predicted, np.arange(400) % 10 > 0)
    assert not uneven(predicted, np.ones(400, dtype=bool))
    rng = np.random.default_rng(0)
    found = [uneven(predicted, rng.random(400) < 0.9) for _ in range(1000)]
    assert np.mean(found) < 0.025


def test_few_rows_and_one_block_stay_absolute():
    y, predicted = prices(150, lambda price: 0.3 * price)
    assert number_conformity(y, predicted, folds_of(150)).method == ABSOLUTE
    assert number_conformity(y[:5], predicted[:5], folds_of(5)).n_rows == 5


def test_numbers_beyond_rounding_are_learnt_from():
    y, predicted = prices(400, lambda price: 0.3 * price)
    learnt = number_conformity(y * 1e15, predicted * 1e15, folds_of(400))
    assert learnt.limit(0.9) > 0


def test_the_interval_loss_is_the_width_and_ten_times_twice_what_lies_outside():
    assert interval_loss(np.array([1.0, 5.0]), 3.0) == pytest.approx([6.0, 6.0 + 20 * 2.0])


def test_rows_that_are_never_validated_teach_nothing(binary_rows: TrainingRows, regression_rows: TrainingRows):
    some = binary_rows.folds[:2]
    rows = TrainingRows(binary_rows.X, binary_rows.y, binary_rows.fold, some, binary_rows.classes, binary_rows.problem)
    oof = np.full((len(rows.y), 2), np.nan)
    oof[rows.validated] = [0.25, 0.75]
    learnt = conformity_of(rows, oof)
    assert (learnt.method, learnt.n_rows) == (LAC, len(rows.validated))
    assert set(learnt.scores) <= {0.25, 0.75}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_validated_row_without_a_prediction_is_refused(request: pytest.FixtureRequest, task: str):
    rows: TrainingRows = request.getfixturevalue(f"{task}_rows")
    shape = (len(rows.y), len(rows.classes)) if rows.classes else (len(rows.y),)
    oof = np.full(shape, 1 / max(1, len(rows.classes)))
    oof[rows.validated[3]] = np.nan
    with pytest.raises(DataError, match="row 4 of 120"):
        conformity_of(rows, oof)


def test_residuals_have_no_sign():
    assert residuals(np.array([1.0, 5.0]), np.array([3.0, 1.0])).tolist() == [2.0, 4.0]
