"""Behaviour tests of a case file on small models of each task: what breaks them, and what is reported (R28)."""

import json

import pytest
from tests.models import case_of

from gristmill.data.contract.behaviour import read_tests
from gristmill.evaluation.behaviour.answers import BUILT_IN, CASE, Subject
from gristmill.evaluation.behaviour.case_tests import run_test, run_tests
from gristmill.evaluation.errors.critical import score_critical, sentence, table
from gristmill.metrics.intervals import Bootstrap


def tried(evaluated, tests, task="binary", **more):
    found = evaluated(task)
    behaviour = case_of(task, f"behaviour: {{tests: {{x: {tests}}}}}").behaviour
    (test,) = read_tests(behaviour, found.model.contract)
    return run_test(Subject(found.model, found.test, found.scored, **more), test, behaviour.tolerance)


@pytest.mark.parametrize(
    ("task", "test", "passed"),
    [
        ("binary", "{change: {tenure: up 12}, expect: not up}", True),
        ("binary", "{change: {tenure: up 12}, expect: down}", True),
        ("binary", "{change: {tenure: up 12}, expect: not down}", False),
        ("binary", "{change: {tenure: up 12}, expect: up, of: No}", True),
        ("binary", "{change: {tenure: any}, expect: same}", False),
        ("binary", "{change: {tenure: any}, expect: same, margin: 1}", True),
        ("binary", "{change: {customer: any}, expect: same}", True),
        ("binary", "{where: {tenure: at least 60}, answer: No}", True),
        ("binary", "{where: {tenure: at least 60}, answer: Yes}", False),
        ("binary", "{change: {tenure: 0}, minimum: 0.5}", True),
        ("binary", "{change: {tenure: 0}, maximum: 0.5, of: No}", True),
        ("binary", "{change: {tenure: 0}, maximum: 0.5}", False),
        ("multiclass", "{change: {tenure: up}, expect: same, margin: 0.9}", True),
        ("multiclass", "{change: {charge: any}, expect: up, of: gold}", False),
        ("regression", "{change: {tenure: up 12}, expect: up}", True),
        ("regression", "{change: {tenure: down 10%}, expect: not up}", True),
        ("regression", "{change: {tenure: up 12}, expect: same}", False),
        ("regression", "{where: {tenure: at most 20}, maximum: 100}", True),
        ("regression", "{where: {tenure: at most 20}, minimum: 100}", False),
    ],
)
def test_a_model_that_learnt_that_tenure_lowers_churn_and_raises_spend_passes_what_is_true(evaluated, task, test, passed):
    outcome = tried(evaluated, test, task)
    assert outcome.tried > 0
    assert outcome.passed is passed
    assert outcome.worst["broke"] is (outcome.broke > 0)


def test_the_worst_row_is_told_in_the_words_of_the_table(evaluated):
    outcome = tried(evaluated, "{change: {tenure: up 12}, expect: not down}")
    worst, row = outcome.worst, evaluated("binary").test.loc[outcome.worst["row_key"]]
    assert worst["change"] == {"tenure": [str(row["tenure"]), f"{row['tenure'] + 12}"]}
    assert worst["before"].startswith("probability of Yes 0.")
    assert worst["before"] > worst["after"]
    assert worst["row"]["plan"] == row["plan"]


def test_the_share_of_the_rows_that_may_break_a_test_decides(evaluated):
    strict = tried(evaluated, "{change: {charge: any}, expect: not up, margin: 0, tolerance: 0}")
    share = strict.broke / strict.tried
    assert 0 < share < 1
    assert tried(evaluated, f"{{change: {{charge: any}}, expect: not up, margin: 0, tolerance: {share + 0.01}}}").passed
    assert not tried(evaluated, f"{{change: {{charge: any}}, expect: not up, margin: 0, tolerance: {share - 0.01}}}").passed


def test_a_test_that_no_row_can_be_tried_on_has_failed_and_says_so(evaluated):
    outcome = tried(evaluated, "{where: {tenure: above 1000}, answer: No}")
    assert (outcome.tried, outcome.passed, outcome.worst) == (0, False, None)
    assert "none fulfils `where`" in outcome.note


def test_only_as_many_rows_are_tried_as_the_case_allows(evaluated):
    assert tried(evaluated, "{change: {tenure: 5}, minimum: 0}", most_rows=30).tried == 30


def test_a_column_that_the_model_does_not_see_is_named(evaluated):
    assert tried(evaluated, "{change: {customer: any}, expect: same}").note == "the model does not see customer"


def test_tests_of_the_case_come_first_and_the_whole_is_plain_data(evaluated):
    found = evaluated("binary")
    behaviour = case_of(more="behaviour: {rows: 20, tests: {x: {answer: No}}}").behaviour
    made = run_tests(Subject(found.model, found.test, found.scored, behaviour.rows), behaviour, found.test)
    assert [one.source for one in made.outcomes] == [CASE, *[BUILT_IN] * 9]
    assert json.loads(json.dumps(made.as_product()))[0]["name"] == "x"
    assert made.table().index[0] == "x"
    assert made.sentence().startswith("**0** of 1 tests of the case file passed, **")


def criteria(evaluated, segments, task="binary"):
    found = evaluated(task)
    behaviour = case_of(task, f"behaviour: {{critical_segments: {segments}}}").behaviour
    few = Bootstrap(resamples=100)
    return score_critical(behaviour, found.model.contract, found.scored, found.test, threshold=0.4, bootstrap=few)


def test_a_critical_segment_is_scored_on_its_rows_alone(evaluated):
    found = evaluated("binary")
    (one, two) = criteria(evaluated, "{new: {where: {tenure: at most 20}, success_criteria: {recall: 0.9, log_loss: 0.1}}}")
    inside = (found.test["tenure"] <= 20).to_numpy()
    decided = found.scored.predicted[:, 1] >= 0.4
    positive = found.scored.y_true == 1
    assert one["n"] == inside.sum()
    assert one["value"] == pytest.approx((decided & positive & inside).sum() / (positive & inside).sum())
    assert one["low"] <= one["value"] <= one["high"]
    assert (one["met"], two["met"]) == (True, False)
    assert "**1** of 2 criteria of critical segments are met. Not met: **new** (Log loss" in sentence((one, two))
    assert table((one, two))["wanted"].tolist() == ["at least 0.9", "at most 0.1"]


def test_a_segment_without_rows_does_not_meet_its_criteria(evaluated):
    (one,) = criteria(evaluated, "{none: {where: {tenure: above 1000}, success_criteria: {rmse: 5}}}", "regression")
    assert (one["n"], one["met"]) == (0, False)
    assert sentence([]) == "The case file names no critical segment (`behaviour.critical_segments`)."
