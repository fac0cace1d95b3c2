"""Families have fixed shares of the budget, and a reserve is kept back."""

from types import SimpleNamespace

import pytest

from gristmill.modeling.search.budget import LARGE, Budget, affordable_rows, fewer_rows, reserve

ALL = ["linear", "forest", "boosting", "neural"]


def training(families: list[str], **more: object) -> SimpleNamespace:
    return SimpleNamespace(**{"trials": None, "replay": None, "budget_seconds": 60, "families": families, **more})


def test_families_share_the_budget_two_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert [Budget.of(training(ALL[:count])).seconds for count in (1, 2, 3, 4)] == [60, 51, 25.5, 25.5]
    assert Budget.of(training(["linear"], trials=7)) == Budget(None, 7)


def test_there_is_a_reserve_where_there_is_a_choice():
    assert [reserve(training(ALL)), reserve(training(["linear"]))] == [9, 0]
    assert [reserve(training(ALL, trials=3)), reserve(training(ALL, replay=1))] == [0, 0]


def test_a_small_table_is_not_measured():
    assert affordable_rows(LARGE, 5, 1.0, lambda n_rows: pytest.fail("measured")) is None


def test_a_large_table_learns_from_what_is_left_of_the_budget():
    per_row = 1e-4  # 100,000 rows are 10 s a fold
    assert affordable_rows(100_000, 5, 100, lambda n_rows: 0.5 + per_row * n_rows) is None
    left = 25 - 2 * 0.5 - 4_000 * per_row  # after the two small fits
    expected = pytest.approx((0.7 * left / 5 - 0.5) / per_row, abs=2)
    assert affordable_rows(100_000, 5, 25, lambda n_rows: 0.5 + per_row * n_rows) == expected
    assert affordable_rows(100_000, 5, 0.1, lambda n_rows: 0.5 + per_row * n_rows) == 3_000


def test_a_time_that_does_not_grow_with_the_rows_allows_all_or_few():
    assert affordable_rows(100_000, 5, 25, lambda n_rows: 1.0) is None
    assert affordable_rows(100_000, 5, 1, lambda n_rows: 1.0) == 3_000


def test_a_trial_that_did_not_end_in_time_is_followed_by_one_on_fewer_rows():
    assert fewer_rows(100_000, 1, 5, 10, 25) == 35_000  # 50 s for all folds, 25 left, seven tenths of them planned for
    assert fewer_rows(100_000, 5, 5, 10, 100) == 50_000
    assert fewer_rows(100_000, 0, 5, 10, -1) == 3_000
