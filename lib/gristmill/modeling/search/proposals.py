"""Which configuration a search tries next."""

import math
import warnings
from typing import Any

from gristmill.metrics.scores import as_gain
from gristmill.modeling.families.catalogue import portfolio, suggest
from gristmill.modeling.families.problem import Params, Problem


class Proposals:
    """The configurations of a search, in order: those known to be good, then what Optuna makes of the scores so far."""

    def __init__(self, family: str, problem: Problem, metric: str, method: str) -> None:
        self.family, self.problem, self.metric, self.method = family, problem, metric, method
        self.known = portfolio(family, problem)
        self._given = 0
        self._study: Any = None
        self._asked: Any = None

    def next(self) -> tuple[str, Params]:
        """Return where the next configuration comes from, and the configuration."""
        self._given += 1
        if self._given <= len(self.known):
            return "default", self.known[self._given - 1]
        self._asked = self._open_study().ask()
        return self.method, suggest(self.family, self._asked, self.problem)

    def learn(self, status: str, score: float | None) -> None:
        """Tell the study how its proposal did: the ``status`` of the trial and its mean score over the folds it ran."""
        if self._asked is None:
            return
        from optuna.trial import TrialState  # noqa: PLC0415 - only a search that outlives the defaults pays for it

        value = None if score is None or not math.isfinite(score) else as_gain(self.metric, score)
        states = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
        state = TrialState.FAIL if value is None else states.get(status, TrialState.FAIL)
        self._study.tell(self._asked, value if state == TrialState.COMPLETE else None, state=state)
        self._asked = None

    def _open_study(self) -> Any:
        """Return the study, made when it is first needed."""
        if self._study is None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="IProgress not found")  # no bar is drawn
                import optuna  # noqa: PLC0415

            optuna.logging.set_verbosity(optuna.logging.WARNING)
            seed = self.problem.random_state
            by_chance, by_model = optuna.samplers.RandomSampler, optuna.samplers.TPESampler
            sampler = by_chance(seed=seed) if self.method == "random" else by_model(seed=seed, n_startup_trials=8)
            self._study = optuna.create_study(direction="maximize", sampler=sampler)
        return self._study
