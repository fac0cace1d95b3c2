"""The behaviour of a case file, read against its table (R28)."""

import pytest
from tests.models import case_of, customers

from gristmill.data.contract.behaviour import read_segments, read_tests, require
from gristmill.data.contract.schema import infer
from gristmill.errors import DataError


def read(more, task="binary"):
    case = case_of(task, f"behaviour: {more}")
    return case.behaviour, infer(customers(), case)


@pytest.mark.parametrize(
    ("test", "task", "claim"),
    [
        ("{change: {tenure: up 12}, expect: not up}", "binary", "tenure up 12 → probability of Yes not up"),
        ("{change: {plan: any}, expect: same}", "binary", "plan another value → same answer"),
        ("{where: {tenure: at least 60}, answer: No}", "binary", "answer No, where tenure ≥ 60"),
        ("{maximum: 0.5, of: No}", "binary", "probability of No at most 0.5"),
        ("{change: {plan: '02'}, minimum: 1, maximum: 9}", "regression", "plan = 02 → spend at least 1 and at most 9"),
    ],
)
def test_a_test_is_read_as_a_claim(test, task, claim):
    assert read_tests(*read(f"{{tests: {{x: {test}}}}}", task))[0].claim == claim


def test_a_class_that_the_target_does_not_have_is_refused_with_the_nearest():
    with pytest.raises(
        DataError, match=r"`behaviour\.tests\.x\.answer` of the case file: 'no' is not a class of 'churn'; did you mean"
    ):
        require(*read("{tests: {x: {answer: no}}}"))


def test_a_level_that_a_sample_of_the_rows_lacks_may_be_one_of_the_others():
    behaviour, contract = read("{tests: {x: {where: {plan: rare}, answer: No}}}")
    with pytest.raises(DataError, match="the column 'plan' never holds 'rare'"):
        require(behaviour, contract)
    require(behaviour, contract, sampled=True)


def test_a_segment_names_its_place_in_the_file_when_it_is_wrong():
    segment = "{critical_segments: {new: {where: {tenur: 3}, success_criteria: {recall: 0.5}}}}"
    with pytest.raises(DataError, match=r"`behaviour.critical_segments.new.where` .* did you mean 'tenure'\?"):
        read_segments(*read(segment))
