"""Which configuration a search tries next."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gristmill.modeling.families.catalogue import portfolio, suggest
from gristmill.modeling.families.problem import Params, Problem
from gristmill.modeling.search.grid import grid
from gristmill.modeling.search.study import frozen, optuna
from gristmill.modeling.search.trial import Trial

DEFAULT = "default"
"""Where a configuration comes from that is known to be good."""

BY_CHANCE_FIRST = 8
"""Proposals that are drawn at random before a model of the scores is trusted."""


class Proposals:
    """The configurations of a search, in order: those known to be good, then a grid, chance, or what Optuna makes of the scores.

    What is proposed depends on the seed and on the trials so far alone, so that a search that is resumed proposes what it would
    have proposed.

    Parameters
    ----------
    family, problem, metric
        What is searched for.
    method
        ``bayesian``, ``random`` or ``grid``.
    done
        Optuna's form of the trials that have ended, in their order.
    """

    def __init__(self, family: str, problem: Problem, metric: str, method: str, done: Sequence[Any] = ()) -> None:
        self.family, self.problem, self.metric, self.method = family, problem, metric, method
        self.known = portfolio(family, problem)
        self.asked: Any = None
        self._given = len(done)
        self._earlier = list(done[len(self.known) :])
        self._study: Any = None
        self._grid: list[Params] | None = None

    def next(self) -> tuple[str, Params] | None:
        """Return where the next configuration comes from, and the configuration; None if there is none left."""
        self._given += 1
        number = self._given - len(self.known)
        self.asked = None
        if number <= 0:
            return DEFAULT, self.known[self._given - 1]
        if self.method == "grid":
            self._grid = grid(self.family, self.problem) if self._grid is None else self._grid
            return ("grid", self._grid[number - 1]) if number <= len(self._grid) else None
        study = self._open_study()
        study.sampler = self._sampler(number)
        self.asked = study.ask()
        return self.method, suggest(self.family, self.asked, self.problem)

    def learn(self, trial: Trial) -> None:
        """Tell the study how its proposal did."""
        if self.asked is None:
            return
        made = frozen(self.metric, trial)
        self._study.tell(self.asked, made.value, state=made.state)

    def _sampler(self, number: int) -> Any:
        """Return what proposes the so-manieth configuration after the known ones."""
        seed = int(np.random.SeedSequence([self.problem.random_state, number]).generate_state(1)[0])
        samplers = optuna().samplers
        if self.method == "random":
            return samplers.RandomSampler(seed=seed)
        return samplers.TPESampler(seed=seed, n_startup_trials=BY_CHANCE_FIRST)

    def _open_study(self) -> Any:
        """Return the study in memory, made from the earlier proposals when it is first needed."""
        if self._study is None:
            self._study = optuna().create_study(direction="maximize")
            self._study.add_trials(self._earlier)
        return self._study
