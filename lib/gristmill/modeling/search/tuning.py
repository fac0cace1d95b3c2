"""The search for a family's best configuration: strong defaults first, then proposals, for as long as the budget lasts."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

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
from gristmill.modeling.search.trial import Search
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
    result, held = Search(prepared.family), RunnersUp(metric)
    for trial in study.trials if study is not None else ():
        result.add(metric, trial)
        kept = study.predictions(trial.number) if study is not None else None
        if kept is not None:
            held.offer(trial, kept)
    start -= result.seconds
    proposals = Proposals(prepared.family, prepared.problem, metric, method, study.frozen if study is not None else ())
    with one_core():
        _limit_rows(result, _most_rows(prepared, budget, proposals, study, runner), study, runner)
        while _may_start(result, budget, clock() - start, len(proposals.known)):
            proposed = proposals.next()
            if proposed is None:
                result.exhausted = True
                break
            must_finish = result.best is None and not _may_shrink(result, prepared, len(proposals.known))
            deadline = None if budget.seconds is None or must_finish else start + budget.seconds
            trial, predictions = runner.run(Ask(len(result.trials), *proposed, result.best, deadline, held.numbers))
            best = result.add(metric, trial)
            if predictions is not None:
                held.offer(trial, predictions)
            if study is not None:
                needed = predictions if trial.number in held.numbers else None
                study.add(metric, trial, needed, proposals.asked, held.numbers)
            proposals.learn(trial)
            if best:
                result.oof = predictions
            elif result.best is None and trial.status == "stopped" and deadline is not None:
                now = result.plan[MOST_ROWS] or _largest(prepared)
                left = deadline - clock()
                fewer = fewer_rows(now, len(trial.fold_scores), len(prepared.folds), trial.seconds, left)
                _limit_rows(result, fewer, study, runner)
        _complete(result, held, study, runner, prepared)
    return result


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
    prepared = PreparedFolds(family, rows.problem, rows.X, rows.y, rows.folds)
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
    result.load = load.samples
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


def _largest(prepared: PreparedFolds) -> int:
    """Return the number of training rows of the largest fold."""
    return max(len(train) for train, _ in prepared.folds)


def _may_shrink(result: Search, prepared: PreparedFolds, n_known: int) -> bool:
    """Return whether a first trial may be given up for one that learns from fewer rows."""
    rows = result.plan[MOST_ROWS] or _largest(prepared)
    return _largest(prepared) > LARGE and rows > PROBES[-1] and len(result.trials) + 1 < n_known


def _limit_rows(result: Search, most: int | None, study: Study | None, runner: Runner) -> None:
    """Let every fold learn from at most so many rows from now on, and keep that with the trials."""
    result.plan[MOST_ROWS] = most
    runner.limit_rows(most)
    if study is not None and (MOST_ROWS not in study.settings or study.settings[MOST_ROWS] != most):
        study.note(MOST_ROWS, most)


def _most_rows(prepared: PreparedFolds, budget: Budget, proposals: Proposals, study: Study | None, runner: Runner) -> int | None:
    """Return how many training rows each fold learns from: what the study says, else what the budget allows; None for all."""
    if study is not None and MOST_ROWS in study.settings:
        kept = study.settings[MOST_ROWS]
        return None if kept is None else int(kept)
    if budget.seconds is None:
        return None

    def fold_seconds(n_rows: int) -> float:
        return runner.fold_seconds(proposals.known[0], n_rows)

    return affordable_rows(_largest(prepared), len(prepared.folds), budget.seconds, fold_seconds)


def _may_start(result: Search, budget: Budget, used: float, n_known: int) -> bool:
    """Return whether another trial may start."""
    n_trials = len(result.trials)
    if result.best is None:  # go on until something works, but not beyond what is known to be good
        return n_trials < max(n_known, budget.trials or 0)
    if budget.seconds is None:
        return n_trials < (budget.trials or 0)
    if n_trials - max(n_known, result.best.number + 1) >= PATIENCE_TRIALS:
        result.exhausted = True
        return False
    finished = [trial.seconds for trial in result.trials if trial.status == "finished"]
    return used + float(np.median(finished)) <= budget.seconds


def _complete(result: Search, held: RunnersUp, study: Study | None, runner: Runner, prepared: PreparedFolds) -> None:
    """Fetch the predictions of the best trial, where an earlier process has made them, and choose the runners-up."""
    if result.best is None:
        return
    if result.oof is None:
        kept = None if study is None else study.predictions(result.best.number)
        result.oof = runner.predictions(result.best) if kept is None else kept
    chosen = held.chosen(result.best, prepared.y, prepared.folds)
    result.runners_up = [(one.trial, one.oof, runner.row_ms(one.trial)) for one in chosen]
