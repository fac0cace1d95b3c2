"""A test score too far from the out-of-fold score is said to be suspicious (R11)."""

import pytest

from gristmill.evaluation.gap import suspicious_gap


def found(value: float, width: float = 0.01) -> dict:
    return {"value": value, "low": value - width, "high": value + width}


@pytest.mark.parametrize(
    ("metric", "test", "validation", "said"),
    [
        ("roc_auc", 0.95, 0.85, "better than chance allows"),
        ("roc_auc", 0.75, 0.85, "worse than chance allows"),
        ("rmse", 5.0, 8.0, "better than chance allows"),
        ("rmse", 8.0, 5.0, "worse than chance allows"),
    ],
)
def test_a_gap_beyond_both_intervals_and_a_tenth_of_the_loss_is_suspicious(metric, test, validation, said):
    sentence = suspicious_gap(found(test), found(validation), metric)
    assert sentence.startswith("Suspicious gap")
    assert said in sentence


def test_intervals_that_overlap_are_not_suspicious():
    assert suspicious_gap(found(0.75, 0.06), found(0.85, 0.06), "roc_auc") is None


def test_a_small_gap_between_narrow_intervals_is_not_suspicious():
    assert suspicious_gap(found(0.845, 0.001), found(0.85, 0.001), "roc_auc") is None


def test_what_has_no_interval_is_not_judged():
    assert suspicious_gap({"value": 0.5, "low": None, "high": None}, found(0.9), "roc_auc") is None
