"""From members to candidates: each alone, their weighted ensembles, their stack."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.features.rows import RowFeatures
from gristmill.metrics.scores import as_gain
from gristmill.modeling.choice.candidates import Candidate, candidate
from gristmill.modeling.choice.ensembling import blend, blends, cross_combined, other_folds
from gristmill.modeling.choice.members import Member
from gristmill.modeling.choice.stacking import MetaModel, fit_meta
from gristmill.modeling.latency import COMPILED, PIPELINE, row_milliseconds
from gristmill.modeling.search.folds import Folds
from gristmill.modeling.threads import one_core
from gristmill.modeling.training_rows import TrainingRows

Floats = NDArray[np.float64]

ENSEMBLE, STACK = "ensemble", "stack"


def candidates(
    rows: TrainingRows,
    metric: str,
    members: Mapping[str, Member],
    max_row_ms: float,
    plan_ms: float = 0.0,
    *,
    wanted: Collection[str] = (),
) -> list[Candidate]:
    """Return what may be chosen, the best score first: members alone, their weighted ensembles, and their stack.

    Weights of ensembles and stacks are found on all validated rows; the predictions that a candidate is judged by are made with
    weights found on the other folds. A configuration that is not the best of its family stands alone only where it keeps the
    limit on the time of one row and the best does not.

    Parameters
    ----------
    rows
        The training rows.
    metric
        The metric that decides.
    members
        What a model may be made of.
    max_row_ms
        Milliseconds that one row may take.
    plan_ms
        Milliseconds that the row-wise features take, which every candidate needs.
    wanted
        Members that stand alone in any case.
    """
    left = max_row_ms - plan_ms
    alone = [
        one for one in members.values() if one.is_best or one.name in wanted or one.row_ms <= left < members[one.family].row_ms
    ]
    found = [_combined(one.name, rows, metric, members, {one.name: 1.0}, one.oof) for one in alone]
    if len(members) > 1:
        with one_core():  # so many small products: waking threads would cost more than they save
            found += [*_ensembles(rows, metric, members), *_stacks(rows, metric, members)]
    timed = [replace(one, row_ms=plan_ms + one.row_ms) for one in found]
    return sorted(timed, key=lambda one: (-_rank(metric, one), one.row_ms))


def _ensembles(rows: TrainingRows, metric: str, members: Mapping[str, Member]) -> list[Candidate]:
    """Return the best blend, and the best ones of its weightiest members alone; one of each number of members."""
    oof = {name: one.oof for name, one in members.items()}
    elsewhere = [blends(metric, rows.y, oof, folds) for folds in other_folds(rows.folds)]
    found: dict[int, Candidate] = {}
    for size, weights in blends(metric, rows.y, oof, rows.folds).items():
        if len(weights) > 1 and len(weights) not in found:
            honest = cross_combined([partial(blend, weights=one[size]) for one in elsewhere], oof, rows.folds)
            found[len(weights)] = _combined(f"{ENSEMBLE} of {len(weights)}", rows, metric, members, weights, honest)
    return list(found.values())


def _stacks(rows: TrainingRows, metric: str, members: Mapping[str, Member]) -> list[Candidate]:
    """Return the stack of the members that matter to it, if there are several."""
    oof = {name: one.oof for name, one in members.items()}

    def fitted_on(folds: Folds) -> tuple[list[str], MetaModel]:
        valid = np.concatenate([part for _, part in folds])
        return fit_meta(list(oof), [oof[name][valid] for name in oof], rows.y[valid], len(rows.classes))

    def combination(folds: Folds) -> Callable[[Mapping[str, Floats]], Floats]:
        names, meta = fitted_on(folds)
        return lambda answers: meta.transform([answers[name] for name in names])

    names, meta = fitted_on(rows.folds)
    total = float(meta.weights_.sum())
    if len(names) < 2 or total <= 0:
        return []
    weights = {name: float(weight) / total for name, weight in zip(names, meta.weights_, strict=True)}
    honest = cross_combined([combination(folds) for folds in other_folds(rows.folds)], oof, rows.folds)
    return [_combined(f"{STACK} of {len(names)}", rows, metric, members, weights, honest, meta)]


def _combined(
    name: str,
    rows: TrainingRows,
    metric: str,
    members: Mapping[str, Member],
    weights: Mapping[str, float],
    oof: Floats,
    meta: MetaModel | None = None,
) -> Candidate:
    """Return one or several members as a candidate: their times add up, and it is compiled only if all of them are."""
    used = [members[one] for one in weights]
    form = COMPILED if all(one.form == COMPILED for one in used) else PIPELINE
    row_ms = sum(one.row_ms for one in used)
    return replace(candidate(name, metric, rows.y, oof, rows.folds, weights, row_ms), meta=meta, form=form)


def _rank(metric: str, one: Candidate) -> float:
    """Return the score turned so that more is better; undefined is worst."""
    value = as_gain(metric, one.score)
    return value if np.isfinite(value) else -np.inf


def plan_milliseconds(plan: dict[str, Any], train: pd.DataFrame) -> float:
    """Return the milliseconds that the row-wise features of one row take, which come on top of every member's time."""
    features = RowFeatures(plan)
    return float(np.median(row_milliseconds(features.transform, train)))
