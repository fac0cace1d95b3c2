"""Titles say what figures have found, and only what the numbers drawn say."""

import numpy as np
import pytest

from gristmill.reporting.plots import classification, decisions, evidence, training
from gristmill.reporting.plots.headlines import moved_most
from gristmill.reporting.plots.style import canvas


def test_a_ranking_is_told_by_how_often_one_row_is_above_the_other():
    truth, score = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9])
    assert classification.roc_curve(truth, score, ("No", "Yes")).title == "ROC: a Yes is ranked above another row 75 % of the time"
    assert (
        classification.pr_curve(truth, score, ("No", "Yes")).title == "Precision against recall: 0.833 on average, 0.500 at random"
    )


def test_a_calibration_is_told_by_its_mean_gap_in_points():
    truth = np.repeat([1, 0, 1, 0], [30, 70, 80, 20])
    said = np.repeat([0.4, 0.4, 0.8, 0.8], [30, 70, 80, 20])
    assert "on average 5.0 points" in decisions.calibration_curve(truth, said, n_bins=2).title


@pytest.mark.parametrize(
    ("name", "place"), [("profit", "greatest at a threshold of 0.500"), ("cost", "least at a threshold of 0.900")]
)
def test_the_best_threshold_is_that_of_the_first_curve(name: str, place: str):
    title = decisions.threshold_curve([0.1, 0.5, 0.9], {name: [10, 2000, -5]}, chosen=0.1).title
    assert place in title
    assert title.endswith("; 0.100 is in force")


def test_the_weakest_segment_is_the_worst_whichever_way_the_metric_improves():
    parts = [{"segment": "a", "n": 9, "value": 0.5}, {"segment": "b", "n": 9, "value": 0.7}]
    assert evidence.segments(parts, "roc_auc", overall=0.6).title == "ROC-AUC 0.500 where a, 0.600 over all rows"
    assert evidence.segments(parts, "rmse").title == "RMSE 0.700 where b"


def test_groups_that_are_too_small_to_judge_are_in_no_title():
    groups = [
        {"group": name, "n": 40, "value": value, "small": name == "c"} for name, value in (("a", 0.4), ("b", 0.6), ("c", 0.9))
    ]
    assert evidence.group_bars(groups, "recall", feature="sex").title == "Recall by sex: from 0.400 (a) to 0.600 (b)"
    assert evidence.group_bars(groups[:1], "recall", feature="sex").title == "Recall by sex"


def test_a_learning_curve_says_what_the_last_rows_added():
    title = training.learning_curve([100, 1000, 2000], [0.9, 0.9, 0.9], [[0.7, 0.7], [0.7, 0.8], [0.76, 0.78]], "accuracy").title
    assert title == "Accuracy 0.770 with 2,000 rows: the last 1,000 changed it by +0.020"


def test_the_column_that_moves_predictions_most_is_named_with_its_ends():
    assert moved_most([{"feature": "a", "mean": [0.1, 0.2]}, {"feature": "b", "mean": [0.5, 0.1]}]).startswith(
        "b moves the mean prediction most, between 0.100"
    )


def test_a_long_title_takes_a_second_line_and_makes_the_figure_higher():
    short, long = canvas("short")[0], canvas("a word and another " * 8)[0]
    assert "\n" in long.get_suptitle()
    assert long.title == ("a word and another " * 8).strip()
    assert long.get_size_inches()[1] > short.get_size_inches()[1]
    assert max(len(line) for line in long.get_suptitle().splitlines()) < 84
