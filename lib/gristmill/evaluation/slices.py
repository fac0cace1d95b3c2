"""Where a model is worse than elsewhere: every level and quantile of every column, tested together.

A segment is called worse when its mean loss exceeds what a random group of its size would show, by the permutation distribution of
the largest standardised excess over all segments (Westfall and Young 1993). That holds the chance of any false alarm at the
level asked for, however many segments there are and however they overlap.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from gristmill.evaluation.predictions import Scored
from gristmill.metrics.groups import as_groups
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap, intervals
from gristmill.metrics.scores import Floats

MAX_SEGMENTS_PER_COLUMN = 50
MAX_OPERATIONS = 500_000_000
"""Row memberships times permutations; larger tables are tested on a random sample of their rows."""


def row_losses(scored: Scored) -> Floats:
    """Return the loss of each row: log loss for classes, absolute error for numbers."""
    if scored.task == "regression":
        return np.asarray(np.abs(scored.y_true - scored.predicted))
    own = scored.predicted[np.arange(len(scored)), scored.y_true.astype(np.int64)]
    return np.asarray(-np.log(np.clip(own, np.finfo(np.float64).eps, 1.0)))


def segment_members(frame: pd.DataFrame, columns: Sequence[str], *, min_rows: int) -> tuple[pd.DataFrame, sparse.csr_matrix]:
    """Return the segments of a table and which rows lie in each.

    Parameters
    ----------
    frame
        Rows with the columns to cut by.
    columns
        Columns whose levels (or quartiles) are segments; of many levels the fifty largest.
    min_rows
        Segments with fewer rows, and those that leave fewer rows outside, are left out.

    Returns
    -------
    tuple
        A table with ``feature, segment, n``, and a matrix of shape ``(n_segments, n_rows)`` that is 1 for members.
    """
    names: list[tuple[str, str, int]] = []
    members: list[np.ndarray] = []
    for column in columns:
        codes, levels = pd.factorize(as_groups(frame[column]), sort=True)
        sizes = np.bincount(codes, minlength=len(levels))
        largest = np.argsort(-sizes, kind="stable")[:MAX_SEGMENTS_PER_COLUMN]
        for code in sorted(largest):
            if min_rows <= sizes[code] <= len(frame) - min_rows:
                names.append((column, str(levels[code]), int(sizes[code])))
                members.append(np.flatnonzero(codes == code))
    table = pd.DataFrame(names, columns=["feature", "segment", "n"])
    pointers = np.concatenate([[0], np.cumsum(table["n"].to_numpy(dtype=np.int64))])
    indices = np.concatenate(members) if members else np.array([], dtype=np.int64)
    matrix = sparse.csr_matrix((np.ones(len(indices)), indices, pointers), shape=(len(table), len(frame)))
    return table, matrix


def adjusted_p_values(losses: Floats, members: sparse.csr_matrix, *, permutations: int, random_state: int) -> Floats:
    """Return, for each segment, the chance that *any* segment of random rows shows so large a standardised excess loss.

    Parameters
    ----------
    losses
        Loss of each row, shape ``(n_rows,)``.
    members
        Segments, shape ``(n_segments, n_rows)``.
    permutations
        Number of random reassignments of losses to rows.
    random_state
        Seed.
    """
    n_rows = len(losses)
    if not members.shape[0]:
        return np.array([])
    sizes = np.clip(np.asarray(members.sum(axis=1)).ravel(), 1, n_rows - 1)
    centred = losses - losses.mean()
    deviation = centred.std()
    if deviation == 0:
        return np.ones(len(sizes))
    error = deviation * np.sqrt((n_rows - sizes) / (sizes * (n_rows - 1)))
    excess = (members @ centred) / sizes / error
    rng = np.random.default_rng(random_state)
    largest = np.empty(permutations)
    block = 50
    for start in range(0, permutations, block):
        count = min(block, permutations - start)
        shuffled = rng.permuted(np.tile(centred, (count, 1)), axis=1).T
        largest[start : start + count] = ((members @ shuffled) / (sizes * error)[:, None]).max(axis=0)
    return np.array((1 + (largest[None, :] >= excess[:, None] - 1e-12).sum(axis=1)) / (1 + permutations))


def find_segments(
    scored: Scored,
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    min_rows: int = 30,
    level: float = 0.05,
    permutations: int = 1000,
    random_state: int = 0,
) -> pd.DataFrame:
    """Return every segment with its size and loss, the surest to be worse first.

    Parameters
    ----------
    scored
        Predicted rows with their truth.
    frame
        The same rows, in the same order, with the columns to cut by.
    columns
        Columns whose levels or quartiles are segments.
    min_rows
        Smallest segment looked at.
    level
        Largest chance of any false alarm.
    permutations, random_state
        Number of permutations behind the p-values, and their seed.

    Returns
    -------
    DataFrame
        ``feature, segment, n, share, loss, rest_loss, p_adjusted, worse``.
    """
    losses = row_losses(scored)
    keep = np.arange(len(losses))
    allowed = max(10 * min_rows, MAX_OPERATIONS // (permutations * max(1, len(columns))))
    if len(losses) > allowed:
        keep = np.sort(np.random.default_rng(random_state).choice(len(losses), allowed, replace=False))
    table, members = segment_members(frame, columns, min_rows=min_rows)
    sums = np.asarray(members @ losses)
    sizes = table["n"].to_numpy(dtype=float)
    table["share"] = sizes / len(losses)
    table["loss"] = sums / sizes
    table["rest_loss"] = (losses.sum() - sums) / (len(losses) - sizes)
    table["p_adjusted"] = adjusted_p_values(losses[keep], members[:, keep], permutations=permutations, random_state=random_state)
    table["worse"] = (table["p_adjusted"] <= level) & (table["loss"] > table["rest_loss"])
    order = (table["rest_loss"] - table["loss"]).rename("gain")
    return table.assign(gain=order).sort_values(["p_adjusted", "gain"], kind="stable").drop(columns="gain").reset_index(drop=True)


def score_segments(
    segments: pd.DataFrame,
    scored: Scored,
    frame: pd.DataFrame,
    metric: str,
    *,
    threshold: float | None = None,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
) -> pd.DataFrame:
    """Return ``segments`` with ``metric, value, low, high``: the metric on the rows of each, with its interval.

    Meant for the few segments that are shown; see :func:`find_segments` for ``scored`` and ``frame``.
    """
    rows = []
    groups = {feature: as_groups(frame[feature]).to_numpy() for feature in segments["feature"].unique()}
    for feature, segment in segments[["feature", "segment"]].itertuples(index=False):
        inside = groups[feature] == segment
        found = intervals(
            scored.task, scored.y_true[inside], scored.predicted[inside], bootstrap, metrics=(metric,), threshold=threshold
        )
        rows.append({"metric": metric, **found[metric]})
    return segments.join(pd.DataFrame(rows, index=segments.index, columns=["metric", "value", "low", "high"]))
