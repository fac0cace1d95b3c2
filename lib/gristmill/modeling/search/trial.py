"""One configuration that was tried, and what a search has found among all of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from gristmill.modeling.families.problem import Params
from gristmill.modeling.latency import PIPELINE
from gristmill.modeling.search.folds import is_better
from gristmill.modeling.search.stages import Curve

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """One configuration and how it did.

    Attributes
    ----------
    params
        The configuration as a plain ``fit`` takes it; where the model grows in stages, their number is the one that was chosen.
    fold_scores, score, std
        The metric on the validation rows of the folds that were run, its mean and its spread.
    seconds
        Wall-clock seconds.
    status
        ``finished``; ``pruned`` for lack of hope, ``stopped`` for lack of time; or ``failed``.
    origin
        ``default`` for a known-good configuration, else the method that proposed it.
    error
        Why it failed.
    proposed
        The configuration as it was proposed, before the number of stages was chosen.
    curve, train_curve
        Mean loss over the folds by stage, on validation and on training rows, where the estimator notes them.
    peak_mb
        Largest memory of the training process during the trial; None where the system does not tell.
    started
        When it began, in seconds since 1970.
    """

    number: int
    params: Params
    fold_scores: list[float]
    score: float | None
    std: float
    seconds: float
    status: str
    origin: str
    error: str | None = None
    proposed: Params = field(default_factory=dict)
    curve: Curve | None = None
    train_curve: Curve | None = None
    peak_mb: float | None = None
    started: float | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Trial":
        """Return the trial that ``asdict`` made a record of."""
        known = {name.name: record[name.name] for name in fields(cls) if name.name in record}
        for name in ("curve", "train_curve"):
            if known.get(name) is not None:
                known[name] = [(int(stage), float(loss)) for stage, loss in known[name]]
        return cls(**known)


@dataclass
class Search:
    """What a search found.

    ``oof`` holds the best configuration's out-of-fold predictions of all training rows, not-a-number where a row is never
    validated; ``fitted`` is its pipeline from the last fold, and ``row_ms`` the milliseconds that takes for one row, in
    the form ``row_form``.
    ``runners_up`` are other good trials, each with its predictions and the milliseconds it takes for one row, for ensembles.
    ``plan`` says what it takes to repeat it, ``load`` how busy the machine was meanwhile, and ``exhausted`` whether the search
    ended because more of it would bring nothing.
    """

    family: str
    enabled: bool = True
    trials: list[Trial] = field(default_factory=list)
    best: Trial | None = None
    oof: Floats | None = None
    fitted: Pipeline | None = None
    row_ms: float | None = None
    row_form: str = PIPELINE
    runners_up: list[tuple[Trial, Floats, float]] = field(default_factory=list)
    plan: dict[str, Any] = field(default_factory=dict)
    load: list[dict[str, float]] = field(default_factory=list)
    exhausted: bool = False

    def add(self, metric: str, trial: Trial) -> bool:
        """Append a trial, and return whether it is the best so far."""
        self.trials.append(trial)
        best = None if self.best is None else self.best.score
        if trial.status != "finished" or trial.score is None or not is_better(metric, trial.score, best):
            return False
        self.best, self.oof, self.fitted = trial, None, None
        return True

    @property
    def others(self) -> dict[int, Floats]:
        """The out-of-fold predictions of the runners-up, by the number of the trial."""
        return {trial.number: oof for trial, oof, _ in self.runners_up}

    @property
    def seconds(self) -> float:
        """Seconds that all trials took together."""
        return sum(trial.seconds for trial in self.trials)

    @property
    def reason(self) -> str | None:
        """Why there is no model, where there is none."""
        if self.best is not None:
            return None
        if not self.enabled and self.plan.get("replays") is not None:
            return f"version {self.plan['replays']}, which `training.replay` repeats, was made without {self.family}"
        if not self.enabled:
            return f"`training.families` of the case file does not name {self.family}"
        errors = [trial.error for trial in self.trials if trial.error]
        return f"no configuration could be trained on these rows: {errors[0] if errors else 'none has a score'}"

    @property
    def table(self) -> pd.DataFrame:
        """The trials as a table, in the order they ran."""
        columns = ["number", "origin", "status", "score", "std", "seconds", "peak_mb"]
        table = pd.DataFrame([asdict(trial) for trial in self.trials], columns=[*columns, "params"])
        return table.set_index("number")

    def as_product(self, mlflow_run_id: str | None) -> dict[str, Any]:
        """Return the search as the JSON-able product of its stage."""
        return {
            "family": self.family,
            "enabled": self.enabled,
            "reason": self.reason,
            "trials": [asdict(trial) for trial in self.trials],
            "best": None if self.best is None else {**asdict(self.best), "row_ms": self.row_ms, "row_form": self.row_form},
            "runners_up": [{**asdict(trial), "row_ms": row_ms, "row_form": self.row_form} for trial, _, row_ms in self.runners_up],
            "plan": self.plan,
            "mlflow_run_id": mlflow_run_id,
        }
