from typing import Any

import pytest
from tests.unit.reporting.builds.conftest import Builds, better, same

from gristmill.reporting.builds.differences import OTHER_ROWS, SAME_ROWS, differences, for_script
from gristmill.reporting.builds.facts import kinds_changed
from gristmill.reporting.builds.latest import latest_builds, since_the_build_before
from gristmill.reporting.builds.noise import BETTER, UNKNOWN, WITHIN_NOISE, WORSE, change_of


@pytest.mark.parametrize(
    ("metric", "earlier", "later", "verdict"),
    [
        ("roc_auc", (0.80, 0.78, 0.82), (0.86, 0.84, 0.88), BETTER),
        ("roc_auc", (0.80, 0.78, 0.82), (0.82, 0.80, 0.84), WITHIN_NOISE),
        ("log_loss", (0.40, 0.39, 0.41), (0.50, 0.49, 0.51), WORSE),
        ("rmse", (9.0, 8.5, 9.5), (7.0, 6.5, 7.5), BETTER),
        ("roc_auc", (0.80, None, None), (0.90, 0.89, 0.91), UNKNOWN),
    ],
)
def test_a_difference_is_told_from_noise_by_the_intervals(metric: str, earlier: Any, later: Any, verdict: str) -> None:
    assert change_of(metric, earlier, later).verdict == verdict


def test_the_interval_of_a_difference_is_recovered_from_those_of_the_values() -> None:
    change = change_of("roc_auc", (0.5, 0.47, 0.54), (0.6, 0.56, 0.63))
    assert change.value == pytest.approx(0.1)
    assert change.low == pytest.approx(0.1 - (0.04**2 + 0.04**2) ** 0.5)
    assert change.high == pytest.approx(0.1 + (0.03**2 + 0.03**2) ** 0.5)


def test_what_differs_is_named_by_section_and_the_rest_is_left_out(builds: Builds) -> None:
    first, second = builds(better)
    sections = differences(first, second)["sections"]
    found = {part["heading"]: {fact["name"]: (fact["before"], fact["after"]) for fact in part["facts"]} for part in sections}
    assert found["Data"]["rows"] == ("7,043", "7,500")
    assert found["Data"]["column <b>new</b>"] == ("\u2013", "int64")
    assert found["Code"] == {"gristmill.modeling.search": ("bbbb", "cccc")}
    assert found["Parameters of the case file"] == {"training.budget_seconds": ("60.0", "120.0")}
    assert found["Gates"]["Schema compliance"] == ("passed: 1, limit \u2265 1", "failed: 0.5, limit \u2265 1")
    assert found["Seconds by stage"] == {}


def test_metrics_are_compared_on_each_part_of_the_rows(builds: Builds) -> None:
    first, second = builds(better)
    test = {row["name"]: row for row in differences(first, second)["metrics"][0]["rows"]}
    assert (test["ROC-AUC"]["before"], test["ROC-AUC"]["after"]) == ("0.846 (0.824\u20130.868)", "0.906 (0.890\u20130.920)")
    assert (test["ROC-AUC"]["change"], test["ROC-AUC"]["verdict"]) == ("+0.060", BETTER)
    assert test["F1"]["verdict"] == WITHIN_NOISE


def test_other_test_rows_are_said_to_be_others(builds: Builds) -> None:
    first, second, third = builds(same, lambda entry: entry["data"].update(test_rows="other"))
    assert differences(first, second)["rows"] == SAME_ROWS
    assert differences(second, third)["rows"] == OTHER_ROWS


def test_the_script_gets_only_what_differs_between_any_two_builds(builds: Builds) -> None:
    sections = {part["heading"]: part["facts"] for part in for_script(builds(better, same))["sections"]}
    assert sections["Parameters of the case file"] == [["training.budget_seconds", ["60.0", "120.0"], [0, 1, 1]]]
    assert sections["Model"] == []


def test_what_changed_since_the_build_before_is_told_in_a_sentence(builds: Builds) -> None:
    entries = builds(better, same)
    assert kinds_changed(*entries[:2]) == ("data", "code", "parameters")
    assert since_the_build_before(entries[:1]) == ""
    assert since_the_build_before(entries[:2]) == (
        "Since build 1: data, code and parameters changed. ROC-AUC on the test rows +0.060: better, by more than noise."
    )
    assert since_the_build_before(entries).startswith("Since build 2: neither data nor code nor parameters changed.")


def test_the_latest_builds_of_all_cases_are_listed_the_last_first(builds: Builds) -> None:
    entries = builds(better, same)
    found = latest_builds({"a": entries[:2], "b": entries[2:]}, 2)
    assert [(one["case"], one["number"], one["verdict"]["text"]) for one in found] == [
        ("b", 3, "1 gate failed"),
        ("a", 2, "1 gate failed"),
    ]
