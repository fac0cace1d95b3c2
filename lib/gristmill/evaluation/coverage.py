"""How often the sets and intervals of a model hold the truth of test rows, beside how often they were asked to.

Coverage and mean size are MAPIE's measures; their intervals are those of a proportion (Wilson 1927).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.errors import LevelError
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.disparity import wilson_interval
from gristmill.metrics.groups import as_groups, group_order
from gristmill.modeling import baselines
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.conformal.conformity import ABSOLUTE, LAC, Conformity
from gristmill.reporting.wording import count, figure, share

LEVELS = (0.8, 0.9, 0.95)
"""Levels that are measured."""

ALL_ROWS = "all test rows"
BASELINE = "baseline"
OLD_MODEL = "This model was built without conformity scores: it answers no sets and no intervals."

Floats = NDArray[np.float64]
Part = dict[str, float]
"""What is measured of some rows: ``coverage``, ``low``, ``high``, ``n``, and ``size`` (classes) or ``width`` (numbers)."""


@dataclass(frozen=True)
class Coverage:
    """What was measured.

    Attributes
    ----------
    method
        How sets or intervals are made; None for a model without.
    n_learnt
        Out-of-fold rows they were learnt from.
    confidence
        Level of the intervals of coverage.
    levels
        Level -> its record: a :data:`Part`, ``single`` (share of sets of one class; classes alone), ``by_class`` or
        ``by_prediction`` (quarters of the predicted numbers), and ``by_group`` (sensitive feature -> group); parts are named.
    refused
        Levels that so few out-of-fold rows cannot vouch for -> why.
    """

    method: str | None
    n_learnt: int
    confidence: float
    levels: Mapping[float, Mapping[str, Any]]
    refused: Mapping[float, str]

    def as_product(self, others: "Mapping[str, Coverage] | None" = None) -> dict[str, Any] | None:
        """Return all of it as JSON-able data, levels as text; None for a model without sets and intervals.

        ``others`` holds, by name, the same of other models.
        """
        if self.method is None:
            return None
        beside = {"others": {name: found.as_product() for name, found in others.items()}} if others else {}
        return {
            "method": self.method,
            "rows": self.n_learnt,
            "confidence": self.confidence,
            "levels": {f"{level:g}": dict(record) for level, record in self.levels.items()},
            "refused": {f"{level:g}": why for level, why in self.refused.items()},
            **beside,
        }

    def sentence(self) -> str:
        """Return in Markdown how often the truth is held, and whether that is less than was asked for."""
        if self.method is None:
            return OLD_MODEL
        kind, unit = ("Sets", "classes") if self.method == LAC else ("Intervals", "")
        said = []
        for level, record in self.levels.items():
            size = (
                f"a mean size of {figure(record['size'])} {unit}"
                if "size" in record
                else f"a mean width of {figure(record['width'])}"
            )
            ends = f"{share(record['low'], 1)} to {share(record['high'], 1)}"
            short = ", **fewer than asked for**" if record["high"] < level else ""
            said.append(
                f"{kind} asked to hold {share(level)} hold **{share(record['coverage'], 1)}** ({ends}) of {count(record['n'])} "
                f"truths{short}, with {size}."
            )
        return " ".join([*said, *self.refused.values()])

    def parts(self, most: int = 12, others: "Mapping[str, Coverage] | None" = None) -> list[dict[str, Any]]:
        """Return all rows and, below them, classes or quarters of the predictions: ``part`` and its record by level.

        Of more than ``most`` parts, those that are covered least at the middle level are returned, the lowest first.

        A part's ``others`` say, by name and level, how often other models hold its truths. Quarters are of each model's own
        predictions, so that those of others have no place beside them; nor have classes for a baseline, which answers all rows
        alike.
        """
        if not self.levels:
            return []
        middle = self.levels[sorted(self.levels)[len(self.levels) // 2]]
        below = middle.get("by_class") or middle.get("by_prediction") or {}
        names = list(below) if len(below) <= most else sorted(below, key=lambda name: below[name]["coverage"])[:most]
        key = "by_class" if "by_class" in middle else "by_prediction"
        everyone = {
            "part": ALL_ROWS,
            "levels": {level: dict(record) for level, record in self.levels.items()},
            "others": {name: {at: r["coverage"] for at, r in found.levels.items()} for name, found in (others or {}).items()},
        }
        shown = {one: one if key == "by_class" else f"predicted {one}" for one in names}
        learnt = {name: found for name, found in (others or {}).items() if name != BASELINE and key == "by_class"}
        return [
            everyone,
            *(
                {
                    "part": shown[one],
                    "levels": {at: r[key][one] for at, r in self.levels.items()},
                    "others": {
                        name: {at: r[key][one]["coverage"] for at, r in found.levels.items() if one in r[key]}
                        for name, found in learnt.items()
                    },
                }
                for one in names
            ),
        ]


def measure_coverage(
    model: FittedModel,
    scored: Scored,
    rows: pd.DataFrame,
    *,
    sensitive_features: Sequence[str] = (),
    confidence: float = 0.95,
    levels: Sequence[float] = LEVELS,
) -> Coverage:
    """Return how often sets or intervals hold the truth, overall, by class or by predicted number, and by group.

    Parameters
    ----------
    model
        Its conformity scores make the sets or intervals.
    scored
        Rows with their truth, and what the model said of them.
    rows
        The same rows with their raw columns, in the same order.
    sensitive_features
        Columns by whose groups coverage is told as well; those that ``rows`` lacks are left out.
    confidence
        Level of the intervals of coverage.
    levels
        Levels to measure; those that the model cannot vouch for are told as refused.
    """
    if model.conformity is None:
        return Coverage(None, 0, confidence, {}, {})
    groups = {name: as_groups(rows[name]) for name in sensitive_features if name in rows.columns}
    return _coverage(model.conformity, scored, model.classes, groups, confidence, levels)


def baseline_coverage(
    name: str,
    y_train: NDArray[Any],
    naive: Scored,
    classes: Sequence[str],
    *,
    confidence: float = 0.95,
    levels: Sequence[float] = LEVELS,
) -> Coverage:
    """Return how often the sets or intervals of a baseline hold the truth: one set, or one width, for every row.

    They are made of the errors it makes on the training rows, which it knows as a whole and cannot learn by heart.

    Parameters
    ----------
    name
        The baseline; see :func:`gristmill.modeling.baselines.predict`.
    y_train
        Codes or numbers of the training rows.
    naive
        The test rows as the baseline predicts them.
    classes
        Classes in the order of their codes; empty for a regression.
    confidence, levels
        As in :func:`measure_coverage`.
    """
    said = baselines.predict(name, y_train, len(y_train), len(classes))
    if classes:
        conformity = Conformity.of(LAC, 1.0 - said[np.arange(len(y_train)), np.asarray(y_train, dtype=np.int64)])
    else:
        conformity = Conformity.of(ABSOLUTE, np.abs(np.asarray(y_train, dtype=np.float64) - said))
    return _coverage(conformity, naive, classes, {}, confidence, levels)


def coverage_table(covered: Mapping[str, Coverage]) -> pd.DataFrame:
    """Return a line a level and a column a model: how often it holds the truth, with the interval, and its mean size or width.

    Parameters
    ----------
    covered
        Name of a model -> what was measured; all of one task.
    """
    levels = sorted({level for found in covered.values() for level in (*found.levels, *found.refused)})
    lines = {share(level): {name: _cell(found, level) for name, found in covered.items()} for level in levels}
    return pd.DataFrame.from_dict(lines, orient="index", columns=list(covered)).rename_axis("asked to hold", axis=1)


def _cell(found: Coverage, level: float) -> str:
    """Return what a model comes to at a level."""
    record = found.levels.get(level)
    if record is None:
        return "no sets or intervals" if found.method is None else "too few rows to vouch for it"
    size = f"size {figure(record['size'])}" if "size" in record else f"width {figure(record['width'])}"
    return f"{share(record['coverage'], 1)} ({share(record['low'], 1)} to {share(record['high'], 1)}), {size}"


def missing_in_words(others: Mapping[str, Coverage]) -> str:
    """Return why the table lacks figures of other models; nothing where it has all."""
    said = []
    for name, found in others.items():
        if found.method is None:
            said.append(f"The {name} was built without conformity scores: it answers no sets and no intervals.")
        elif found.refused:
            levels = ", ".join(share(level) for level in found.refused)
            said.append(f"The {name} learnt from {count(found.n_learnt)} rows, too few to vouch for {levels}.")
    return " ".join(said)


def _coverage(
    conformity: Conformity,
    scored: Scored,
    classes: Sequence[str],
    groups: Mapping[str, pd.Series],
    confidence: float,
    levels: Sequence[float],
) -> Coverage:
    """Return how often what these conformity scores make holds the truth."""
    found, refused = {}, {}
    for level in levels:
        try:
            hit, size = _held(conformity, scored, level)
        except LevelError as error:
            refused[level] = str(error)
            continue
        measured = pd.DataFrame({"hit": hit, "size": size})
        found[level] = _record(measured, scored, classes, groups, confidence)
    return Coverage(conformity.method, conformity.n_rows, confidence, found, refused)


def _held(conformity: Conformity, scored: Scored, level: float) -> tuple[NDArray[np.bool_], Floats]:
    """Return for each row whether its set or interval holds the truth, and how large that is."""
    if scored.task == "regression":
        lower, upper = conformity.interval(scored.predicted, level)
        return (lower <= scored.y_true) & (scored.y_true <= upper), upper - lower
    sets = conformity.sets(scored.predicted, level)
    codes = scored.y_true.astype(np.int64)
    return sets[np.arange(len(codes)), codes], sets.sum(axis=1).astype(np.float64)


def _record(
    measured: pd.DataFrame, scored: Scored, classes: Sequence[str], groups: Mapping[str, pd.Series], confidence: float
) -> dict[str, Any]:
    """Return what one level comes to."""
    size = "size" if classes else "width"

    def by(parts: NDArray[Any], order: Sequence[str]) -> dict[str, Part]:
        return _parts(measured, pd.Series(parts, dtype=object), order, size, confidence)

    record: dict[str, Any] = by(np.full(len(measured), ALL_ROWS), [ALL_ROWS]).get(ALL_ROWS, {})
    if classes:
        record["single"] = float((measured["size"] == 1).mean())
        named = np.array(classes, dtype=object)[scored.y_true.astype(np.int64)]
        record["by_class"] = by(named, classes)
    else:
        quarters = as_groups(pd.Series(scored.predicted))
        record["by_prediction"] = by(quarters.to_numpy(), group_order(quarters))
    record["by_group"] = {feature: by(found.to_numpy(), group_order(found)) for feature, found in groups.items()}
    return record


def _parts(measured: pd.DataFrame, parts: pd.Series, order: Sequence[str], size: str, confidence: float) -> dict[str, Part]:
    """Return what is measured of each part that has rows, in the order given."""
    table = measured.groupby(parts.to_numpy()).agg(hits=("hit", "sum"), n=("hit", "size"), size=("size", "mean"))
    table = table.reindex([name for name in order if name in table.index])
    hits, n = table["hits"].to_numpy(dtype=np.float64), table["n"].to_numpy(dtype=np.float64)
    low, high = wilson_interval(hits, n, confidence)
    return {
        str(name): {
            "coverage": float(hits[place] / n[place]),
            "low": float(low[place]),
            "high": float(high[place]),
            "n": int(n[place]),
            size: float(table["size"].iloc[place]),
        }
        for place, name in enumerate(table.index)
    }
