"""Verdicts, and what they do to a build (R5)."""

import pytest

from gristmill.data.contract.checks import Check, broken, by_rule, require
from gristmill.errors import DataError, LeakageError

FINE = Check("type", "a", "stop", passed=True, count=0, message="fine")
WARNS = Check("varies", "b", "warn", passed=False, count=3, message="one value")
STOPS = Check("type", "c", "stop", passed=False, count=1, message="'c' is wrong")


def test_warnings_do_not_stop_a_build():
    require([FINE, WARNS])


def test_a_broken_rule_stops_it_with_its_sentence():
    with pytest.raises(DataError, match=r"^'c' is wrong$"):
        require([WARNS, STOPS])


def test_several_broken_rules_have_a_line_each():
    with pytest.raises(LeakageError) as caught:
        require([STOPS, STOPS], LeakageError)
    assert str(caught.value).count("\n  - 'c' is wrong") == 2


def test_the_table_of_broken_rules_begins_with_those_that_stop():
    assert broken([FINE, WARNS, STOPS])["column"].tolist() == ["c", "b"]
    assert broken([FINE]).empty


def test_rules_are_counted_by_verdict():
    counts = by_rule([FINE, WARNS, STOPS])
    assert counts.loc["type"].tolist() == [1, 0, 1]
    assert counts.loc["varies"].tolist() == [0, 1, 0]
