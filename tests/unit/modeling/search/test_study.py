"""A search that was killed goes on where it was, and comes to what an undisturbed one comes to (R21, R22)."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.unit.modeling.conftest import make_case

from gristmill.modeling.search.budget import Budget
from gristmill.modeling.search.folds import PreparedFolds
from gristmill.modeling.search.running import LocalRunner
from gristmill.modeling.search.study import DATABASE, KEY, Study
from gristmill.modeling.search.tuning import resume_search, search, train_family
from gristmill.modeling.training_rows import TrainingRows

N_TRIALS = 30
KEY_OF_ROWS = {"rows": "some"}


def start(folder: Path) -> subprocess.Popen:
    root = Path(__file__).resolve().parents[4]
    command = [sys.executable, "-W", "ignore", "-m", "tests.unit.modeling.search.killed", str(folder), str(N_TRIALS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root)


def outcome(process: subprocess.Popen) -> dict:
    answer = process.communicate(timeout=300)[0]
    assert process.returncode == 0
    return json.loads(answer)


def n_kept(folder: Path) -> int:
    """Return how many trials the database holds now, read from outside."""
    if not (folder / DATABASE).exists():
        return 0
    with closing(sqlite3.connect(f"file:{folder / DATABASE}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM trials").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


@pytest.mark.slow
def test_a_killed_search_repeats_no_trial_and_ends_as_an_undisturbed_one(tmp_path: Path):
    killed = start(tmp_path / "killed")
    deadline = time.monotonic() + 200
    while n_kept(tmp_path / "killed") < 12 and time.monotonic() < deadline:
        pass
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    kept = n_kept(tmp_path / "killed")
    assert 12 <= kept < N_TRIALS
    moment = time.time()
    resumed = outcome(start(tmp_path / "killed"))
    undisturbed = outcome(start(tmp_path / "undisturbed"))
    assert [trial[4] < moment for trial in resumed["trials"]] == [True] * kept + [False] * (N_TRIALS - kept)
    assert [trial[:4] for trial in resumed["trials"]] == [trial[:4] for trial in undisturbed["trials"]]
    assert (resumed["best"], resumed["oof"]) == (undisturbed["best"], undisturbed["oof"])


def prepared(rows: TrainingRows) -> PreparedFolds:
    return PreparedFolds("linear", rows.problem, rows.X, rows.y, rows.folds)


def searched(rows: TrainingRows, folder: Path | None, trials: int, key: dict | None = None):
    study = None if folder is None else Study(folder, key or KEY_OF_ROWS)
    try:
        return search(prepared(rows), "roc_auc", Budget(None, trials), study=study)
    finally:
        if study is not None:
            study.close()


def test_a_search_in_two_parts_is_the_search_in_one(binary_rows: TrainingRows, tmp_path: Path):
    searched(binary_rows, tmp_path, 13)
    in_parts, in_one = searched(binary_rows, tmp_path, 16), searched(binary_rows, None, 16)
    assert [(one.params, one.fold_scores, one.status) for one in in_parts.trials] == [
        (one.params, one.fold_scores, one.status) for one in in_one.trials
    ]
    assert np.array_equal(in_parts.oof, in_one.oof)


def test_what_was_spent_before_counts_against_the_budget(binary_rows: TrainingRows, tmp_path: Path):
    first = searched(binary_rows, tmp_path, 4)
    study = Study(tmp_path, KEY_OF_ROWS)
    again = search(prepared(binary_rows), "roc_auc", Budget(first.seconds, None), study=study)
    study.close()
    assert again.trials == first.trials
    assert again.best == first.best


def test_other_rows_begin_anew(binary_rows: TrainingRows, tmp_path: Path):
    searched(binary_rows, tmp_path, 3)
    assert len(searched(binary_rows, tmp_path, 1, {"rows": "others"}).trials) == 1
    assert json.loads((tmp_path / KEY).read_text()) == {"rows": "others"}
    assert len(list(tmp_path.glob("oof-*.npy"))) == 1


def test_a_damaged_study_begins_anew(binary_rows: TrainingRows, tmp_path: Path):
    searched(binary_rows, tmp_path, 2)
    (tmp_path / DATABASE).write_bytes(b"no database" * 100)
    assert [trial.number for trial in searched(binary_rows, tmp_path, 1).trials] == [0]


def test_lost_predictions_are_made_again(binary_rows: TrainingRows, tmp_path: Path):
    first = searched(binary_rows, tmp_path, 3)
    assert {path.name for path in tmp_path.glob("oof-*.npy")} >= {
        f"oof-{number}.npy" for number in (first.best.number, *first.others)
    }
    kept = tmp_path / f"oof-{first.best.number}.npy"
    kept.write_bytes(kept.read_bytes()[:50])
    assert np.array_equal(searched(binary_rows, tmp_path, 3).oof, first.oof)


def test_a_study_is_one_process_s_at_a_time_and_a_second_search_goes_without(binary_rows: TrainingRows, tmp_path: Path):
    study = Study(tmp_path, KEY_OF_ROWS)
    with pytest.raises(BlockingIOError):
        Study(tmp_path, KEY_OF_ROWS)
    found = train_family("linear", binary_rows, make_case(training={"trials": 1}), folder=tmp_path)
    assert len(found.trials) == 1
    assert study.trials == []
    study.close()


def test_no_trial_runs_twice(binary_rows: TrainingRows, tmp_path: Path):
    searched(binary_rows, tmp_path, 5)

    class Counting(LocalRunner):
        numbers: list = []  # noqa: RUF012

        def run(self, ask):
            self.numbers.append(ask.number)
            return super().run(ask)

    study = Study(tmp_path, KEY_OF_ROWS)
    runner = Counting(prepared(binary_rows), "roc_auc")
    search(prepared(binary_rows), "roc_auc", Budget(None, 7), study=study, runner=runner)
    study.close()
    assert runner.numbers == [5, 6]


def test_a_search_can_be_given_more_time_later_and_only_once(binary_rows: TrainingRows, tmp_path: Path):
    case = make_case(training={"budget_seconds": 0.5, "families": ["linear"]})
    first = train_family("linear", binary_rows, case, folder=tmp_path)
    more = resume_search("linear", binary_rows, case, 3.0, tmp_path)
    same = resume_search("linear", binary_rows, case, 0.0, tmp_path)
    assert more.trials[: len(first.trials)] == first.trials
    assert len(more.trials) > len(first.trials)
    assert same.trials == more.trials
    assert np.array_equal(same.oof, more.oof)
    assert same.fitted is not None
