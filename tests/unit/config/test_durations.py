"""Lengths of time, and where a case file may say one."""

import pytest

from gristmill.config.durations import seconds
from gristmill.config.loading import parse_case
from gristmill.errors import CaseFileError

CASE = "name: small\ntask: binary\npositive_class: 'yes'\nsource: x.csv\ntarget: y\n"


@pytest.mark.parametrize(
    ("text", "value"), [("7 days", 604_800), ("1 day", 86_400), ("12 hours", 43_200), ("90 Minutes", 5_400), ("0.5 weeks", 302_400)]
)
def test_a_duration_is_a_number_with_its_unit(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["7", "days", "0 days", "-1 day", "2 months", "7 days or so", ""])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="such as `7 days` or `12 hours`"):
        seconds(text)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("time_column: t\nsplit: {gap: soon}", "expected a duration above zero with its unit"),
        ("time_column: t\nsplit: {gap: -3}", "expected a number above zero, got -3"),
        ("time_column: t\nsplit: {gap: true}", "expected a number above zero, got True"),
        ("split: {gap: 7 days}", "belongs to a split by time, and this one is stratified"),
        ("split: {strategy: stratified_group}", "needs `group_column`"),
    ],
)
def test_a_case_file_that_cannot_be_split_so_is_refused(lines, said):
    with pytest.raises(CaseFileError, match=said):
        parse_case(CASE + lines, "configs/small.yaml")


def test_classes_are_needed_to_balance_groups_by_class():
    text = "name: small\ntask: regression\nsource: x\ntarget: y\ngroup_column: g\nsplit: {strategy: stratified_group}"
    with pytest.raises(CaseFileError, match="needs classes; use `group`"):
        parse_case(text, "configs/small.yaml")
