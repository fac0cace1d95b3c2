"""Running one trial: a configuration on one fold after the other, given up as soon as it cannot win or cannot end in time."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from gristmill.metrics.scores import as_gain
from gristmill.modeling.families.problem import Params
from gristmill.modeling.latency import N_ROWS
from gristmill.modeling.search import memory
from gristmill.modeling.search.folds import FoldModel, PreparedFolds, fold_scores, mean_score, spread
from gristmill.modeling.search.stages import best_stages, mean_curve, thinned
from gristmill.modeling.search.trial import Trial

Floats = NDArray[np.float64]
Clock = Callable[[], float]

ROWS_TIMED = 9
"""Rows that are timed, each alone, for every runner-up."""

FOLDS_BEFORE_PRUNING = 2
"""Folds a configuration is given before it can be called hopeless."""

UNTRAINABLE = (ValueError, ArithmeticError, MemoryError, np.linalg.LinAlgError)
"""What an estimator raises when a configuration does not suit the rows; the trial is recorded as failed, with the words."""

UNTRAINABLE_ELSEWHERE = ("LightGBMError", "CatBoostError")
"""The same of libraries that are not imported for it."""


@dataclass(frozen=True)
class Ask:
    """What a runner is to try.

    Attributes
    ----------
    number, origin, params
        Of the trial.
    best
        The trial to beat, if there is one.
    deadline
        When it must have ended, by the runner's clock; None for no limit.
    held
        Numbers of the trials whose models may be asked for later.
    """

    number: int
    origin: str
    params: Params
    best: Trial | None = None
    deadline: float | None = None
    held: frozenset[int] = frozenset()


class Runner(Protocol):
    """Runs trials, wherever that is."""

    def run(self, ask: Ask) -> tuple[Trial, Floats | None]:
        """Return the trial, and its out-of-fold predictions if it finished."""

    def row_ms(self, trial: Trial) -> float:
        """Return the milliseconds that the pipeline of a trial takes for one row, from a few rows."""

    def fitted(self, best: Trial) -> tuple[Pipeline, float]:
        """Return the pipeline of a trial from the last fold, and the milliseconds it takes for one row."""

    def predictions(self, best: Trial) -> Floats:
        """Return the out-of-fold predictions of a trial that was run before."""

    def fold_seconds(self, params: Params, n_rows: int) -> float:
        """Return the seconds that preparing, fitting and predicting take for so many training rows of the first fold."""

    def limit_rows(self, most_rows: int | None) -> None:
        """Let every fold learn from at most so many rows from now on."""

    def close(self) -> None:
        """Let go of everything."""


class LocalRunner:
    """Runs trials in this process.

    Parameters
    ----------
    prepared
        The rows in folds, for one family.
    metric
        The metric that decides.
    clock
        Seconds that only grow; replaced in tests.
    allowed_gb
        What this process may use, where that is limited; said when a configuration needs more.
    """

    def __init__(
        self, prepared: PreparedFolds, metric: str, clock: Clock = time.perf_counter, allowed_gb: float | None = None
    ) -> None:
        self.prepared, self.metric, self.clock, self.allowed_gb = prepared, metric, clock, allowed_gb
        self._models: dict[int, tuple[FoldModel, int | None]] = {}

    def run(self, ask: Ask) -> tuple[Trial, Floats | None]:
        """Return the trial, and its out-of-fold predictions if it finished."""
        wanted = ask.held if ask.best is None else ask.held | {ask.best.number}
        self._models = {number: made for number, made in self._models.items() if number in wanted}
        memory.forget_peak()
        begin, started = self.clock(), time.time()
        work = _Work(self.prepared, self.metric, ask.params)
        status, error = "finished", None
        try:
            while work.left and status == "finished":
                work.fit_next()
                now = self.clock()
                status = _verdict(ask, work.scores, self.metric, work.left, (now - begin) / len(work.scores), now)
            if status == "finished":
                work.settle()
        except Exception as problem:  # the ones that are not about the rows are raised again
            if not isinstance(problem, UNTRAINABLE) and type(problem).__name__ not in UNTRAINABLE_ELSEWHERE:
                raise
            status, error = "failed", _in_words(problem, self.allowed_gb)
        trial = Trial(
            number=ask.number,
            params=work.params,
            fold_scores=work.scores,
            score=work.score,
            std=spread(work.scores),
            seconds=self.clock() - begin,
            status=status,
            origin=ask.origin,
            error=error,
            proposed=ask.params,
            curve=thinned(mean_curve(work.curves)),
            train_curve=thinned(mean_curve(work.train_curves)),
            peak_mb=memory.peak_mb(),
            started=started,
        )
        if status != "finished" or trial.score is None or not math.isfinite(trial.score):
            return trial, None
        if work.last is not None:
            self._models[trial.number] = work.last, work.stages
        return trial, work.predicted

    def fitted(self, best: Trial) -> tuple[Pipeline, float]:
        """Return the pipeline of a trial from the last fold, and the milliseconds it takes for one row."""
        pipeline = self._pipeline(best)
        return pipeline, self.prepared.timer.milliseconds(pipeline, self.prepared.X, N_ROWS)

    def row_ms(self, trial: Trial) -> float:
        """Return the milliseconds that the pipeline of a trial takes for one row, from a few rows."""
        return self.prepared.timer.milliseconds(self._pipeline(trial), self.prepared.X, ROWS_TIMED)

    def _pipeline(self, trial: Trial) -> Pipeline:
        """Return the pipeline of a trial from the last fold, fitted again where it is not at hand."""
        if trial.number not in self._models:
            work = _Work(self.prepared, self.metric, trial.proposed)
            self._models[trial.number] = work.refit(len(self.prepared.folds) - 1, self.prepared.stages_of(trial.params))
        model, stages = self._models[trial.number]
        return model.pipeline(stages)

    def predictions(self, best: Trial) -> Floats:
        """Return the out-of-fold predictions of a trial that was run before."""
        work = _Work(self.prepared, self.metric, best.proposed)
        while work.left:
            work.fit_next()
        work.settle()
        return work.predicted

    def fold_seconds(self, params: Params, n_rows: int) -> float:
        """Return the seconds that preparing, fitting and predicting take for so many training rows of the first fold."""
        begin = self.clock()
        self.prepared.limited(n_rows).fit(0, params).predictions(None)
        return self.clock() - begin

    def limit_rows(self, most_rows: int | None) -> None:
        """Let every fold learn from at most so many rows from now on."""
        self.prepared = self.prepared.limited(most_rows)

    def close(self) -> None:
        """Let go of everything: nothing is held."""


class _Work:
    """The folds of one configuration that have been fitted so far."""

    def __init__(self, prepared: PreparedFolds, metric: str, proposed: Params) -> None:
        self.prepared, self.metric, self.proposed = prepared, metric, proposed
        self.predicted = prepared.empty_predictions()
        self.scores: list[float] = []
        self.curves: list[Floats | None] = []
        self.train_curves: list[Floats | None] = []
        self.stages: int | None = None
        self.last: FoldModel | None = None
        self._models: dict[int, FoldModel] = {}
        self._answered: list[int | None] = []

    @property
    def left(self) -> int:
        """How many folds are still to be fitted."""
        return len(self.prepared.folds) - len(self.scores)

    @property
    def params(self) -> Params:
        """The configuration, with the number of stages that the folds so far speak for."""
        name = self.prepared.stages_param(self.proposed) if self.stages is not None else None
        return self.proposed if name is None else {**self.proposed, name: self.stages}

    @property
    def score(self) -> float | None:
        """The mean score of the folds so far; None without one."""
        folds = self.prepared.folds[: len(self.scores)]
        return mean_score(self.metric, self.scores, self.prepared.y, self.predicted, folds) if self.scores else None

    def fit_next(self) -> None:
        """Fit the next fold, and score it at the number of stages that suits the folds so far."""
        number = len(self.scores)
        made = self.prepared.fit(number, self.proposed)
        self.curves.append(made.curve)
        self.train_curves.append(made.train_curve)
        self.stages = best_stages(self.curves)
        self.last = made
        if made.curve is not None:
            self._models[number] = made
        self._answered.append(self.stages)
        self.scores.append(self._score(number, made, self.stages))

    def settle(self) -> None:
        """Score every fold anew at the one number of stages that suits all of them; fit again where a fold stopped before it."""
        for number, model in self._models.items():
            assert model.curve is not None  # noqa: S101 - only such models are kept
            short = self.stages is not None and len(model.curve) < self.stages
            if not short and self._answered[number] == self.stages:
                continue
            if short:
                model = self.prepared.fit(number, self.params, watched=False)  # noqa: PLW2901 - takes its place
            if number == len(self.prepared.folds) - 1:
                self.last = model
            self.scores[number] = self._score(number, model, self.stages)
        self._models = {}

    def refit(self, number: int, stages: int | None) -> tuple[FoldModel, int | None]:
        """Return the model that :meth:`settle` left for a fold, fitted again, and its number of stages."""
        model = self.prepared.fit(number, self.proposed)
        if model.curve is not None and stages is not None and len(model.curve) < stages:
            self.stages = stages
            return self.prepared.fit(number, self.params, watched=False), None
        return model, stages

    def _score(self, number: int, model: FoldModel, stages: int | None) -> float:
        """Store a fold's predictions and return their score."""
        folds = self.prepared.folds[number : number + 1]
        self.predicted[folds[0][1]] = model.predictions(stages)
        return fold_scores(self.metric, self.prepared.y, self.predicted, folds)[0]


def _in_words(problem: Exception, allowed_gb: float | None) -> str:
    """Return why a configuration could not be trained, for the table of trials."""
    if isinstance(problem, MemoryError) or "bad_alloc" in str(problem) or "bad allocation" in str(problem):
        return memory.too_much(allowed_gb)
    return f"{type(problem).__name__}: {problem}"


def _verdict(ask: Ask, scores: list[float], metric: str, left: int, fold_seconds: float, now: float) -> str:
    """Return whether a trial goes on (``finished``), is ``stopped`` for lack of time or ``pruned`` for lack of hope."""
    if left == 0:
        return "finished"
    if ask.deadline is not None and now + left * fold_seconds > ask.deadline:
        return "stopped"
    if ask.best is None or len(scores) < FOLDS_BEFORE_PRUNING:
        return "finished"
    behind = [as_gain(metric, theirs) - as_gain(metric, ours) for theirs, ours in zip(ask.best.fold_scores, scores, strict=False)]
    return "pruned" if np.nanmean([0.0, *behind]) > ask.best.std + 1e-12 and min(behind) > 0 else "finished"
