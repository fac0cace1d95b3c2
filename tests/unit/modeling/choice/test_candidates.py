"""The best candidate is chosen, unless a simpler or faster one is not worse beyond noise."""

import numpy as np
import pytest

from gristmill.modeling.choice.candidates import Candidate, blocks_of, candidate, choose, lead
from gristmill.modeling.choice.stacking import MetaModel
from gristmill.modeling.latency import COMPILED


def proba(positive: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - positive, positive])


def make(name: str, scores: list[float], members: int = 1, row_ms: float = 1.0, **more) -> Candidate:
    weights = {f"{name} {member}": 1 / members for member in range(members)}
    return Candidate(name, float(np.mean(scores)), float(np.std(scores)), scores, weights, row_ms, np.zeros(1), **more)


def test_a_clear_winner_is_chosen_though_it_is_slower():
    best = make("ensemble", [0.90, 0.91, 0.92, 0.93], members=3, row_ms=50)
    choice = choose("roc_auc", [best, make("linear", [0.80, 0.81, 0.82, 0.83])])
    assert choice.candidate is best
    assert choice.in_time is None
    assert "larger than noise." in choice.reason


def test_within_noise_the_simpler_candidate_is_chosen():
    best = make("ensemble", [0.90, 0.80, 0.92, 0.84], members=2)
    simple = make("linear", [0.86, 0.85, 0.86, 0.86])
    choice = choose("roc_auc", [best, simple])
    assert choice.candidate is simple
    assert "which is within the standard error of that difference over the folds" in choice.reason
    assert choice.reason[0].isupper()
    assert choice.reason.endswith("ms a row).")


def test_the_best_that_is_the_simplest_as_well_leads_over_none_simpler():
    best, slower = make("linear", [0.9, 0.91, 0.92]), make("ensemble", [0.8, 0.81, 0.82], members=2)
    assert choose("roc_auc", [best, slower]).reason == "Linear has the best ROC-AUC, 0.910, and no candidate is simpler."


def test_of_equal_candidates_the_simplest_is_chosen():
    scores = [0.8, 0.85, 0.9]
    stack = make("stack", scores, members=2, meta=MetaModel(2))
    blended, alone = make("ensemble", scores, members=2), make("forest", scores)
    assert choose("roc_auc", [stack, blended, alone]).candidate is alone
    assert choose("roc_auc", [stack, blended]).candidate is blended


def test_among_equally_simple_ones_the_faster_family_is_chosen_whatever_the_stopwatch_says():
    forest, linear = (
        Candidate(name, 0.85, 0.05, [0.8, 0.9], {name: 1.0}, row_ms, np.zeros(1))
        for name, row_ms in (("forest #3", 2.0), ("linear #1", 20.0))
    )
    assert choose("roc_auc", [forest, linear]).candidate is linear


def test_a_candidate_that_is_fast_enough_is_preferred_to_a_better_one_that_is_not():
    best = make("forest", [0.90, 0.91, 0.92], row_ms=17)
    fast, fastest = make("boosting", [0.85, 0.86, 0.87], row_ms=0.4, form=COMPILED), make("linear", [0.7, 0.71, 0.72], row_ms=0.1)
    choice = choose("roc_auc", [best, fast, fastest], max_row_ms=1)
    assert choice.candidate is fast
    assert choice.in_time is True
    assert choice.reason.endswith(
        "2 of 3 candidates answer one row within 1 ms (`serving.max_row_ms`), and only they were compared; without that limit "
        "forest would have been chosen, with 0.910."
    )


def test_the_limit_on_time_costs_nothing_where_the_best_keeps_it():
    best = make("boosting", [0.90, 0.91, 0.92], row_ms=0.5)
    choice = choose("roc_auc", [best, make("forest", [0.8, 0.81, 0.82], row_ms=30)], max_row_ms=1)
    assert (choice.candidate, choice.in_time) == (best, True)
    assert choice.reason.endswith("It answers one row within 1 ms (`serving.max_row_ms`).")


def test_where_no_candidate_is_fast_enough_the_best_is_taken_and_the_reason_says_so():
    best, other = make("forest", [0.90, 0.91, 0.92], row_ms=17.4), make("linear", [0.8, 0.81, 0.82], row_ms=8.25)
    choice = choose("roc_auc", [best, other], max_row_ms=1)
    assert (choice.candidate, choice.in_time) == (best, False)
    assert choice.reason.endswith(
        "No candidate answers one row within 1 ms (`serving.max_row_ms`): the fastest, linear, takes 8.250 ms as a plain pipeline; "
        "so the limit did not decide."
    )


def test_where_no_candidate_is_fast_enough_models_of_many_members_are_left_out():
    best = make("stack of 9", [0.90, 0.91, 0.92], members=9, row_ms=109)
    good = make("ensemble of 3", [0.89, 0.90, 0.91], members=3, row_ms=39)
    fastest = make("linear", [0.70, 0.71, 0.72], row_ms=13)
    choice = choose("roc_auc", [best, good, fastest], max_row_ms=1)
    assert (choice.candidate, choice.in_time) == (good, False)
    assert choice.reason.endswith(
        " ms as a plain pipeline; so models of more than 3 members, which take that long for each, were left out; without that "
        "stack of 9 would have been chosen, with 0.910."
    )
    assert choose("roc_auc", [best, good, fastest]).candidate is best
    assert choose("roc_auc", [best, good, fastest], max_row_ms=200).candidate is best


def test_a_lower_error_leads():
    ahead, error = lead("rmse", make("a", [1.0, 2.0]), make("b", [1.5, 2.5]))
    assert (ahead, error) == (0.5, 0.0)


def test_a_single_validation_set_is_cut_into_parts():
    blocks = blocks_of([(np.arange(10), np.arange(10, 33))])
    assert len(blocks) == 5
    assert sorted(np.concatenate([valid for _, valid in blocks])) == list(range(10, 33))


def test_folds_that_cannot_say_are_left_out_of_the_score():
    y = np.array([0, 0, 0, 1, 0, 1])
    folds = [(np.arange(6), np.array([0, 1])), (np.arange(6), np.array([2, 3])), (np.arange(6), np.array([4, 5]))]
    one = candidate("a", "roc_auc", y, proba(np.array([0.5, 0.5, 0.1, 0.9, 0.1, 0.9])), folds, {"a": 1.0}, 1.0)
    assert np.isnan(one.fold_scores[0])
    assert one.score == pytest.approx(1.0)
