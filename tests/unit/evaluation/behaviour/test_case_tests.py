"""Behaviour tests of a case file on small models of each task: what breaks them, and what is reported (R28)."""

import dataclasses
import json

import numpy as np
import pytest
from tests.models import case_of

from gristmill.data.contract.behaviour import read_tests
from gristmill.evaluation.behaviour.answers import BUILT_IN, CASE, Subject
from gristmill.evaluation.behaviour.case_tests import run_test, run_tests
from gristmill.evaluation.errors.critical import reached_by, score_critical, sentence, table
from gristmill.metrics.intervals import Bootstrap
from gristmill.metrics.paired import Answers

TWO = {"baseline": Answers(np.zeros(200)), "champion": Answers(np.ones(200))}


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


def test_another_model_is_put_to_the_same_tests_and_decides_nothing(evaluated):
    found = evaluated("binary")
    behaviour = case_of(more="behaviour: {rows: 20, tests: {x: {change: {tenure: up 12}, expect: not up, margin: 0}}}").behaviour
    subject = Subject(found.model, found.test, found.scored, behaviour.rows)
    turned = dataclasses.replace(found.model, open_pipeline=lambda: Turned(found.model.pipeline), compiled={})
    champion = subject.beside(turned, dataclasses.replace(found.scored, predicted=found.scored.predicted[:, ::-1]))
    made = run_tests(subject, behaviour, found.test, {"champion": champion})
    alone = run_tests(subject, behaviour, found.test)
    assert (made.outcomes, made.sentence()) == (alone.outcomes, alone.sentence())
    tried_on = made.outcomes[0].tried
    assert tried_on > 0
    assert made.as_product()[0]["others"] == {"champion": {"tried": tried_on, "broke": tried_on, "passed": False}}
    assert made.table()["champion"].tolist() == [f"{tried_on} (100.0 %)", *["0"] * 8, ""]
    assert "champion" not in alone.table().columns


class Turned:
    """A pipeline that answers the opposite of another one."""

    def __init__(self, pipeline):
        self.pipeline = pipeline

    def predict_proba(self, X):
        return self.pipeline.predict_proba(X)[:, ::-1]


def criteria(evaluated, segments, task="binary", others=None):
    found = evaluated(task)
    behaviour = case_of(task, f"behaviour: {{critical_segments: {segments}}}").behaviour
    few = Bootstrap(resamples=100)
    return score_critical(behaviour, found.model.contract, found.scored, found.test, threshold=0.4, bootstrap=few, others=others)


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


def test_what_others_reach_on_a_critical_segment_is_told_at_their_own_threshold_and_decides_nothing(evaluated):
    found = evaluated("binary")
    inside = (found.test["tenure"] <= 20).to_numpy()
    positive = (found.scored.y_true == 1) & inside
    others = {"baseline": Answers(np.tile([1.0, 0.0], (200, 1)), 0.4), "champion": Answers(found.scored.predicted, 0.8)}
    stated = "{new: {where: {tenure: at most 20}, success_criteria: {recall: 0.99, log_loss: 0.1, accuracy: 0.1}}}"
    lines = criteria(evaluated, stated, others=others)
    recall, loss, accuracy = lines
    assert recall["others"]["baseline"] == 0
    assert recall["others"]["champion"] == pytest.approx((found.scored.predicted[positive, 1] >= 0.8).mean())
    assert loss["others"]["champion"] == pytest.approx(loss["value"])
    assert [one["met"] for one in lines] == [one["met"] for one in criteria(evaluated, stated)]
    assert f"the champion misses it too, with {loss['value']:.3f}" in sentence(lines)
    assert table(lines)["champion"].tolist()[1:] == [f"{loss['value']:.3f} (missed)", f"{accuracy['others']['champion']:.3f}"]


def test_a_champion_that_does_better_or_could_not_be_measured_is_told_so():
    missed = {"name": "new", "metric": "rmse", "value": 7.0, "wanted": 5, "met": False, "others": {"champion": 4.0}}
    assert sentence([missed]).endswith("Not met: **new** (RMSE 7.000; the champion meets it, with 4.000).")
    assert reached_by({**missed, "value": 4.5, "others": {"champion": 6.0}}) == "the champion misses it, with 6.000"
    for unknown in ({}, {"champion": None}, {"champion": float("nan")}):
        assert reached_by({**missed, "others": unknown}) == ""


def test_a_segment_without_rows_does_not_meet_its_criteria(evaluated):
    (one,) = criteria(evaluated, "{none: {where: {tenure: above 1000}, success_criteria: {rmse: 5}}}", "regression", TWO)
    assert (one["n"], one["met"]) == (0, False)
    assert np.isnan(one["others"]["champion"])
    assert table([one])["champion"].tolist() == ["\u2013"]
    assert sentence([]) == "The case file names no critical segment (`behaviour.critical_segments`)."
