"""What is said to do about a gate that failed."""

import re

import pytest

from gristmill.config.case import Case
from gristmill.config.fairness_limits import CLASS_LIMITS, NUMBER_LIMITS
from gristmill.registry.gates import at_most, failures, table
from gristmill.registry.remedies import COMMON, REMEDIES, remedy

NAMES = [*REMEDIES, *CLASS_LIMITS, *NUMBER_LIMITS, "success_roc_auc", "segment_first_year_roc_auc"]


@pytest.mark.parametrize("name", NAMES)
def test_every_key_that_a_remedy_names_is_one_of_the_case_file(name: str):
    said = remedy(name)
    assert said != COMMON
    for section, key in re.findall(r"`([a-z]+)\.([a-z_]+)`", said):
        assert key in Case.model_fields[section].annotation.model_fields, (section, key)


def test_a_gate_without_a_remedy_of_its_own_gets_the_common_one():
    assert remedy("of_a_later_day") == COMMON


def test_the_table_and_the_report_say_what_would_have_to_change():
    failed = at_most("fold_consistency", "training", 0.077, 0.05, "Spread of RMSE over 5 folds relative to its mean")
    lines = table([failed]).splitlines()
    assert lines[-3:-1] == ["what would have to change", f"  Fold consistency: {remedy('fold_consistency')}"]
    assert lines[-1] == "0 of 1 measured gates passed."
    assert failures([failed]).endswith(f"needs <= 0.05. {remedy('fold_consistency')}")
    assert failures([failed, failed]).count("\n- ") == 2
    assert failures([]) == ""
