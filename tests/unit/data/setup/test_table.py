"""A look at a table of any size: exact counts of all rows, an even sample of them (R2)."""

import numpy as np
import pandas as pd
import pytest
from tests.frames import FrameSource

from gristmill.data.kinds import kind_of
from gristmill.data.leakage.proxies import identifier_evidence
from gristmill.data.setup import roles
from gristmill.data.setup import table as tables
from gristmill.data.setup.roles import View
from gristmill.data.setup.table import spooled


def looked(frame: pd.DataFrame):
    return spooled(FrameSource(frame))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a table of a thousand rows be a large one."""
    monkeypatch.setattr(tables, "LOOKED_AT", 1_000)
    monkeypatch.setattr(tables, "RARE_ROWS", 50)


def large(n_rows: int = 20_000) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"number": np.arange(n_rows), "file_row_number": 1, "x": random.normal(size=n_rows)})
    frame["y"] = np.where(frame.index % 4_000 == 7, "rare", np.where(frame["x"] > 0, "up", "down"))
    return frame


def test_a_small_table_is_looked_at_whole():
    frame = large(500)
    with looked(frame) as table:
        pd.testing.assert_frame_equal(table.rows("y"), frame)
        assert not table.is_sampled


def test_a_large_table_is_sampled_evenly_in_its_order_with_rare_classes_whole(few):
    with looked(large()) as table:
        rows = table.rows("y")
        assert table.n_rows == 20_000
    assert 1_000 <= len(rows) <= 1_005
    assert (rows["y"] == "rare").sum() == 5
    assert rows["number"].is_monotonic_increasing
    assert abs(rows["number"].mean() - 10_000) < 600


def test_the_sample_is_the_same_each_time(few):
    with looked(large()) as first, looked(large()) as second:
        pd.testing.assert_frame_equal(first.rows("y"), second.rows("y"))


@pytest.mark.parametrize("exactly_up_to", [1_000_000, 100])
def test_facts_are_of_all_rows_that_have_a_target(monkeypatch, exactly_up_to):
    monkeypatch.setattr(tables, "_COUNTED_EXACTLY", exactly_up_to)
    frame = large(5_000).assign(same="s", half=[0.5, 1.0, np.nan, np.inf] * 1_250)
    frame.loc[:999, "y"] = None
    with looked(frame) as table:
        facts = table.facts("y")
    assert (facts["number"].filled, facts["number"].distinct, facts["number"].low, facts["number"].high) == (
        4_000,
        4_000,
        1_000,
        4_999,
    )
    assert facts["same"].low == facts["same"].high == "s"
    assert (facts["half"].filled, facts["half"].whole, facts["half"].infinite) == (3_000, False, True)
    assert facts["number"].whole
    assert facts["y"].filled == 4_000


def test_levels_are_counted_as_the_classes_they_are():
    frame = pd.DataFrame({"y": [1.0, 0.0, np.nan, 1.0], "flag": [True, False, True, True], "many": range(4)})
    with looked(frame) as table:
        assert table.levels("y").to_dict() == {"1": 2, "0": 1}
        assert table.levels("flag").to_dict() == {"True": 3, "False": 1}


def test_levels_without_end_are_not_counted():
    with looked(pd.DataFrame({"y": range(tables.MOST_CLASSES + 1)})) as table:
        assert table.levels("y") is None


def test_identifiers_are_told_as_the_leakage_check_tells_them():
    n_rows = 300
    columns = {
        "rows": np.arange(n_rows), "shop_id": np.arange(n_rows) * 1_000, "price": np.arange(n_rows) * 1_000,
        "half": np.arange(n_rows) / 2, "code": [f"c{n}" for n in range(n_rows)], "twice": np.arange(n_rows) // 2,
        "gaps": [None, *range(1, n_rows)], "when": pd.date_range("2024-01-01", periods=n_rows).astype(str),
        "y": ["a", "b", "c"] * 100,
    }  # fmt: skip
    frame = pd.DataFrame(columns)
    with looked(frame) as table:
        view = View.of(table, table.rows("y"), table.facts("y"), "y")
    for name in view.kinds:
        expected = identifier_evidence(view.rows[name], {"name": name, "kind": kind_of(view.rows[name])[0]})
        assert roles._identity(name, view) == expected, name
    assert sum(roles._identity(name, view) is not None for name in view.kinds) == 4
