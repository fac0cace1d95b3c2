"""What a model may be made of: every family's best configuration, and other good ones that its search kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.errors import DataError
from gristmill.modeling.families.problem import Params
from gristmill.modeling.latency import PIPELINE
from gristmill.modeling.training_rows import TrainingRows

Floats = NDArray[np.float64]

NUMBERED = " #"
"""What stands between a family and the number of the trial in the name of a configuration that is not its best."""


@dataclass(frozen=True)
class Member:
    """A configuration that may be a model, or part of one.

    Attributes
    ----------
    name
        The family for its best configuration, else with the number of the trial: ``boosting #7``.
    family
        The family.
    params
        The configuration.
    row_ms
        Milliseconds it takes for one row, in the form that will serve.
    form
        That form, a constant of :mod:`gristmill.modeling.latency`.
    oof
        Out-of-fold predictions of all training rows.
    """

    name: str
    family: str
    params: Params
    row_ms: float
    form: str
    oof: Floats

    @property
    def is_best(self) -> bool:
        """Whether it is the best of its family."""
        return self.name == self.family


def family_of(name: str) -> str:
    """Return the family of the member called ``name``."""
    return name.partition(NUMBERED)[0]


def read_members(
    rows: TrainingRows, searches: Mapping[str, dict[str, Any]], tables: Mapping[str, pd.DataFrame]
) -> dict[str, Member]:
    """Return what a model may be made of, by name; the families in the order of the searches, each with its best first.

    Parameters
    ----------
    rows
        The training rows.
    searches
        The families' products ``trials_<family>.json``; one without ``runners_up`` has its best alone.
    tables
        The families' out-of-fold predictions, those of the runners-up in columns of their own.

    Raises
    ------
    DataError
        No family has a model.
    """
    found: dict[str, Member] = {}
    for family, search in searches.items():
        if not search["enabled"] or search["best"] is None:
            continue
        best, table = search["best"], tables[family]
        found[family] = _member(family, family, best, best, rows.array(table))
        for other in search.get("runners_up", ()):
            name = f"{family}{NUMBERED}{other['number']}"
            found[name] = _member(name, family, other, best, rows.array(table, other["number"]))
    if not found:
        reasons = "; ".join(f"{name}: {search['reason']}" for name, search in searches.items())
        raise DataError(
            f"Expected at least one family with a model, but there is none ({reasons}). Check `training` and the table."
        )
    return found


def _member(name: str, family: str, trial: Mapping[str, Any], best: Mapping[str, Any], oof: Floats) -> Member:
    """Return a member from its trial; one that was not timed takes as long as the best of its family."""
    timed = trial if trial.get("row_ms") is not None else best
    return Member(name, family, dict(trial["params"]), float(timed["row_ms"]), str(timed.get("row_form", PIPELINE)), oof)
