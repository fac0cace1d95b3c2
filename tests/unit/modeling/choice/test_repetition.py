"""What a registered version was made of is found again, whatever a stopwatch says now."""

from tests.unit.modeling.conftest import make_case

from gristmill import tracking, tracking_trials
from gristmill.modeling.choice.candidates import Candidate, choose
from gristmill.modeling.choice.repetition import ChosenBefore, chosen_before
from gristmill.paths import ProjectPaths


def made(name: str, score: float, row_ms: float, **weights: float) -> Candidate:
    return Candidate(name, score, 0.01, [score] * 5, weights or {name: 1.0}, row_ms, None)


FOUND = [
    made("ensemble of 2", 0.9, 9.0, linear=0.4, boosting=0.6),
    made("stack of 2", 0.9, 9.0, linear=0.4, boosting=0.6),
    made("linear", 0.7, 1.0),
]


def test_the_same_candidate_is_taken_though_another_is_now_fast_enough_or_better():
    then = ChosenBefore(3, "stack of 2", {"linear": 0.4, "boosting": 0.6})
    assert choose("roc_auc", FOUND, max_row_ms=2).candidate.name == "linear"
    again = then.among(FOUND)
    assert again is not None
    assert again.candidate is FOUND[1]
    assert "Version 3" in again.reason


def test_other_weights_or_another_name_are_another_candidate():
    assert ChosenBefore(3, "ensemble of 2", {"linear": 0.5, "boosting": 0.5}).among(FOUND) is None
    assert ChosenBefore(3, "ensemble of 2", {"linear": 1.0}).among(FOUND) is None
    assert ChosenBefore().among(FOUND) is None


def test_it_is_read_from_the_plan_of_the_version(tracked: ProjectPaths):
    chosen = {"name": "linear", "weights": {"linear": 1.0}}
    with tracking.build_run("repeated_choice", tracked.root) as run:
        tracking_trials.log_plan(run, {}, chosen)
    run.client.create_registered_model("repeated_choice")
    version = int(run.client.create_model_version("repeated_choice", "file:///nowhere", run_id=run.run_id).version)
    case = make_case(training={"replay": version}).model_copy(update={"name": "repeated_choice"})
    assert chosen_before(case, tracked.root) == ChosenBefore(version, **chosen)
    assert chosen_before(make_case()) == ChosenBefore()
