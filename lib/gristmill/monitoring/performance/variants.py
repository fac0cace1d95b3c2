"""The versions that answer side by side: each on its own rows, and in pairs on the rows that both have answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gristmill.config.metric_names import greater_is_better
from gristmill.metrics.interval_ends import Interval
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap, intervals
from gristmill.metrics.noninferiority import judge
from gristmill.metrics.paired import Answers, differences, paired_tests
from gristmill.monitoring.performance.served import Served

ROLES = ("champion", "challenger", "shadow")


@dataclass(frozen=True)
class Comparing:
    """How versions are compared.

    Attributes
    ----------
    metric
        The metric that decides.
    min_labels
        Labelled rows below which a version is counted only.
    margin
        As in :func:`gristmill.metrics.noninferiority.judge`: the case's ``gates.champion_margin``.
    thresholds
        Version -> the smallest probability of the positive class by which it decides; the more probable class where it has none.
    bootstrap
        Confidence, resamples and seed.
    """

    metric: str
    min_labels: int
    margin: float
    thresholds: Mapping[str, float | None] = field(default_factory=dict)
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP


@dataclass(frozen=True)
class _Variant:
    """One version in one role, with its predictions."""

    version: str
    role: str
    served: Served


def variants(served: Served, how: Comparing) -> list[dict[str, Any]]:
    """Return what each version reaches, the champion's first.

    Parameters
    ----------
    served
        Mature predictions of all versions.
    how
        How they are compared.

    Returns
    -------
    list
        ``version``, ``role``, ``predictions``, ``labels``, ``value``, ``low``, ``high``; for every version but the present champion
        (the latest) ``beside``: ``gain`` over it with its interval, more is better; ``pairs`` (labelled rows that both answered);
        ``paired``: whether the gain is of these, and then ``verdict``, ``rows_needed`` and ``tests``.
    """
    seen = served.rows.groupby(["version", "role"], sort=False)["at"].max()
    order = sorted(seen.index, key=lambda one: (ROLES.index(one[1]), -seen[one]))
    parts = [_Variant(version, role, _part(served, version, role)) for version, role in order]
    found = [_alone(part, how) for part in parts]
    champion = next((place for place, part in enumerate(parts) if part.role == "champion"), None)
    if champion is not None:
        for place, part in enumerate(parts):
            if place != champion:
                found[place]["beside"] = _beside(part, parts[champion], found[place], found[champion], how)
    return found


def _part(served: Served, version: str, role: str) -> Served:
    """Return the predictions of one version in one role."""
    return served.take(np.asarray((served.rows["version"] == version) & (served.rows["role"] == role), dtype=bool))


def _alone(part: _Variant, how: Comparing) -> dict[str, Any]:
    """Return what one version reaches on its own rows."""
    scored = part.served.scored()
    line = {"version": part.version, "role": part.role, "predictions": len(part.served), "labels": len(scored)}
    if len(scored) < how.min_labels:
        return {**line, **dict.fromkeys(("value", "low", "high"), float("nan"))}
    threshold = how.thresholds.get(part.version)
    found = intervals(scored.task, scored.y_true, scored.predicted, how.bootstrap, metrics=[how.metric], threshold=threshold)
    return {**line, **found[how.metric]}


def _beside(
    mine: _Variant, champion: _Variant, my_line: dict[str, Any], its_line: dict[str, Any], how: Comparing
) -> dict[str, Any]:
    """Return how a version differs from the champion: in pairs on the same rows where there are enough, else side by side."""
    left, right = same_rows(mine.served, champion.served)
    if len(left) < how.min_labels:
        return {"paired": False, "pairs": len(left), "gain": gain_of(how.metric, my_line, its_line)}
    truth = left.scored()
    first = Answers(left.predicted, how.thresholds.get(mine.version))
    second = Answers(right.predicted, how.thresholds.get(champion.version))
    found = differences(truth.task, truth.y_true, first, second, (how.metric,), how.bootstrap)[how.metric]
    verdict = judge(found.improvement, found.error, how.margin, len(truth), how.bootstrap.confidence, found.gain)
    tests = paired_tests(truth.task, truth.y_true, first, second, how.bootstrap.confidence)
    return {
        "paired": True,
        "pairs": len(left),
        "gain": found.gain,
        "verdict": verdict.verdict,
        "rows_needed": verdict.rows_needed,
        "tests": [{"name": test.name, "p_value": test.p_value, **test.found} for test in tests],
    }


def same_rows(mine: Served, other: Served) -> tuple[Served, Served]:
    """Return the labelled rows that both versions answered, in one order; of a row answered twice, the first answer."""
    left, right = (side.take(side.labelled) for side in (mine, other))
    left, right = (side.take(np.asarray(~side.rows["row"].duplicated(), dtype=bool)) for side in (left, right))
    places = right.rows.reset_index().set_index("row")["index"].reindex(left.rows["row"])
    there = places.notna().to_numpy()
    return left.take(there), right.take(places[there].to_numpy(dtype=np.intp))


def gain_of(metric: str, mine: Mapping[str, float], its: Mapping[str, float]) -> Interval:
    """Return the difference of two figures of different rows, more is better, from their intervals (Zou & Donner 2008)."""
    if not greater_is_better(metric):
        mine, its = ({"value": -one["value"], "low": -one["high"], "high": -one["low"]} for one in (mine, its))
    value = mine["value"] - its["value"]
    down = np.hypot(mine["value"] - mine["low"], its["high"] - its["value"])
    up = np.hypot(mine["high"] - mine["value"], its["value"] - its["low"])
    return {"value": float(value), "low": float(value - down), "high": float(value + up)}
