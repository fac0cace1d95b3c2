"""The search for a family's best configuration: strong defaults first, then proposals, for as long as the budget lasts."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gristmill.modeling.families.problem import Params
from gristmill.modeling.search import memory
from gristmill.modeling.search.budget import LARGE, PROBES, Budget, affordable_rows, at_once, fewer_rows
from gristmill.modeling.search.comparable import comparable
from gristmill.modeling.search.folds import PreparedFolds
from gristmill.modeling.search.isolation import POSSIBLE, IsolatedRunner
from gristmill.modeling.search.machine_load import MachineLoad
from gristmill.modeling.search.proposals import Proposals
from gristmill.modeling.search.replay import plan_of, replayed
from gristmill.modeling.search.runners_up import RunnersUp
from gristmill.modeling.search.running import Ask, Clock, LocalRunner, Runner
from gristmill.modeling.search.study import Study
from gristmill.modeling.search.trial import Search, Trial
from gristmill.modeling.threads import one_core
from gristmill.modeling.training_rows import TrainingRows

PATIENCE_TRIALS = 30
"""Proposals in a row without a better score after which a search that is bound by time alone gives up: more would fit noise."""

MOST_ROWS = "most_rows"
"""Name under which a study keeps how many training rows each fold learns from."""


def search(
    prepared: PreparedFolds,
    metric: str,
    budget: Budget,
    *,
    method: str = "bayesian",
    clock: Clock = time.perf_counter,
    study: Study | None = None,
    runner: Runner | None = None,
) -> Search:
    """Search for the best configuration of a family.

    The family's known-good configurations come first; then Optuna proposes, by a tree-structured Parzen estimator (Bergstra et
    al. 2011) or at random, or a small grid is walked. A trial that is unlikely to end in time is not started, one that overruns is
    stopped, and one that is clearly worse than the best after two folds is pruned. The search ends early when
    :data:`PATIENCE_TRIALS` proposals in a row brought nothing. At least one trial is finished, however little time there is; on a
    large table, from as many rows as that allows.

    Parameters
    ----------
    prepared
        The rows in folds, for one family.
    metric
        The metric that decides.
    budget
        How long it may take. The seconds of trials that ``study`` has kept count as spent, and so do the trials.
    method
        ``bayesian``, ``random`` or ``grid``.
    clock
        Seconds that only grow; replaced in tests.
    study
        Where trials are kept, and those of an interrupted search are found.
    runner
        What runs the trials; by default this process.
    """
    start = clock()
    runner = LocalRunner(prepared, metric, clock) if runner is None else runner
    proposals = Proposals(prepared.family, prepared.problem, metric, method, study.frozen if study is not None else ())
    course = _Course(prepared, metric, study, runner, proposals)
    start -= course.result.seconds
    with one_core():
        course.limit_rows(course.affordable(budget))
        while course.may_start(budget, clock() - start):
            proposed = proposals.next()
            if proposed is None:
                course.result.exhausted = True
                break
            deadline = None if budget.seconds is None or course.must_finish() else start + budget.seconds
            trial = course.run(proposed, deadline)
            if course.result.best is None and trial.status == "stopped" and deadline is not None:
                course.learn_from_fewer(trial, deadline - clock())
        course.complete()
    return course.result


class _Course:
    """A search under way: what it works with, what it has found, and what of that a study keeps."""

    def __init__(self, prepared: PreparedFolds, metric: str, study: Study | None, runner: Runner, proposals: Proposals) -> None:
        self.prepared, self.metric, self.study, self.runner, self.proposals = prepared, metric, study, runner, proposals
        self.result, self.held = Search(prepared.family), RunnersUp(metric)
        self.n_known = len(proposals.known)
        self.largest = max(len(train) for train, _ in prepared.folds)
        for trial in study.trials if study is not None else ():
            self.result.add(metric, trial)
            kept = study.predictions(trial.number) if study is not None else None
            if kept is not None:
                self.held.offer(trial, kept)

    def affordable(self, budget: Budget) -> int | None:
        """Return how many training rows each fold learns from: what the study says, else what the budget allows; None for all."""
        if self.study is not None and MOST_ROWS in self.study.settings:
            kept = self.study.settings[MOST_ROWS]
            return None if kept is None else int(kept)
        if budget.seconds is None:
            return None

        def fold_seconds(n_rows: int) -> float:
            return self.runner.fold_seconds(self.proposals.known[0], n_rows)

        return affordable_rows(self.largest, len(self.prepared.folds), budget.seconds, fold_seconds)

    def limit_rows(self, most: int | None) -> None:
        """Let every fold learn from at most so many rows from now on, and keep that with the trials."""
        self.result.plan[MOST_ROWS] = most
        self.runner.limit_rows(most)
        if self.study is not None and (MOST_ROWS not in self.study.settings or self.study.settings[MOST_ROWS] != most):
            self.study.note(MOST_ROWS, most)

    def may_start(self, budget: Budget, used: float) -> bool:
        """Return whether another trial may start."""
        n_trials, best = len(self.result.trials), self.result.best
        if best is None:  # go on until something works, but not beyond what is known to be good
            return n_trials < max(self.n_known, budget.trials or 0)
        if budget.seconds is None:
            return n_trials < (budget.trials or 0)
        if n_trials - max(self.n_known, best.number + 1) >= PATIENCE_TRIALS:
            self.result.exhausted = True
            return False
        finished = [trial.seconds for trial in self.result.trials if trial.status == "finished"]
        return used + float(np.median(finished)) <= budget.seconds

    def must_finish(self) -> bool:
        """Return whether the next trial may take as long as it does: nothing is finished yet, and fewer rows are no way out."""
        rows = self.result.plan[MOST_ROWS] or self.largest
        may_shrink = self.largest > LARGE and rows > PROBES[-1] and len(self.result.trials) + 1 < self.n_known
        return self.result.best is None and not may_shrink

    def run(self, proposed: tuple[str, Params], deadline: float | None) -> Trial:
        """Run the trial of a proposal, and keep what it brought."""
        result, held, study = self.result, self.held, self.study
        trial, predictions = self.runner.run(Ask(len(result.trials), *proposed, result.best, deadline, held.numbers))
        if result.add(self.metric, trial):
            result.oof = predictions
        if predictions is not None:
            held.offer(trial, predictions)
        if study is not None:
            needed = predictions if trial.number in held.numbers else None
            study.add(self.metric, trial, needed, self.proposals.asked, held.numbers)
        self.proposals.learn(trial)
        return trial

    def learn_from_fewer(self, stopped: Trial, left: float) -> None:
        """Limit the rows so that the next trial ends within the seconds left, where a first one did not."""
        now = self.result.plan[MOST_ROWS] or self.largest
        self.limit_rows(fewer_rows(now, len(stopped.fold_scores), len(self.prepared.folds), stopped.seconds, left))

    def complete(self) -> None:
        """Fetch the predictions of the best trial, where an earlier process has made them, and choose the runners-up."""
        result = self.result
        if result.best is None:
            return
        if result.oof is None:
            kept = None if self.study is None else self.study.predictions(result.best.number)
            result.oof = self.runner.predictions(result.best) if kept is None else kept
        chosen = self.held.chosen(result.best, self.prepared.y, self.prepared.folds)
        result.runners_up = [(one.trial, one.oof, self.runner.row_ms(one.trial)) for one in chosen]


def train_family(
    family: str, rows: TrainingRows, case: Any, *, folder: Path | None = None, more_seconds: float = 0.0, root: Path | None = None
) -> Search:
    """Return the search for a family as a case asks for it; one without trials if the case does not ask for the family.

    Trials run in a process of their own, with a limit on its memory. With ``training.replay`` nothing is searched: the
    configuration that the registered version was made with is trained again.

    Parameters
    ----------
    family
        Name of the family.
    rows
        The training rows.
    case
        The case; ``name``, ``training`` and ``primary_metric`` are read.
    folder
        Where trials are kept, so that a build that was killed goes on with them; nowhere when omitted, or while another process
        works there.
    more_seconds
        Seconds that may be spent beyond the family's share of the budget.
    root
        The project whose registry ``training.replay`` means; found from the working directory when omitted.

    Raises
    ------
    RegistryError
        The version of ``training.replay`` does not exist, or its plan cannot be read.
    DataError
        That version was trained on other rows or with other settings.
    """
    training, metric = case.training, case.primary_metric
    if training.replay is None and family not in training.families:
        return Search(family, enabled=False)
    prepared = PreparedFolds(family, rows.problem, rows.X, rows.y, rows.folds, timer=rows.timer)
    key = comparable(prepared, metric, training.search)
    allowed = memory.allowed_gb(training.memory_gb, at_once())
    runner: Runner = IsolatedRunner(prepared, metric, allowed) if POSSIBLE else LocalRunner(prepared, metric)
    with MachineLoad() as load:
        try:
            if training.replay is not None:
                result = replayed(family, case, key, runner, root)
            else:
                share = Budget.of(training)
                seconds = None if share.seconds is None else share.seconds + more_seconds
                result = _searched(prepared, metric, replace(share, seconds=seconds), training.search, folder, key, runner)
            if result.best is not None:
                result.fitted, result.row_ms = runner.fitted(result.best)
        finally:
            runner.close()
    result.load, result.row_form = load.samples, rows.timer.form
    result.plan = plan_of(result, key)
    return result


def resume_search(family: str, rows: TrainingRows, case: Any, seconds: float, folder: Path) -> Search:
    """Return the search for a family, continued for so many seconds where :func:`train_family` left it.

    Trials that are kept are not run again, and what an earlier call has spent of the seconds is not spent again, so that calling
    twice changes nothing.

    Parameters
    ----------
    family, rows, case, folder
        As for :func:`train_family`.
    seconds
        Seconds beyond the family's share of the budget.
    """
    return train_family(family, rows, case, folder=folder, more_seconds=seconds)


def _searched(
    prepared: PreparedFolds, metric: str, budget: Budget, method: str, folder: Path | None, key: dict[str, Any], runner: Runner
) -> Search:
    """Return the result of a search whose trials are kept in ``folder``, if it is free."""
    try:
        study = None if folder is None else Study(folder, key)
    except BlockingIOError:
        study = None
    try:
        return search(prepared, metric, budget, method=method, study=study, runner=runner)
    finally:
        if study is not None:
            study.close()
