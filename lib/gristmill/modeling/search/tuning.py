"""The search for a family's best configuration: strong defaults first, then proposals, for as long as the budget lasts."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from gristmill.metrics.scores import as_gain
from gristmill.modeling.families.problem import Params
from gristmill.modeling.latency import typical_row_milliseconds
from gristmill.modeling.search.folds import PreparedFolds, is_better, mean_score, spread
from gristmill.modeling.search.folds import fold_scores as scores_by_fold
from gristmill.modeling.search.proposals import Proposals
from gristmill.modeling.search.runners_up import Held, RunnersUp
from gristmill.modeling.threads import one_core
from gristmill.modeling.training_rows import TrainingRows

Floats = NDArray[np.float64]
Clock = Callable[[], float]

FAMILIES_AT_ONCE = 2
"""Families that are trained side by side, one core each."""

FOLDS_BEFORE_PRUNING = 2
"""Folds a configuration is given before it can be called hopeless."""

PATIENCE_TRIALS = 30
"""Proposals in a row without a better score after which a search that is bound by time alone gives up: more would fit noise."""

ROWS_TIMED = 9
"""Rows that are timed, each alone, for every runner-up."""

UNTRAINABLE = (ValueError, ArithmeticError, MemoryError, np.linalg.LinAlgError)
"""What an estimator raises when a configuration does not suit the rows; the trial is recorded as failed, with the words."""


@dataclass(frozen=True)
class Trial:
    """One configuration and how it did; ``status`` is ``finished``, ``pruned``, ``stopped`` or ``failed``."""

    number: int
    params: Params
    fold_scores: list[float]
    score: float | None
    std: float
    seconds: float
    status: str
    origin: str
    error: str | None = None


@dataclass(frozen=True)
class Budget:
    """How long a search may go on: wall-clock seconds, or exactly so many trials."""

    seconds: float | None
    trials: int | None

    @classmethod
    def of(cls, training: Any) -> "Budget":
        """Return one family's share of a case's ``training`` section: families run side by side."""
        if training.trials is not None:
            return cls(None, training.trials)
        rounds = math.ceil(len(training.families) / min(FAMILIES_AT_ONCE, os.cpu_count() or 1))
        return cls(training.budget_seconds / max(1, rounds), None)


@dataclass
class Search:
    """What a search found.

    ``oof`` holds the best configuration's out-of-fold predictions of all training rows, not-a-number where a row is never
    validated; ``fitted`` is its pipeline from the last fold, and ``row_ms`` the milliseconds that takes for one row.
    ``runners_up`` are other good trials with theirs, for ensembles, each with the milliseconds it takes for one row.
    """

    family: str
    enabled: bool = True
    trials: list[Trial] = field(default_factory=list)
    best: Trial | None = None
    oof: Floats | None = None
    fitted: Pipeline | None = None
    row_ms: float | None = None
    runners_up: list[tuple[Held, float]] = field(default_factory=list)

    @property
    def others(self) -> dict[int, Floats]:
        """The out-of-fold predictions of the runners-up, by the number of the trial."""
        return {held.trial.number: held.oof for held, _ in self.runners_up}

    @property
    def reason(self) -> str | None:
        """Why there is no model, where there is none."""
        if self.best is not None:
            return None
        if not self.enabled:
            return f"`training.families` of the case file does not name {self.family}"
        errors = [trial.error for trial in self.trials if trial.error]
        return f"no configuration could be trained on these rows: {errors[0] if errors else 'none has a score'}"

    @property
    def table(self) -> pd.DataFrame:
        """The trials as a table, in the order they ran."""
        columns = ["number", "origin", "status", "score", "std", "seconds"]
        table = pd.DataFrame([asdict(trial) for trial in self.trials], columns=[*columns, "params"])
        return table.set_index("number")

    def as_product(self, mlflow_run_id: str | None) -> dict[str, Any]:
        """Return the search as the JSON-able product of its stage."""
        return {
            "family": self.family,
            "enabled": self.enabled,
            "reason": self.reason,
            "trials": [asdict(trial) for trial in self.trials],
            "best": None if self.best is None else {**asdict(self.best), "row_ms": self.row_ms},
            "runners_up": [{**asdict(held.trial), "row_ms": row_ms} for held, row_ms in self.runners_up],
            "mlflow_run_id": mlflow_run_id,
        }


def search(
    prepared: PreparedFolds, metric: str, budget: Budget, *, method: str = "bayesian", clock: Clock = time.perf_counter
) -> Search:
    """Search for the best configuration of a family.

    The family's known-good configurations come first; then Optuna proposes, by a tree-structured Parzen estimator (Bergstra et
    al. 2011) or at random. A trial that is unlikely to end in time is not started, one that overruns is stopped after its
    fold, and one that is clearly worse than the best after two folds is pruned. The search ends early when
    :data:`PATIENCE_TRIALS` proposals in a row brought nothing. At least one trial is finished, however little time there is.

    Parameters
    ----------
    prepared
        The rows in folds, for one family.
    metric
        The metric that decides.
    budget
        How long it may take.
    method
        ``bayesian`` or ``random``.
    clock
        Seconds that only grow; replaced in tests.
    """
    proposals = Proposals(prepared.family, prepared.problem, metric, method)
    result, held = Search(prepared.family), RunnersUp(metric)
    start = clock()
    with one_core():
        while _may_start(result, budget, clock() - start, len(proposals.known)):
            origin, params = proposals.next()
            deadline = None if budget.seconds is None or result.best is None else start + budget.seconds
            trial = _run(result, held, prepared, metric, params, origin, deadline, clock)
            proposals.learn(trial.status, trial.score)
            result.trials.append(trial)
        if result.best is not None:
            chosen = held.chosen(result.best, prepared.y, prepared.folds)
            result.runners_up = [(one, typical_row_milliseconds(one.fitted, prepared.X, ROWS_TIMED)) for one in chosen]
    return result


def train_family(family: str, rows: TrainingRows, case: Any, *, clock: Clock = time.perf_counter) -> Search:
    """Return the search for a family as a case asks for it; one without trials if the case does not ask for the family.

    Parameters
    ----------
    family
        Name of the family.
    rows
        The training rows.
    case
        The case; ``training`` and ``primary_metric`` are read.
    clock
        Seconds that only grow; replaced in tests.
    """
    if family not in case.training.families:
        return Search(family, enabled=False)
    prepared = PreparedFolds(family, rows.problem, rows.X, rows.y, rows.folds)
    result = search(prepared, case.primary_metric, Budget.of(case.training), method=case.training.search, clock=clock)
    if result.fitted is not None:
        result.row_ms = typical_row_milliseconds(result.fitted, rows.X)
    return result


def _may_start(result: Search, budget: Budget, used: float, n_known: int) -> bool:
    """Return whether another trial may start."""
    n_trials = len(result.trials)
    if result.best is None:  # go on until something works, but not beyond what is known to be good
        return n_trials < max(n_known, budget.trials or 0)
    if budget.seconds is None:
        return n_trials < (budget.trials or 0)
    if n_trials - max(n_known, result.best.number + 1) >= PATIENCE_TRIALS:
        return False
    finished = [trial.seconds for trial in result.trials if trial.status == "finished"]
    return used + float(np.median(finished)) <= budget.seconds


def _run(
    result: Search,
    held: RunnersUp,
    prepared: PreparedFolds,
    metric: str,
    params: Params,
    origin: str,
    deadline: float | None,
    clock: Clock,
) -> Trial:
    """Run one trial, offer it to those held for ensembles, and make it the result's best if it is."""
    start = clock()
    predicted, fitted = prepared.empty_predictions(), None
    scores: list[float] = []
    status, error = "finished", None
    try:
        for pipeline, answers in prepared.fit(params):
            place, fitted = len(scores), pipeline
            predicted[prepared.folds[place][1]] = answers
            scores += scores_by_fold(metric, prepared.y, predicted, prepared.folds[place : place + 1])
            fold_seconds = (clock() - start) / len(scores)
            status = _verdict(result.best, scores, metric, len(prepared.folds) - len(scores), fold_seconds, deadline, clock())
            if status != "finished":
                break
    except UNTRAINABLE as problem:
        status, error = "failed", f"{type(problem).__name__}: {problem}"
    value = mean_score(metric, scores, prepared.y, predicted, prepared.folds[: len(scores)]) if scores else None
    trial = Trial(len(result.trials), params, scores, value, spread(scores), clock() - start, status, origin, error)
    if status == "finished" and value is not None and is_better(metric, value, result.best.score if result.best else None):
        result.best, result.oof, result.fitted = trial, predicted, fitted
    if status == "finished" and value is not None and math.isfinite(value):
        held.offer(trial, predicted, fitted)
    return trial


def _verdict(
    best: Trial | None, scores: list[float], metric: str, left: int, fold_seconds: float, deadline: float | None, now: float
) -> str:
    """Return whether a trial goes on (``finished``), is ``stopped`` for lack of time or ``pruned`` for lack of hope."""
    if left == 0 or best is None:
        return "finished"
    if deadline is not None and now + left * fold_seconds > deadline:
        return "stopped"
    if len(scores) < FOLDS_BEFORE_PRUNING:
        return "finished"
    behind = [as_gain(metric, theirs) - as_gain(metric, ours) for theirs, ours in zip(best.fold_scores, scores, strict=False)]
    return "pruned" if np.nanmean([0.0, *behind]) > best.std + 1e-12 and min(behind) > 0 else "finished"
