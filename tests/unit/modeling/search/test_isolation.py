"""A configuration that takes too much memory or time, or crashes, costs one trial and not the search (R19, R63)."""

import os
import signal
import time

import numpy as np
import pytest
from tests.unit.modeling.search.staged import Staged, StagedFolds

from gristmill.modeling.search import isolation
from gristmill.modeling.search.isolation import IsolatedRunner
from gristmill.modeling.search.running import Ask, LocalRunner
from gristmill.modeling.training_rows import TrainingRows

pytestmark = pytest.mark.skipif(not isolation.POSSIBLE, reason="processes are forked on Linux only")


class Greedy(Staged):
    """Fills a megabyte with every round beyond 20."""

    def fit_watched(self, X, y, X_valid, y_valid):
        self.ballast_ = np.ones((max(0, self.rounds - 20), 2**17))
        return super().fit_watched(X, y, X_valid, y_valid)


class Crashing(Staged):
    def fit_watched(self, X, y, X_valid, y_valid):
        if self.rounds == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.rounds == 14:
            time.sleep(60)
        return super().fit_watched(X, y, X_valid, y_valid)


@pytest.fixture
def runner(binary_rows: TrainingRows, request: pytest.FixtureRequest):
    folds = StagedFolds("linear", binary_rows.problem, binary_rows.X, binary_rows.y, binary_rows.folds)
    folds.model = request.param
    made = IsolatedRunner(folds, "log_loss", 1.5, grace=0.1)
    yield made
    made.close()


@pytest.mark.parametrize("runner", [Greedy], indirect=True)
def test_a_trial_that_needs_too_much_memory_fails_with_a_sentence_and_the_next_goes_on(runner: IsolatedRunner):
    greedy, nothing = runner.run(Ask(0, "default", {"rounds": 4000}))
    assert (greedy.status, nothing) == ("failed", None)
    assert greedy.error == (
        "MemoryError: the configuration needs more memory than the 1.5 GB that `training.memory_gb` allows one family."
    )
    modest, predictions = runner.run(Ask(1, "default", {"rounds": 20}))
    assert modest.status == "finished"
    assert np.isfinite(predictions).all()


@pytest.mark.parametrize("runner", [Crashing], indirect=True)
def test_a_process_that_dies_costs_one_trial(runner: IsolatedRunner):
    crashed, _ = runner.run(Ask(0, "default", {"rounds": 13}))
    assert (crashed.status, crashed.number, crashed.params) == ("failed", 0, {"rounds": 13})
    assert "ended by signal 9" in crashed.error
    assert runner.run(Ask(1, "default", {"rounds": 5}))[0].status == "finished"


@pytest.mark.parametrize("runner", [Crashing], indirect=True)
def test_a_single_fit_that_does_not_end_in_time_is_ended(runner: IsolatedRunner):
    first, _ = runner.run(Ask(0, "default", {"rounds": 5}))
    begin = time.perf_counter()
    late, _ = runner.run(Ask(1, "random", {"rounds": 14}, first, begin + 0.2))
    assert (late.status, late.score) == ("stopped", None)
    assert time.perf_counter() - begin < 30


@pytest.mark.parametrize("runner", [Staged], indirect=True)
def test_it_answers_what_this_process_would_have_answered(runner: IsolatedRunner):
    local = LocalRunner(runner.prepared, "log_loss")
    mine, my_predictions = local.run(Ask(0, "default", {"rounds": 20}))
    theirs, their_predictions = runner.run(Ask(0, "default", {"rounds": 20}))
    assert (mine.params, mine.fold_scores, mine.curve) == (theirs.params, theirs.fold_scores, theirs.curve)
    assert np.array_equal(my_predictions, their_predictions)
    assert np.array_equal(runner.predictions(theirs), my_predictions)
    assert runner.fitted(theirs)[1] > 0
    assert theirs.peak_mb > 50


def test_a_defect_of_ours_is_raised_here(binary_rows: TrainingRows):
    folds = StagedFolds("linear", binary_rows.problem, binary_rows.X, binary_rows.y, binary_rows.folds)
    folds.model = None
    runner = IsolatedRunner(folds, "log_loss", 2)
    with pytest.raises(TypeError):
        runner.run(Ask(0, "default", {}))
    runner.close()
