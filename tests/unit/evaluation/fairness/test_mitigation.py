import pytest
from tests.models import case_of

from gristmill.evaluation.fairness.mitigation import frontier_figure, in_words, judged_measure, point_table
from gristmill.reporting.wording import UNKNOWN

POINTS = {
    "asked": "none",
    "reason": "Out of fold a limit between groups is exceeded.",
    "left_out": ["balancing 1"],
    "points": [
        {"name": "none", "model": "boosting", "score": 0.84, "accuracy": 0.8, "rule": "profit", "gain": 2100.0}
        | {"disparate_impact": 0.4, "equal_opportunity_difference": None, "keeps": False, "chosen": True},
        {"name": "thresholds selection 1", "model": "boosting", "score": 0.82, "accuracy": 0.78, "rule": "profit", "gain": 1900.0}
        | {"disparate_impact": 0.97, "equal_opportunity_difference": None, "keeps": True, "chosen": False},
    ],
}
NOTHING = {"asked": "none", "points": [], "left_out": [], "reason": "The case names no sensitive features."}


def test_each_point_is_a_line_with_quality_cost_and_disparity():
    table = point_table(POINTS, case_of())
    assert list(table.index) == ["none", "thresholds selection 1"]
    line = table.loc["none"]
    assert (line["ROC-AUC"], line["Profit per 1,000 rows"], line["Disparate impact"]) == ("0.840", "2,100", "0.400")
    assert (line["keeps the limits"], line["chosen"]) == ("no", "chosen")


def test_the_words_name_what_keeps_the_limits_and_what_was_left_out():
    words = in_words(POINTS)
    assert "Within all limits: `thresholds selection 1`." in words
    assert words.endswith("to be chosen all the same: `balancing 1`.")


def test_without_points_there_is_a_reason_and_an_empty_table():
    assert in_words(NOTHING) == "The case names no sensitive features."
    assert point_table(NOTHING, case_of()).empty
    assert "no sensitive features" in " ".join(
        text.get_text() for text in frontier_figure(NOTHING, case_of()).findobj(match=lambda one: hasattr(one, "get_text"))
    )


def test_the_figure_names_each_point_and_puts_the_more_alike_to_the_left():
    drawn = frontier_figure(POINTS, case_of())
    axes = drawn.axes[0]
    assert {text.get_text() for text in axes.texts} == {"none  ✓", "thresholds selection 1"}
    assert axes.xaxis_inverted()


@pytest.mark.parametrize(
    ("task", "more", "measure"),
    [
        ("binary", "", "disparate_impact"),
        ("binary", "fairness: {min_disparate_impact: null}", "equal_opportunity_difference"),
        ("regression", "fairness: {max_error_ratio: null}", "error_ratio"),
    ],
)
def test_the_figure_shows_the_first_measure_that_the_case_limits(task, more, measure):
    assert judged_measure(case_of(task, more)) == measure


def test_an_infinite_disparity_and_a_broken_intersection_are_named():
    points = [
        {"name": "none", "model": "linear", "score": 1.0, "error_ratio": None, "infinite": ["error_ratio"]}
        | {"intersections": {"error_ratio": "sex & age"}, "keeps": False, "chosen": True},
        {"name": "balancing 1", "model": "linear", "score": 1.0, "error_ratio": None, "infinite": [], "intersections": {}}
        | {"keeps": True, "chosen": False},
    ]
    table = point_table({**POINTS, "points": points}, case_of("regression"))
    assert table["Error ratio"].tolist() == ["infinite", UNKNOWN]
    assert table["keeps the limits"].tolist() == ["no (groups of sex & age)", "yes"]
