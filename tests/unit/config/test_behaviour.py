"""Behaviour tests and critical segments of a case file: what is accepted, what is refused, and in which words (R28)."""

import pytest
from tests.models import case_of

from gristmill.config.loading import parse_case
from gristmill.errors import CaseFileError

MULTICLASS = "name: small\ntask: multiclass\nsource: t.csv\ntarget: tier\n"


def refusal(more: str, task: str = "binary") -> str:
    with pytest.raises(CaseFileError) as error:
        case_of(task, f"behaviour: {more}")
    return str(error.value)


def test_tests_and_segments_are_read_with_the_types_they_have():
    more = """
behaviour:
  tolerance: 0.1
  tests:
    longer: {change: {tenure: up 12}, expect: not up}
    short: {where: {tenure: [1, 2], since: 2024-01-31}, answer: Yes}
  critical_segments:
    new: {where: {tenure: at most 3}, success_criteria: {recall: 0.7}}
"""
    behaviour = case_of(more=more).behaviour
    assert behaviour.tests["longer"].change == {"tenure": "up 12"}
    assert behaviour.tests["short"].where == {"tenure": (1, 2), "since": "2024-01-31"}
    assert behaviour.critical_segments["new"].success_criteria == {"recall": 0.7}
    assert (behaviour.tolerance, behaviour.tests["longer"].tolerance) == (0.1, None)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("{change: {a: up}}", "say what is expected: `expect`, `answer`, `minimum` or `maximum`"),
        ("{expect: same}", "`expect: same` needs a `change`"),
        ("{change: {a: up}, expect: up, answer: No}", "give either `expect` or `answer`, not both"),
        ("{answer: No, of: Yes}", "`answer` is a class and `of` is about a probability"),
        ("{answer: No, margin: 0.1}", "`margin` is about moves"),
        ("{minimum: 0.9, maximum: 0.1}", "expected `minimum` up to `maximum`, got 0.9 and 0.1"),
        ("{maximum: 20}", "`behaviour.tests.x.maximum` is a probability between 0 and 1, got 20"),
        ("{change: {a: up}, expect: rise}", "'not up' or 'not down', got 'rise'"),
        ("{change: {a: up}, expct: up}", "unknown key `behaviour.tests.x.expct`; did you mean 'expect'?"),
    ],
)
def test_a_test_that_says_nothing_or_too_much_is_refused(test: str, message: str):
    assert message in refusal(f"{{tests: {{x: {test}}}}}")


def test_classes_have_no_meaning_for_numbers_and_have_to_be_named_among_several():
    told = "`behaviour.tests.x.answer` is about classes and has no meaning for a regression task"
    assert told in refusal("{tests: {x: {answer: No}}}", "regression")
    several = "behaviour: {tests: {x: {change: {a: up}, expect: not up}}}"
    with pytest.raises(CaseFileError, match=r"`behaviour\.tests\.x` needs `of`: the class whose probability is meant"):
        parse_case(MULTICLASS + several, "x")
    assert parse_case(MULTICLASS + several.replace("not up", "same"), "x").behaviour.tests["x"].of is None


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ("{where: {}, success_criteria: {recall: 1}}", "`where` is empty; name at least one column"),
        ("{where: {a: 1}, success_criteria: {}}", "`success_criteria` is empty; name at least one metric"),
        ("{where: {a: 1}, success_criteria: {rmse: 1}}", "metric 'rmse' is not one of a binary task"),
        ("{where: {a: 1}, success_criteria: {recall: 1.5}}", "success_criteria.recall`: this metric is between 0 and 1, got 1.5"),
        ("{where: {a: 1}}", "the key `behaviour.critical_segments.new.success_criteria` is missing"),
    ],
)
def test_a_critical_segment_that_every_model_or_none_would_pass_is_refused(segment: str, message: str):
    assert message in refusal(f"{{critical_segments: {{new: {segment}}}}}")


def test_names_that_would_be_one_gate_are_refused():
    segment = "{where: {a: 1}, success_criteria: {recall: 0.5}}"
    told = refusal(f"{{critical_segments: {{New ones: {segment}, new-ones: {segment}}}}}")
    assert "the name 'new-ones' is that of 'New ones' but for signs and capitals" in told
