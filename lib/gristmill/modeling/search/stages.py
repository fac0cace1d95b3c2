"""How many stages (boosting rounds, epochs) a configuration is given, from the curves of its folds.

The number of stages is a hyperparameter like any other: one for all folds, chosen where the mean validation loss is lowest.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Curve = list[tuple[int, float]]
"""Stage and loss, thinned for storing."""

POINTS = 60
"""Points of a stored curve at most."""


def known_curve(model: Any, name: str = "curve_") -> Floats | None:
    """Return a loss that a fitted model has noted after each stage, shape ``(n_stages,)``; None if it has noted none."""
    values = getattr(model, name, None)
    if values is None or len(values) == 0:
        return None
    curve = np.asarray(values, dtype=np.float64)
    return curve if np.isfinite(curve).any() else None


def mean_curve(curves: Sequence[Floats | None]) -> Floats | None:
    """Return the mean over the folds, as long as the longest curve; None if no fold has one.

    A fold that stopped early keeps its last loss from there on: that is where stopping has left it.
    """
    known = [curve for curve in curves if curve is not None]
    if not known:
        return None
    length = max(len(curve) for curve in known)
    filled = [np.pad(np.where(np.isfinite(curve), curve, np.inf), (0, length - len(curve)), mode="edge") for curve in known]
    return np.asarray(np.mean(filled, axis=0), dtype=np.float64)


def best_stages(curves: Sequence[Floats | None]) -> int | None:
    """Return the number of stages with the lowest mean loss, the fewest among equals; None if no fold has a curve."""
    mean = mean_curve(curves)
    return None if mean is None else int(np.argmin(mean)) + 1


def thinned(curve: Floats | None) -> Curve | None:
    """Return at most :data:`POINTS` points of a curve, its lowest among them, with the stage of each from 1; finite ones only."""
    if curve is None:
        return None
    picked = np.unique(np.linspace(0, len(curve) - 1, min(POINTS - 1, len(curve))).round().astype(int))
    stages = sorted({*picked.tolist(), int(np.argmin(curve))})
    return [(stage + 1, float(curve[stage])) for stage in stages if np.isfinite(curve[stage])]
