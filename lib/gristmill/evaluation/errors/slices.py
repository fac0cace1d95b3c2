"""Where a model is worse than elsewhere: every level and quantile of every column and the nodes of a tree, tested together.

A segment is called worse when its mean loss exceeds what a random group of its size would show, by the permutation distribution of
the largest standardised excess over all segments (Westfall and Young 1993). That holds the chance of any false alarm at the
level asked for, however many segments there are and however they overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from gristmill.data.contract.conditions import Mask
from gristmill.evaluation.errors.segments import Segment, all_segments
from gristmill.evaluation.errors.slice_tree import grow
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap, intervals
from gristmill.metrics.paired import Answers
from gristmill.metrics.scores import Floats, score
from gristmill.reporting.wording import count, figure, interval, metric_label, share

MAX_FALSE_ALARMS = 0.05
"""Largest chance that random losses have any segment called worse, as promised."""

LEVEL = 0.04
"""The level that is tested at: a little below what is promised, so that a count over many runs keeps the promise as well."""

PERMUTATIONS = 500
MAX_OPERATIONS = 1_000_000_000
"""Row memberships times permutations; of larger tables a random sample of the rows is looked at."""

MAX_ROWS = 100_000
SAME_ROWS = 0.8
"""Share of the rows in either of two segments that lie in both, from which a list shows only one of them."""


@dataclass(frozen=True)
class Grown:
    """Rows apart from the tested ones, on whose losses the tree is grown: their predictions, and their columns."""

    scored: Scored
    frame: pd.DataFrame


@dataclass(frozen=True)
class Search:
    """What was found.

    Attributes
    ----------
    table
        One line a segment, the surest to be worse first: ``feature, segment, n, share, loss, rest_loss, expected_loss, p_adjusted,
        worse``; sizes and losses are those of the rows looked at.
    segments
        The segments, in the order of the table.
    rows, of
        How many rows were looked at, of how many.
    from_tree
        How many of the segments come from the tree.
    level
        Largest chance of any false alarm.
    """

    table: pd.DataFrame
    segments: tuple[Segment, ...]
    rows: int
    of: int
    from_tree: int
    level: float

    @property
    def n_worse(self) -> int:
        """How many segments are worse than chance explains."""
        return int(self.table["worse"].sum())

    def as_product(self) -> dict[str, Any]:
        """Return how much was looked at, as the JSON-able part of ``evaluation.json``."""
        looked = {"rows": self.rows, "of": self.of, "from_tree": self.from_tree, "level": self.level}
        return {"segments_tested": len(self.table), "segments_worse": self.n_worse, "segments_looked_at": looked}

    def sentence(self) -> str:
        """Return in Markdown what was tested on which rows, and how many segments are worse."""
        sampled = f", drawn at random from {count(self.of)}" if self.rows < self.of else ""
        grown = f" ({count(self.from_tree)} of them found by the tree)" if self.from_tree else ""
        return (
            f"**{count(self.n_worse)}** of {count(len(self.table))} segments{grown} are worse than chance explains. "
            f"{count(self.rows)} test rows were looked at{sampled}."
        )


def row_losses(scored: Scored) -> Floats:
    """Return the loss of each row: log loss for classes, absolute error for numbers."""
    if scored.task == "regression":
        return np.asarray(np.abs(scored.y_true - scored.predicted))
    own = scored.predicted[np.arange(len(scored)), scored.y_true.astype(np.int64)]
    return np.asarray(-np.log(np.clip(own, np.finfo(np.float64).eps, 1.0)))


def expected_losses(scored: Scored) -> Floats:
    """Return the loss that the model itself expects of each row: the entropy of its probabilities; unknown for numbers.

    A segment whose loss is as expected is hard and known to be; one far above it is where the model is wrong about itself.
    """
    if scored.task == "regression":
        return np.full(len(scored), np.nan)
    sure = np.clip(scored.predicted, np.finfo(np.float64).eps, 1.0)
    return np.asarray(-(scored.predicted * np.log(sure)).sum(axis=1))


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
        number = min(block, permutations - start)
        shuffled = rng.permuted(np.tile(centred, (number, 1)), axis=1).T
        largest[start : start + number] = ((members @ shuffled) / (sizes * error)[:, None]).max(axis=0)
    return np.array((1 + (largest[None, :] >= excess[:, None] - 1e-12).sum(axis=1)) / (1 + permutations))


def find_segments(
    scored: Scored,
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    grown: Grown | None = None,
    min_rows: int = 30,
    level: float = LEVEL,
    permutations: int = PERMUTATIONS,
    random_state: int = 0,
) -> Search:
    """Return every segment with its size and loss, the surest to be worse first.

    Parameters
    ----------
    scored
        Predicted rows with their truth.
    frame
        The same rows, in the same order, with the columns to cut by.
    columns
        Columns whose levels or quartiles are segments.
    grown
        Other rows, on which a tree looks for segments of several columns; without them there are only those of one.
    min_rows
        Smallest segment looked at.
    level
        Largest chance of any false alarm.
    permutations, random_state
        Number of permutations behind the p-values, and their seed.
    """
    allowed = max(10 * min_rows, min(MAX_ROWS, MAX_OPERATIONS // (permutations * max(1, len(columns)))))
    total, losses, expected = len(scored), row_losses(scored), expected_losses(scored)
    if total > allowed:
        keep = np.sort(np.random.default_rng(random_state).choice(total, allowed, replace=False))
        losses, expected, frame = losses[keep], expected[keep], frame.iloc[keep]
    found = all_segments(frame, columns, min_rows=min_rows)
    n_single = len(found)
    if grown is not None:
        share = 1.5 * min_rows / max(1, len(frame))
        nodes = grow(row_losses(grown.scored), grown.frame, columns, least_share=min(0.5, share), random_state=random_state)
        known = {inside.tobytes() for _, inside in found}
        placed = [(segment, segment.members(frame)) for segment in nodes]
        large = [(segment, inside) for segment, inside in placed if min_rows <= inside.sum() <= len(frame) - min_rows]
        found += [(segment, inside) for segment, inside in large if inside.tobytes() not in known]
    members = _membership([inside for _, inside in found], len(frame))
    table = _losses(found, members, losses, expected)
    table["p_adjusted"] = adjusted_p_values(losses, members, permutations=permutations, random_state=random_state)
    table["worse"] = (table["p_adjusted"] <= level) & (table["loss"] > table["rest_loss"])
    order = table.assign(gain=table["rest_loss"] - table["loss"]).sort_values(["p_adjusted", "gain"], kind="stable").index
    segments = tuple(found[place][0] for place in order)
    return Search(table.loc[order].reset_index(drop=True), segments, len(frame), total, len(found) - n_single, level)


def _membership(masks: Sequence[np.ndarray], n_rows: int) -> sparse.csr_matrix:
    """Return which rows lie in which segment, shape ``(n_segments, n_rows)``, 1 for members."""
    places = [np.flatnonzero(mask) for mask in masks]
    pointers = np.concatenate([[0], np.cumsum([len(rows) for rows in places], dtype=np.int64)])
    indices = np.concatenate(places) if places else np.array([], dtype=np.int64)
    return sparse.csr_matrix((np.ones(len(indices)), indices, pointers), shape=(len(masks), n_rows))


def _losses(
    found: Sequence[tuple[Segment, np.ndarray]], members: sparse.csr_matrix, losses: Floats, expected: Floats
) -> pd.DataFrame:
    """Return the segments with their sizes and losses, those of all other rows, and those that the model expects."""
    table = pd.DataFrame([(one.feature, one.text) for one, _ in found], columns=["feature", "segment"], dtype=object)
    sizes = np.asarray(members.sum(axis=1)).ravel()
    sums = np.asarray(members @ losses).ravel()
    table["n"] = sizes.astype(np.int64)
    table["share"] = sizes / max(1, len(losses))
    table["loss"] = sums / sizes
    table["rest_loss"] = (losses.sum() - sums) / (len(losses) - sizes)
    table["expected_loss"] = np.asarray(members @ expected).ravel() / sizes
    return table


def score_segments(
    search: Search,
    scored: Scored,
    frame: pd.DataFrame,
    metric: str,
    *,
    most: int = 12,
    threshold: float | None = None,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
    others: Mapping[str, Answers] | None = None,
) -> pd.DataFrame:
    """Return the first segments of a search with ``metric, value, low, high``: the metric on the rows of each, with its interval.

    Of segments that are nearly the same rows (four fifths of those in either lie in both) only the surest is taken. Size and share
    are those among all rows; see :func:`find_segments` for ``scored`` and ``frame``. ``others`` holds, by name, the metric of each
    of the other models on the same rows, at its own threshold.
    """
    places: list[int] = []
    masks: list[Mask] = []
    rows: list[dict[str, Any]] = []
    for place, segment in enumerate(search.segments):
        inside = segment.members(frame)
        if len(places) == most:
            break
        if any((inside & other).sum() > SAME_ROWS * (inside | other).sum() for other in masks):
            continue
        places.append(place)
        masks.append(inside)
        value = score_rows(scored.take(np.flatnonzero(inside)), metric, threshold=threshold, bootstrap=bootstrap)
        size = int(inside.sum())
        beside = score_others(others, scored, np.flatnonzero(inside), metric)
        rows.append({"n": size, "share": size / max(1, len(scored)), "metric": metric, **value, "others": beside})
    table = search.table.loc[places].drop(columns=["n", "share"]).reset_index(drop=True)
    return table.join(pd.DataFrame(rows, index=table.index, columns=["n", "share", "metric", "value", "low", "high", "others"]))


def score_rows(
    scored: Scored, metric: str, *, threshold: float | None = None, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP
) -> dict[str, float]:
    """Return a metric on some rows with its interval; see :func:`gristmill.metrics.intervals.intervals`."""
    found = intervals(scored.task, scored.y_true, scored.predicted, bootstrap, metrics=(metric,), threshold=threshold)
    return dict(found[metric])


def score_others(others: Mapping[str, Answers] | None, scored: Scored, inside: NDArray[np.intp], metric: str) -> dict[str, float]:
    """Return a metric of other models on some of the rows, each at its own threshold.

    Parameters
    ----------
    others
        Name of another model -> what it says about all rows.
    scored
        All rows with their truth.
    inside
        Positions of the rows meant; of none, no metric is a number.
    metric
        What is scored.
    """
    return {
        name: score(metric, scored.y_true[inside], answers.predicted[inside], threshold=answers.threshold)
        if len(inside)
        else float("nan")
        for name, answers in (others or {}).items()
    }


def shown(segments: pd.DataFrame) -> pd.DataFrame:
    """Return scored segments as a reader would want them: size, metric with interval, others' metric, and both losses."""
    lines = [
        {
            "segment": one["segment"],
            "rows": f"{count(one['n'])} ({share(one['share'], 1)})",
            metric_label(one["metric"]): " ".join(
                part
                for part in (figure(one["value"]), interval(one["low"], one["high"]) if np.isfinite(one["low"]) else "")
                if part
            ),
            **{name: figure(value) for name, value in one["others"].items()},
            "mean loss": figure(one["loss"]),
            "elsewhere": figure(one["rest_loss"]),
            "expected": figure(one["expected_loss"]),
            "by chance": figure(one["p_adjusted"]),
            "worse": "yes" if one["worse"] else "cannot tell",
        }
        for one in segments.to_dict("records")
    ]
    return pd.DataFrame(lines).set_index("segment").rename_axis(None) if lines else pd.DataFrame()
