"""The target along a column, and over time: shares and means with intervals that hold what they should."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract.schema import infer
from gristmill.data.exploration import against_target, gaps, over_time, shares


def test_each_level_and_the_missing_ones_are_groups_with_their_share(customers, make_case):
    case = make_case(id_columns=["customer"])
    frame = customers.assign(plan=customers["plan"].where(customers.index % 4 != 0))
    table = against_target.against(frame, ["plan"], case)["plan"].set_index("group")
    assert set(table.index) == {"basic", "plus", "pro", "missing"}
    assert table["n"].sum() == len(frame)
    assert table.loc["missing", "value"] == (frame.loc[frame["plan"].isna(), "y"] == "yes").mean()
    assert ((table["low"] < table["value"]) & (table["value"] < table["high"])).all()


def test_numbers_are_cut_into_stretches_of_equally_many_rows_named_by_their_ends():
    groups = against_target.groups(pd.Series(np.arange(800)))
    assert groups.value_counts().tolist() == [100] * 8
    assert list(groups.cat.categories)[:2] == ["0–99", "100–199"]  # noqa: RUF001 - a range
    assert groups.cat.ordered


def test_an_interval_of_a_share_is_wilsons_and_never_empty(make_case):
    target, everyone = pd.Series(["yes"] * 10, name="y"), pd.Series(["all"] * 10)
    (row,) = shares.by_group(target, everyone, make_case()).itertuples()
    assert (row.value, row.high) == pytest.approx((1.0, 1.0))
    assert row.low == pytest.approx(10 / (10 + 1.959964**2), abs=1e-6)


def test_an_interval_of_a_mean_holds_the_mean_as_often_as_it_says(make_case):
    case, random = make_case(task="regression"), np.random.default_rng(1)
    samples = pd.Series(random.normal(3, 2, 12 * 400), name="y")
    table = shares.by_group(samples, pd.Series(np.repeat(np.arange(400), 12)), case)
    assert ((table["low"] <= 3) & (table["high"] >= 3)).mean() == pytest.approx(0.95, abs=0.03)


def test_a_sentence_names_the_lowest_and_the_highest_group_and_doubts_what_chance_explains(customers, make_case):
    case = make_case(id_columns=["customer"])
    frame = customers.assign(tells=np.where(customers["y"] == "yes", "up", "down"), noise=["a", "b"] * 100)
    told, doubted = against_target.in_words(against_target.against(frame, ["tells", "noise"], case), case)
    assert told.startswith("**`tells`**: share of y = yes is 0.0%")
    assert "100.0%" in told
    assert "chance" not in told
    assert doubted.endswith("it may be chance.")


def test_several_classes_are_each_followed(make_case):
    case = make_case(task="multiclass", positive_class=None)
    target = pd.Series(["a", "b", "c"] * 40, name="y")
    table = shares.by_group(target, pd.Series(["all"] * 120), case)
    assert table.set_index("series")["value"].to_dict() == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


@pytest.mark.parametrize(
    ("days", "unit"),
    [(2000, "year"), (700, "quarter"), (200, "month"), (35, "week"), (6, "day"), (0.3, "hour"), (0.001, "tenth of the rows")],
)
def test_time_is_cut_by_the_coarsest_unit_that_shows_a_course(days, unit):
    times = pd.Series(pd.Timestamp("2021-01-01") + pd.to_timedelta(np.linspace(0, days, 500), unit="D"))
    cut, word = over_time.periods(times)
    assert word == unit
    assert 4 <= cut.nunique() <= 40
    assert cut.cat.codes.is_monotonic_increasing


def test_a_target_that_rises_is_told_from_one_that_stays(customers, make_case):
    times = pd.Timestamp("2021-01-01") + pd.to_timedelta(np.arange(200), unit="D")
    case = make_case(id_columns=["customer"], time_column="since")
    stays = customers.assign(since=times)
    rises = stays.assign(y=np.where(np.arange(200) + np.random.default_rng(0).normal(0, 40, 200) > 100, "yes", "no"))
    contract = infer(stays, case)
    assert "by more than chance explains" in over_time.stability(rises, contract, case).sentence
    assert "no more than chance explains" in over_time.stability(stays, contract, case).sentence
    assert "names no `time_column`" in over_time.stability(stays, contract, make_case()).sentence


def test_columns_missing_together_are_one_pattern():
    frame = pd.DataFrame({"a": [None, None, 1.0, 1.0], "b": [None, None, 1.0, None], "c": [1.0] * 4})
    found = gaps.patterns(frame, ["a", "b", "c"])
    assert list(found.columns) == ["b", "a"]
    assert found.index[0] == 2
    assert found.iloc[0].tolist() == [True, True]
    assert sorted(found.index) == [1, 1, 2]
    assert gaps.in_words(frame, ["a", "b"]) == "75.0% of the rows have a gap, 1 of them in one column alone; at most 2 in one row."
    assert gaps.in_words(frame, ["c"]) == "No training row has a gap."
