"""What an answer may hold beside predictions: sets or intervals of a level, and the reasons for each row."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from gristmill.errors import ArtifactError, LevelError
from gristmill.metrics.scores import Floats
from gristmill.modeling.conformal.conformity import HIGHEST, LOWEST
from gristmill.serving.problems import ProblemError
from gristmill.serving.served.versions import ServedVersion

Rows = Sequence[Mapping[str, Any]]

_LOG = logging.getLogger(__name__)


def require_level(version: ServedVersion, level: float) -> None:
    """Raise unless a version can make sets or intervals of a level.

    Raises
    ------
    ProblemError
        It cannot (422).
    """
    try:
        version.predictor.columns_with(level)
    except LevelError as error:  # its words repeat the level
        raise ProblemError(
            422, "Level Not Possible",
            f"Expected a level from {LOWEST} to {HIGHEST} that this version has rows enough to vouch for; ask for a lower one.",
        ) from error  # fmt: skip
    except ArtifactError as error:
        raise ProblemError(422, "Level Not Possible", str(error)) from error


def ranges(version: ServedVersion, values: Floats, level: float) -> dict[str, Any]:
    """Return ``prediction_sets`` of classes, or ``intervals`` of numbers, that hold the truth of a share of rows."""
    model = version.predictor.model
    conformity = model.conformity
    if conformity is None:  # refused by `require_level` before
        return {}
    if not model.classes:
        lower, upper = conformity.interval(values, level)
        ends = zip(lower.tolist(), upper.tolist(), strict=True)
        return {"intervals": [{"lower": low, "upper": high} for low, high in ends]}
    inside = conformity.sets(values, level)
    return {"prediction_sets": [[model.classes[code] for code in np.flatnonzero(row)] for row in inside]}


def require_few(rows: Rows, most: int) -> None:
    """Raise where more rows are to be explained than may be.

    Raises
    ------
    ProblemError
        There are more (422).
    """
    if len(rows) > most:
        raise ProblemError(
            422, "Too Many Rows", f"Expected at most {most} rows with `explain=shap`, got {len(rows)}. Ask for fewer at once."
        )


async def explanations(version: ServedVersion, rows: Rows, executor: Executor) -> dict[str, Any]:
    """Return the reasons for each row, in the words of its columns; see ``docs/explanations.md``.

    Raises
    ------
    ProblemError
        The model carries nothing to explain it with (422), or what it carries cannot be used (503).
    """
    if version.predictor.model.drift_reference is None:
        raise ProblemError(422, "No Explanations", "This version of the model carries nothing to explain it with.")
    try:
        made = await asyncio.get_running_loop().run_in_executor(executor, _explained, version, rows)
    except ArtifactError as error:
        _LOG.error("version %s of %s cannot be explained: %s", version.label, version.name, error)
        raise ProblemError(
            503, "No Explanations", "What explains this version of the model cannot be used; the log of the service says why."
        ) from error
    return {"explanations": made}


def _explained(version: ServedVersion, rows: Rows) -> list[dict[str, Any]]:
    columns = list(version.predictor.model.feature_columns)
    return version.explainer.explain(pd.DataFrame([dict(row) for row in rows], columns=columns))
