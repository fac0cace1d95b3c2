"""Questions to a snapshot's rows agree with pandas on the same rows."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract import column_sql
from gristmill.data.contract.column_sql import opened
from gristmill.data.contract.facts import MOST_SPELLED, look


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "measured": random.integers(0, 40, 3_000) / 8, "level": random.choice(["a", "b", None, " "], 3_000),
            "whole": random.integers(-3, 4, 3_000), "y": random.choice(["no", "yes", None], 3_000),
        }
    )  # fmt: skip


@pytest.mark.parametrize("at_once", [10_000_000, 700])
@pytest.mark.parametrize("names", [["measured"], ["level"], ["measured", "level", "whole", "y"], ["level", "y"]])
def test_repeated_rows_are_counted_however_many_hashes_are_held_at_a_time(monkeypatch, bench, frame, at_once, names):
    monkeypatch.setattr(column_sql, "_HASHED_AT_ONCE", at_once)
    with opened(bench.store(frame), "y") as (rows, columns):
        some = [column for column in columns if column.name in names]
        assert rows.repeated(some) == frame[frame["y"].notna()][names].duplicated().sum()
        filled = frame[frame["y"].notna() & frame["level"].notna()]
        assert rows.repeated(some, "NOT c1 IS NULL") == filled[names].duplicated().sum()


def test_aggregates_over_levels_are_those_over_rows(bench, frame):
    asked = ["sum(n)", "count(c1)", "max(c1)", "count_if(c1 IS NULL)", "coalesce(sum(n) FILTER (WHERE trim(c1) = ''), 0)"]
    with opened(bench.store(frame)) as (rows, columns):
        counts = frame["level"].value_counts()
        found = rows.of_levels(columns[1], counts.to_dict(), int(frame["level"].isna().sum()), asked)
    assert found == [3_000, 3, "b", 1, counts[" "]]


def test_a_file_is_looked_at_again_when_it_or_the_target_is_another(bench, frame):
    path = bench.store(frame)
    with opened(path, "y") as (rows, columns):
        first = look(rows, columns, int(frame["y"].notna().sum()))
    with opened(path, "y") as (rows, columns):
        assert look(rows, columns, int(frame["y"].notna().sum())) is first
    with opened(path) as (rows, columns):
        assert look(rows, columns, 3_000)["y"].filled == frame["y"].notna().sum() == first["y"].rows
    frame.head(10).to_parquet(path, index=False)
    with opened(path, "y") as (rows, columns):
        assert look(rows, columns, 10)["measured"].filled == frame.head(10)["y"].notna().sum()


def test_dates_are_told_where_each_row_has_its_own(bench, make_case):
    days = pd.date_range("1990-01-01", periods=MOST_SPELLED + 2_000, freq="h").strftime("%d/%m/%Y %H:%M")
    frame = pd.DataFrame({"day": days, "spoiled": [*days[:-1], "soon"], "y": ["no", "yes"] * (len(days) // 2)})
    terms = bench.infer(frame, make_case())
    assert terms.columns["day"].type == "date"
    assert terms.columns["day"].expect.minimum == "1990-01-01"
    assert terms.columns["spoiled"].type == "category"


def test_infinite_and_missing_numbers_have_no_part_in_the_range(bench, make_case):
    values = [*np.linspace(0, 99, 198), np.inf, np.nan]
    frame = pd.DataFrame({"x": values, "y": ["no", "yes"] * 100})
    limits = bench.infer(frame, make_case()).columns["x"].expect
    assert (limits.minimum, limits.maximum) == (0.0, 150.0)
    assert bench.found(frame, None, make_case())["finite", "x"].count == 1
    assert bench.found(frame, None, make_case())["outliers", "x"].count == 0
