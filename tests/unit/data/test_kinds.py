"""What a column holds is told from its values (R5)."""

import pandas as pd
import pytest

from gristmill.data.kinds import find_date_format, kind_of, parse_dates


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "numeric"),
        ([0.5, None], "numeric"),
        ([True, False], "boolean"),
        ([True, None], "boolean"),
        (["a", None], "categorical"),
        ([None, None], "categorical"),
        (["2024-01-31", "2024-02-01", None], "date"),
        ([pd.Timestamp("2024-01-01")], "date"),
        ([f"this is review {n}, quite good" for n in range(30)], "text"),
        ([f"K{n}" for n in range(30)], "categorical"),
        (["a level of words"] * 30, "categorical"),
    ],
)
def test_the_kind_of_a_column_follows_from_its_values(values, kind):
    values = pd.Series(values, dtype=object if isinstance(values[0], str) or (values[-1] is None and values[0] is True) else None)
    assert kind_of(values)[0] == kind


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["2024-01-31", "2024-02-01"], "2024-01-31"),
        (["2024-01-31T10:00:00Z", "2024-01-31T12:00:00+01:00"], "2024-01-31 10:00"),
        (["31.01.2024", "01.02.2024"], "2024-01-31"),
        (["01/31/2024", "02/01/2024"], "2024-01-31"),
        (["31/01/2024", "01/02/2024"], "2024-01-31"),
        (["2024/01/31", "2024/02/01"], "2024-01-31"),
        (["31 Jan 2024", "01 Feb 2024"], "2024-01-31"),
        (["Jan 31, 2024", "Feb 01, 2024"], "2024-01-31"),
        (["31-01-2024", "01-02-2024"], "2024-01-31"),
        (["31/01/2024 10:30", "01/02/2024 00:00"], "2024-01-31 10:30"),
    ],
)
def test_dates_are_read_in_the_one_format_that_fits_all(texts, first):
    values = pd.Series(texts)
    found = find_date_format(values)
    assert parse_dates(values, found)[0] == pd.Timestamp(first)


@pytest.mark.parametrize("texts", [["2024-01-31", "soon"], ["1.5", "2.5"], ["10", "20"], ["31/01/2024", "01/31/2024"], []])
def test_what_is_not_all_dates_in_one_format_is_none(texts):
    assert find_date_format(pd.Series(texts, dtype=object)) is None


def test_moments_lose_their_zone_but_not_their_time():
    values = pd.Series(pd.to_datetime(["2024-01-01T01:00:00+01:00"]))
    assert parse_dates(values, None)[0] == pd.Timestamp("2024-01-01")
