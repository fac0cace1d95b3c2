"""A registered version's training is repeated bit for bit, and never on other grounds (R22)."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.unit.modeling.conftest import make_case, make_frame, make_rows

from gristmill import tracking, tracking_trials
from gristmill.errors import DataError
from gristmill.modeling.artifact.persistence import dump_pipeline
from gristmill.modeling.choice.selection import final_estimator, refit
from gristmill.modeling.search.trial import Search
from gristmill.modeling.search.tuning import train_family
from gristmill.modeling.training_rows import TrainingRows
from gristmill.paths import ProjectPaths


def register(tracked: ProjectPaths, name: str, found: Search) -> int:
    with tracking.build_run(name, tracked.root) as run:
        tracking_trials.log_plan(run, {found.family: found.as_product(None)})
    run.client.create_registered_model(name)
    return int(run.client.create_model_version(name, "file:///nowhere", run_id=run.run_id).version)


def repeat(tracked: ProjectPaths, name: str, version: int, rows: TrainingRows, family: str, **more: Any) -> Search:
    case = make_case(training={"replay": version, **more}).model_copy(update={"name": name})
    return train_family(family, rows, case, root=tracked.root)


def digest(found: Search, rows: TrainingRows) -> str:
    """Return the SHA-256 of the stored form of the model that comes out of a search."""
    assert found.best is not None
    model = final_estimator({found.family: 1.0}, {found.family: found.best.params}, rows.problem, None)
    return hashlib.sha256(dump_pipeline(refit(rows.problem.plan, model, make_frame("binary"), rows.y))).hexdigest()


@pytest.mark.parametrize("family", ["linear", "boosting"])
def test_what_a_budget_in_seconds_came_to_is_repeated_bit_for_bit(family: str, tracked: ProjectPaths, binary_rows: TrainingRows):
    found = train_family(family, binary_rows, make_case(training={"budget_seconds": 2, "families": [family]}))
    version = register(tracked, f"seconds_{family}", found)
    again = repeat(tracked, f"seconds_{family}", version, binary_rows, family)
    assert [trial.number for trial in again.trials] == [found.best.number, *found.others]
    assert list(again.others) == list(found.others)
    assert all(np.array_equal(again.others[number], oof) for number, oof in found.others.items())
    assert again.best.params == found.best.params
    assert again.best.fold_scores == found.best.fold_scores
    assert np.array_equal(again.oof, found.oof)
    assert digest(again, binary_rows) == digest(found, binary_rows)
    assert again.plan["replays"] == version


def test_a_plan_can_be_repeated_from_its_repetition(tracked: ProjectPaths, binary_rows: TrainingRows):
    found = train_family("linear", binary_rows, make_case(training={"trials": 5}))
    again = repeat(tracked, "chain", register(tracked, "chain", found), binary_rows, "linear")
    with tracking.build_run("chain", tracked.root) as run:
        tracking_trials.log_plan(run, {"linear": again.as_product(None)})
    second = int(run.client.create_model_version("chain", "file:///nowhere", run_id=run.run_id).version)
    assert np.array_equal(repeat(tracked, "chain", second, binary_rows, "linear").oof, found.oof)


@pytest.mark.parametrize(("change", "words"), [("rows", "the same rows"), ("seed", "`training.random_state`")])
def test_other_grounds_are_refused(change: str, words: str, tracked: ProjectPaths, binary_rows: TrainingRows):
    found = train_family("linear", binary_rows, make_case(training={"trials": 1}))
    version = register(tracked, f"grounds_{change}", found)
    rows = make_rows("binary", n_rows=119)
    if change == "seed":
        rows = replace(binary_rows, problem=replace(binary_rows.problem, random_state=7))
    with pytest.raises(DataError, match=f"Expected .*{words}"):
        repeat(tracked, f"grounds_{change}", version, rows, "linear")


def test_a_family_that_had_no_part_in_the_version_is_left_out(tracked: ProjectPaths, binary_rows: TrainingRows):
    found = train_family("linear", binary_rows, make_case(training={"trials": 1}))
    version = register(tracked, "partial", found)
    left_out = repeat(tracked, "partial", version, binary_rows, "forest")
    assert (left_out.enabled, left_out.best) == (False, None)
    assert left_out.reason == f"version {version}, which `training.replay` repeats, was made without forest"
