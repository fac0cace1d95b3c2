"""Compiling of a fitted preparation: the steps that add features, and the blocks of the matrix.

What an encoder makes of a level is not worked out again: every known level, and one that is none, is put through the fitted step
itself, and what comes out is the table that is looked up in service.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from gristmill.errors import NoCompiledForm
from gristmill.features.cycles import Cycles
from gristmill.features.filling import FillText
from gristmill.features.limits import OutlierLimits
from gristmill.features.scaling import EvenScaler
from gristmill.features.target_means import TargetMeans
from gristmill.serving.compiled.blocks import Flags, Matrix, Numbers, Table
from gristmill.serving.compiled.cells import Floats, Places
from gristmill.serving.compiled.compiling.adding import compile_before
from gristmill.serving.compiled.compiling.vocabularies import Features
from gristmill.serving.compiled.ranks import Circle, Curves, Ranks

OF_LEVELS = OneHotEncoder | OrdinalEncoder | TargetMeans | MissingIndicator | FillText


def compile_matrix(preparation: ColumnTransformer | Pipeline, features: Features) -> Matrix:
    """Return the matrix that a fitted preparation makes."""
    steps = [step for _, step in preparation.steps] if isinstance(preparation, Pipeline) else [preparation]
    before, features = compile_before(steps[:-1], features)
    blocks = []
    for _, step, columns in steps[-1].transformers_:
        names = [columns] if isinstance(columns, str) else list(columns)
        if names and not (isinstance(step, str) and step == "drop"):
            blocks.append(_block(_inner(step), names, features, step))
    return Matrix(before, tuple(blocks))


def _inner(step: Any) -> list[Any]:
    """Return the steps of a step, without those that only hand on."""
    inner = [one for _, one in step.steps] if isinstance(step, Pipeline) else [step]
    return [one for one in inner if not isinstance(one, FunctionTransformer | str)]


def _block(inner: Sequence[Any], names: Sequence[str], features: Features, step: Any) -> Any:
    """Return the block that a step makes of some features."""
    if any(isinstance(one, OF_LEVELS) for one in inner):
        return _levels(inner, names, features, step)
    return _numbers(inner, names, features)


def _levels(inner: Sequence[Any], names: Sequence[str], features: Features, step: Any) -> Table | Flags:
    """Return the look-up of what a step makes of levels."""
    table = pd.DataFrame(features.table(names), columns=list(names), dtype=object)
    made = np.asarray(step.transform(table), dtype=np.float64)
    sizes = features.sizes(names)
    columns = np.array([features.levels[name] for name in names], dtype=np.intp)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    hot = [one for one in inner if isinstance(one, OneHotEncoder)]
    if hot:
        return _flags(made, sizes, columns, starts, hot[0]._n_features_outs)
    width = made.shape[1] // len(names)
    values = [made[:size, place * width : (place + 1) * width] for place, size in enumerate(sizes)]
    return Table(columns, starts, np.vstack(values))


def _flags(made: Floats, sizes: Sequence[int], columns: Places, starts: Places, widths: Sequence[int]) -> Flags:
    """Return which column each level sets."""
    places, start = [], 0
    for size, width in zip(sizes, widths, strict=True):
        part = made[:size, start : start + width]
        if not np.isin(part, (0.0, 1.0)).all() or (part.sum(axis=1) > 1).any():
            raise NoCompiledForm("its encoding of levels sets more than one column a level")
        places.append(np.where(part.any(axis=1), start + part.argmax(axis=1) if width else 0, made.shape[1]))
        start += width
    return Flags(columns, starts, np.concatenate(places).astype(np.intp), made.shape[1])


def _numbers(inner: Sequence[Any], names: Sequence[str], features: Features) -> Numbers:
    """Return the block that steps make of numbers."""
    found: dict[str, Any] = dict.fromkeys(("lower", "upper", "filling", "flagged", "ranks", "curves", "centre", "scale"))
    width, clip = len(names), True
    for step in inner:
        if isinstance(step, OutlierLimits):
            found |= {"lower": np.asarray(step.lower_), "upper": np.asarray(step.upper_)}
            clip = step.action == "clip"
        elif isinstance(step, SimpleImputer):
            found["filling"] = np.asarray(step.statistics_, dtype=np.float64)
            flagged = step.indicator_.features_ if step.add_indicator else ()
            found["flagged"] = np.asarray(flagged, dtype=np.intp) if len(flagged) else None
            width += len(flagged)
        elif isinstance(step, QuantileTransformer):
            found["ranks"] = Ranks(np.asarray(step.quantiles_), np.asarray(step.references_), step.output_distribution == "normal")
        elif isinstance(step, SplineTransformer):
            found["curves"] = _curves(step)
            width = int(step.n_features_out_)
        elif isinstance(step, Cycles):
            found["curves"], width = Circle(np.asarray(step.periods_)), 2 * width
        elif isinstance(step, EvenScaler | StandardScaler):
            found |= {"centre": np.asarray(step.mean_), "scale": np.asarray(step.scale_)}
        else:
            raise NoCompiledForm(f"{type(step).__name__}, a step of its preparation, has no compiled form")
    columns = np.array([features.numbers[name] for name in names], dtype=np.intp)
    return Numbers(columns=columns, clip=clip, width=width, **found)


def _curves(step: SplineTransformer) -> Curves:
    """Return the curves of a spline as cubic polynomials between its knots."""
    if step.extrapolation != "constant" or step.degree != 3:
        raise NoCompiledForm("its splines are of another kind than those that Gristmill fits")
    knots, powers = [], []
    for spline in step.bsplines_:
        inside = spline.t[step.degree : -step.degree]
        n_curves = spline.c.shape[1] - (0 if step.include_bias else 1)
        pieces = np.empty((len(inside) - 1, 4, n_curves))
        for order, factor in enumerate((1.0, 1.0, 2.0, 6.0)):  # the value and its derivatives at the knot before
            pieces[:, 3 - order] = spline(inside[:-1], nu=order)[:, :n_curves] / factor
        knots.append(inside)
        powers.append(pieces)
    return Curves(np.array(knots), np.array(powers))
