"""The part of the budget that was kept back, spent on the family where more search helps most."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gristmill.metrics.scores import as_gain
from gristmill.modeling.search.budget import reserve
from gristmill.modeling.search.tuning import resume_search
from gristmill.modeling.training_rows import TrainingRows
from gristmill.paths import case_paths


@dataclass(frozen=True)
class Spent:
    """What the reserve was spent on.

    Attributes
    ----------
    sentence
        What happened, for the reader.
    searches
        Family -> its search as ``trials_<family>.json`` has it, continued; empty if nothing was spent.
    tables
        Family -> its out-of-fold predictions, as :meth:`TrainingRows.table` makes them.
    n_before
        Family -> number of trials that it had before.
    """

    sentence: str
    searches: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    n_before: dict[str, int] = field(default_factory=dict)


def neediest(searches: Mapping[str, Mapping[str, Any]], metric: str) -> str | None:
    """Return the family whose search is worth more time; None if there is none.

    It is the one with the best score whose search ended for lack of time: the best family weighs most in whatever is chosen, and
    one whose last proposals brought nothing would only fit noise.

    Parameters
    ----------
    searches
        The families' products ``trials_<family>.json``.
    metric
        The metric that decides.
    """
    open_ended = {
        family: as_gain(metric, found["best"]["score"])
        for family, found in searches.items()
        if found.get("best") and not (found.get("plan") or {}).get("exhausted")
    }
    known = {family: gain for family, gain in open_ended.items() if np.isfinite(gain)}
    return max(known, key=known.__getitem__) if known else None


def spend(
    case: Any, rows: TrainingRows, searches: Mapping[str, dict[str, Any]], folder_of: Callable[[str], Path] | None = None
) -> Spent:
    """Continue one family's search for the seconds that were kept back, and return what came out.

    A second call finds the trials of the first and runs none.

    Parameters
    ----------
    case
        The case; ``name``, ``training`` and ``primary_metric`` are read.
    rows
        The training rows.
    searches
        The families' products ``trials_<family>.json``.
    folder_of
        Where the trials of a family are kept; by default where ``05_train_*`` keeps them.
    """
    seconds = reserve(case.training)
    family = neediest(searches, case.primary_metric) if seconds else None
    if family is None:
        return Spent("No time was kept back, or no search would gain by it.")
    before = searches[family]
    folder_of = case_paths(case.name).search if folder_of is None else folder_of
    result = resume_search(family, rows, case, seconds, folder_of(family))
    n_before, best = len(before["trials"]), result.best
    if best is None or len(result.trials) < n_before or not _not_worse(case.primary_metric, best.score, before["best"]["score"]):
        return Spent(f"The trials of {family} are no longer kept, so that its search could not be continued.")
    sentence = (
        f"{seconds:.0f} s were kept back and spent on {family}, the best family whose search had ended for lack of time: "
        f"{len(result.trials) - n_before} more trial(s), score {before['best']['score']:.5g} before and {best.score:.5g} now."
    )
    found = result.as_product(before.get("mlflow_run_id"))
    return Spent(sentence, {family: before | found}, {family: rows.table(result.oof, result.others)}, {family: n_before})


def _not_worse(metric: str, now: float | None, before: float) -> bool:
    """Return whether a score is at least as good as another."""
    return now is not None and as_gain(metric, now) >= as_gain(metric, before)
