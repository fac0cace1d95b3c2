"""Every trial is a run with parameters, scores, seconds, memory and curves; the plan of a version is kept (R19, R22, R23)."""

import time
from collections.abc import Iterator

import pytest

from gristmill import tracking, tracking_trials
from gristmill.errors import RegistryError
from gristmill.paths import ProjectPaths


@pytest.fixture
def family(tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[tracking.Run]:
    monkeypatch.setenv(tracking.BUILD_ID, f"id-{request.node.name[:60]}")
    with tracking.build_run("trials", tracked.root) as parent, tracking.child_run(parent, "boosting", started=1_000_000.0) as run:
        yield run


def trial(number: int, **more: object) -> dict:
    common = {"params": {"depth": 3, "rate": 0.1}, "fold_scores": [0.7, 0.8], "score": 0.75, "std": 0.05, "seconds": 2.0}
    return {"number": number, "status": "finished", "origin": "default", "started": 1_000_000.0, **common, **more}


def found(*trials: dict, best: int | None = None) -> dict:
    won = next((one for one in trials if one["number"] == best), None)
    return {"family": "boosting", "trials": list(trials), "best": None if won is None else {**won, "row_ms": 1.5}}


def history(run: tracking.Run, run_id: str, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in run.client.get_metric_history(run_id, name)]


def test_a_trial_is_a_run_under_its_family_that_a_stranger_can_read(family: tracking.Run, tracked: ProjectPaths) -> None:
    curve, train_curve = [(1, 0.6), (50, 0.4)], [(1, 0.5), (50, 0.1)]
    ids = tracking_trials.log_search(
        family, found(trial(0), trial(1, curve=curve, train_curve=train_curve, peak_mb=321.5), best=1), "roc_auc"
    )
    assert tracking.count_children(family.run_id, tracked.root) == 2
    run = family.client.get_run(ids[1])
    assert run.info.run_name == "boosting trial 01, best"
    assert (run.info.start_time, run.info.end_time) == (1_000_000_000, 1_000_002_000)
    assert run.data.params == {"family": "boosting", "depth": "3", "rate": "0.1"}
    assert {name: run.data.tags[name] for name in ("trial", "status", "origin", "best")} == {
        "trial": "1",
        "status": "finished",
        "origin": "default",
        "best": "true",
    }
    metrics = {"roc_auc": 0.75, "roc_auc_std": 0.05, "seconds": 2.0, "peak_mb": 321.5, "fold_roc_auc": 0.8}
    assert run.data.metrics == {**metrics, "validation_loss": 0.4, "training_loss": 0.1}
    assert history(family, ids[1], "fold_roc_auc") == [(0, 0.7), (1, 0.8)]
    assert history(family, ids[1], "validation_loss") == curve


def test_the_family_holds_the_best_figures_the_load_and_the_curve(family: tracking.Run) -> None:
    load = [{"timestamp": 1_000_000.0 + second, "system/cpu_utilization_percentage": 50.0 + second} for second in range(3)]
    tracking_trials.log_search(family, found(trial(0, curve=[(1, 0.6)]), best=0), "roc_auc", load)
    run = family.client.get_run(family.run_id)
    assert run.data.metrics["roc_auc"] == 0.75
    assert (run.data.metrics["trials"], run.data.metrics["search_seconds"]) == (1, 2)
    assert run.info.start_time == 1_000_000_000
    assert history(family, family.run_id, "system/cpu_utilization_percentage") == [(0, 50.0), (1, 51.0), (2, 52.0)]
    assert history(family, family.run_id, "validation_loss") == [(1, 0.6)]


def test_trials_that_were_given_up_or_failed_are_told_apart(family: tracking.Run) -> None:
    failed = trial(2, status="failed", fold_scores=[], score=None, error="ValueError: no")
    ids = tracking_trials.log_trials(family, [trial(0, status="pruned"), trial(1, status="stopped", score=None), failed])
    runs = [family.client.get_run(run_id) for run_id in ids]
    assert [run.info.status for run in runs] == ["KILLED", "KILLED", "FAILED"]
    assert runs[2].data.tags["mlflow.note.content"] == "ValueError: no"
    assert runs[2].data.tags["status"] == "failed"


def test_sixty_trials_with_curves_take_seconds(family: tracking.Run) -> None:
    curve = [(stage, 1 / stage) for stage in range(1, 61)]
    started = time.process_time()
    tracking_trials.log_trials(family, [trial(number, curve=curve, train_curve=curve) for number in range(60)])
    assert time.process_time() - started < 15  # CPU seconds, two of which are typical: other work does not count


def registered(run: tracking.Run, name: str) -> int:
    run.client.create_registered_model(name)
    return int(run.client.create_model_version(name, "file:///nowhere", run_id=run.run_id).version)


def test_the_plan_of_a_version_is_read_back(family: tracking.Run, tracked: ProjectPaths) -> None:
    plan = {"trials": [{"number": 0, "proposed": {"rate": 0.1 + 0.2}}], "best": 0}
    tracking_trials.log_plan(family, {"linear": {"plan": plan}, "neural": {"plan": {}}})
    version = registered(family, "planned")
    assert tracking_trials.training_plan("planned", version, tracked.root) == {"linear": plan}


def test_a_version_that_is_not_there_is_a_sentence(family: tracking.Run, tracked: ProjectPaths) -> None:
    registered(family, "known")
    with pytest.raises(RegistryError, match="registered version of known, got 7; there is 1"):
        tracking_trials.training_plan("known", 7, tracked.root)
    with pytest.raises(RegistryError, match="there is none yet"):
        tracking_trials.training_plan("unknown", 1, tracked.root)


def test_a_version_without_a_plan_is_a_sentence(family: tracking.Run, tracked: ProjectPaths) -> None:
    version = registered(family, "planless")
    with pytest.raises(RegistryError, match="registered without a plan of its training"):
        tracking_trials.training_plan("planless", version, tracked.root)


def test_trials_of_a_search_that_was_continued_are_added_once(family: tracking.Run, tracked: ProjectPaths) -> None:
    tracking_trials.log_search(family, found(trial(0), best=0), "roc_auc")
    longer = {**found(trial(0), trial(1, score=0.9), trial(2), best=1), "mlflow_run_id": family.run_id}
    for _ in range(2):
        tracking_trials.log_more_trials(family, {"boosting": longer}, "roc_auc")
    assert tracking.count_children(family.run_id, tracked.root) == 3
    assert family.client.get_run(family.run_id).data.metrics["roc_auc"] == 0.9
