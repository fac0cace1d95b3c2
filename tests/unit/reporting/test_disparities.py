import math

import pytest

from gristmill.reporting.disparities import extent, in_figures


@pytest.mark.parametrize(
    ("found", "value", "shown"),
    [
        ({"value": 0.5, "low": 0.4, "high": 0.6, "groups": ["f", "m"]}, 0.5, "0.500 (0.400\u20130.600)"),
        ({"value": None, "low": None, "high": None, "groups": ["f", "m"]}, math.inf, "infinite"),
        ({"value": math.inf, "low": math.inf, "high": math.inf, "groups": ["f", "m"]}, math.inf, "infinite"),
        ({"value": 2.0, "low": 1.0, "high": None, "groups": ["f", "m"]}, 2.0, "2.000 (1.000\u2013infinite)"),
        ({"value": 1.0, "low": 1e-290, "high": 1.0, "groups": ["f", "m"]}, 1.0, "1.000 (0.000\u20131.000)"),
        ({"value": 3, "groups": ["f", "m"]}, 3.0, "3.000"),
    ],
)
def test_what_json_has_no_number_for_is_infinite_where_groups_are_named(found, value, shown):
    assert extent(found) == value
    assert in_figures(found) == shown


@pytest.mark.parametrize("found", [None, {}, {"value": None, "groups": []}, {"value": None}, {"value": math.nan, "groups": []}])
def test_what_was_not_measured_is_no_number(found):
    assert math.isnan(extent(found))
    assert in_figures(found) == ""
