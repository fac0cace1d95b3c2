"""How many values were missing, far out or unseen, and what became of them: counted on any rows, for any fitted model.

Limits and known levels are read off the fitted steps themselves, so that what is reported is what the model does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from gristmill.config.sections.training import Family
from gristmill.data.contract.treatment import limits_of
from gristmill.features.builder import KIND_OF_STEP, policy_in
from gristmill.features.choices import LEFT_OUT, choices
from gristmill.features.filling import FillText
from gristmill.features.limits import OutlierLimits
from gristmill.features.preparation import encoder_of, treatment_of
from gristmill.features.rows import MARKERS
from gristmill.features.target_means import TargetMeans
from gristmill.reporting.wording import opening

Preparation: TypeAlias = ColumnTransformer | Pipeline
"""What makes a family's matrix of row-wise features."""

COUNTS = ("missing", "filled", "clipped", "set_missing", "unseen_levels")
"""What is counted in each column and over all of them."""


@dataclass(frozen=True)
class Treated:
    """What was missing, far out or unseen in some rows, and what became of it.

    Attributes
    ----------
    rows
        How many rows were looked at.
    columns
        For each source column ``column``, ``kind``, its policy (``missing_values``, ``outliers``), the limits in force (``lower``,
        ``upper``) and, as cells, ``missing``, ``filled`` (of those that are missing or were made so), ``filled_by`` (families; the
        others read a gap as a gap), ``clipped``, ``set_missing`` and ``unseen_levels``.
    choices
        What the fitted models made of the features themselves; see :func:`gristmill.features.choices.choices`.
    """

    rows: int
    columns: tuple[dict[str, Any], ...]
    choices: tuple[dict[str, str], ...] = ()

    @property
    def totals(self) -> dict[str, int]:
        """The counts over all columns."""
        return {key: sum(column[key] for column in self.columns) for key in COUNTS}

    @property
    def table(self) -> pd.DataFrame:
        """The counts for reading, one row a column of the data."""
        names = ["column", "kind", "missing_values", "outliers", "lower", "upper", *COUNTS, "filled_by"]
        table = pd.DataFrame(list(self.columns), columns=names).astype({"lower": "float64", "upper": "float64"})
        table["filled_by"] = table["filled_by"].map(", ".join)
        return table.rename(columns=lambda name: name.replace("_", " ")).set_index("column")

    @property
    def choices_table(self) -> pd.DataFrame:
        """The features that were added or left out inside the folds, one row each; empty where the case asks for neither."""
        return pd.DataFrame(list(self.choices), columns=["feature", "family", "choice", "reason"]).set_index("feature")

    @property
    def sentence(self) -> str:
        """The totals in words, without a full stop."""
        totals, asked = self.totals, {column["outliers"] for column in self.columns}
        parts = [f"missing values: {totals['missing']:,}", f"filled in: {totals['filled']:,}"]
        parts += [f"outliers clipped: {totals['clipped']:,}"] if "clip" in asked else []
        parts += [f"outliers made missing: {totals['set_missing']:,}"] if "missing" in asked else []
        return opening(", ".join([*parts, f"values of a level never seen: {totals['unseen_levels']:,}"]))

    def metrics(self, prefix: str) -> dict[str, float]:
        """Return the totals under names for the tracking of runs, such as ``test_filled_cells``."""
        return {f"{prefix}_{key}_cells": float(value) for key, value in self.totals.items()}

    def as_product(self) -> dict[str, Any]:
        """Return the counts as JSON-able data: ``rows``, ``columns``, ``totals`` and ``features`` (the choices)."""
        return {"rows": self.rows, "columns": list(self.columns), "totals": self.totals, "features": list(self.choices)}

    def with_more(self, more: "Treated") -> "Treated":
        """Return the counts of these rows and others together, as of one table read in chunks."""
        both = zip(self.columns, more.columns, strict=True)
        columns = tuple({**one, **{key: one[key] + other[key] for key in COUNTS}} for one, other in both)
        return Treated(self.rows + more.rows, columns, self.choices)


def planned(features: pd.DataFrame, plan: dict[str, Any], families: Sequence[str] = get_args(Family)) -> Treated:
    """Return what a plan will have the families do to rows, by limits learnt on these very rows; see :func:`count`.

    The limits only describe: those a model uses are learnt inside its folds.
    """
    limits = {}
    for feature in plan["features"]:
        policy = policy_in(plan, feature)
        if policy.outliers != "keep" and feature["step"] == "number":
            values = features[feature["name"]].to_numpy(dtype=np.float64)
            limits[feature["name"]] = limits_of(values, policy.method, policy.factor, policy.lower, policy.upper)
    filled_by = {
        feature["name"]: [family for family in families if treatment_of(plan, feature, family).fill is not None]
        for feature in plan["features"]
    }
    return count_by(Rules(plan, filled_by, limits, {}), features)


def count(features: pd.DataFrame, plan: dict[str, Any], fitted: Mapping[str, Preparation]) -> Treated:
    """Return what fitted models do to rows.

    Parameters
    ----------
    features
        Row-wise features, shape ``(n_rows, n_features)``.
    plan
        The plan they were made by.
    fitted
        Family -> its fitted preparation.
    """
    return count_by(Rules.of(plan, fitted), features)


def count_by(rules: "Rules", features: pd.DataFrame) -> Treated:
    """Return what is in row-wise features, shape ``(n_rows, n_features)``, by rules that were read off fitted models before."""
    return rules.counted(len(features), _look_in(features))


@dataclass(frozen=True)
class Found:
    """Cells of one column that were missing, beyond its limits, or of a level that was not known."""

    missing: int
    outside: int = 0
    unseen: int = 0


Look: TypeAlias = Callable[[dict[str, Any], tuple[float, float], Any], Found]
"""Is given a feature of the plan, its limits (infinite without), and its known levels (None without); returns what it found."""

NO_LIMITS = (-np.inf, np.inf)


@dataclass(frozen=True)
class Rules:
    """By what the cells of a plan's features are counted, wherever they stand.

    Attributes
    ----------
    plan
        The plan.
    filled_by
        Feature -> the families that fill in its gaps.
    limits
        Feature -> its lower and upper limit.
    known
        Feature -> its known levels.
    choices
        As in :class:`Treated`.
    """

    plan: dict[str, Any]
    filled_by: Mapping[str, list[str]]
    limits: Mapping[str, tuple[float, float]]
    known: Mapping[str, Any]
    choices: tuple[dict[str, str], ...] = ()

    @classmethod
    def of(cls, plan: dict[str, Any], fitted: Mapping[str, Preparation]) -> "Rules":
        """Return the rules that the fitted preparations of families follow."""
        preparations = list(fitted.values())
        filled_by: dict[str, list[str]] = {}
        for family, preparation in zip(fitted, preparations, strict=True):
            for steps, columns, _ in _groups([preparation]):
                if any(isinstance(step, SimpleImputer | FillText) for step in steps):
                    for name in columns:
                        filled_by.setdefault(name, []).append(family)
        return cls(plan, filled_by, _limits(preparations), _known_levels(preparations), tuple(choices(fitted)))

    @property
    def counted_features(self) -> list[dict[str, Any]]:
        """The features that are counted, one a source column: a date counts once, whatever the number of its parts."""
        firsts = {feature["source"]: feature for feature in reversed(self.plan["features"])}
        return [firsts[name] for name in dict.fromkeys(feature["source"] for feature in self.plan["features"])]

    def counted(self, n_rows: int, look: Look) -> Treated:
        """Return the counts of rows in which ``look`` finds what there is."""
        return Treated(n_rows, tuple(self._column(feature, look) for feature in self.counted_features), self.choices)

    def _column(self, feature: dict[str, Any], look: Look) -> dict[str, Any]:
        """Return the counts of one column."""
        name, policy = feature["name"], policy_in(self.plan, feature)
        lower, upper = self.limits.get(name, NO_LIMITS)
        found, fillers = look(feature, (lower, upper), self.known.get(name)), self.filled_by.get(name, [])
        emptied = found.outside if policy.outliers == "missing" else 0
        return {
            "column": feature["source"],
            "kind": KIND_OF_STEP[feature["step"]],
            "missing_values": policy.missing,
            "outliers": policy.outliers,
            "lower": lower if np.isfinite(lower) else None,
            "upper": upper if np.isfinite(upper) else None,
            "missing": found.missing,
            "filled": found.missing + emptied if fillers else 0,
            "filled_by": fillers,
            "clipped": found.outside if policy.outliers == "clip" else 0,
            "set_missing": emptied,
            "unseen_levels": found.unseen,
        }


def _look_in(features: pd.DataFrame) -> Look:
    """Return what looks at row-wise features in a frame."""

    def look(feature: dict[str, Any], limits: tuple[float, float], known: Any) -> Found:
        values, step = features[feature["name"]], feature["step"]
        gaps = (values == MARKERS[step]).to_numpy() if step in MARKERS else values.isna().to_numpy()
        outside = 0 if step in MARKERS else int(((values < limits[0]) | (values > limits[1])).sum())
        unseen = 0 if known is None else int((~gaps & ~values.isin(known).to_numpy()).sum())
        return Found(int(gaps.sum()), outside, unseen)

    return look


def _limits(preparations: Iterable[Preparation]) -> dict[str, tuple[float, float]]:
    """Return the fitted limits by feature; members of an ensemble were fitted on the same rows and agree."""
    found: dict[str, tuple[float, float]] = {}
    for steps, columns, left_out in _groups(preparations):
        for step in steps:
            if isinstance(step, OutlierLimits):
                limits = zip(columns, zip(step.lower_.tolist(), step.upper_.tolist(), strict=True), strict=True)
                found |= {name: pair for name, pair in limits if name not in left_out}
    return found


def _known_levels(preparations: Iterable[Preparation]) -> dict[str, Any]:
    """Return the levels that a model was fitted on, by feature; none for a feature that every model leaves out."""
    found: dict[str, Any] = {}
    for steps, columns, left_out in _groups(preparations):
        for step in steps:
            levels = step.categories_ if isinstance(step, OneHotEncoder | OrdinalEncoder) else None
            levels = step.levels_ if isinstance(step, TargetMeans) else levels
            if levels is not None:
                found |= {name: known for name, known in zip(columns, levels, strict=True) if name not in left_out}
    return found


def _groups(preparations: Iterable[Preparation]) -> Iterable[tuple[list[Any], list[str], set[str]]]:
    """Yield the fitted steps and the features of every group of every preparation, and what that preparation leaves out."""
    for preparation in preparations:
        left_out = {choice["feature"] for choice in choices({"": preparation}) if choice["choice"] == LEFT_OUT}
        for _, fitted, columns in encoder_of(preparation).transformers_:
            steps = [step for _, step in fitted.steps] if isinstance(fitted, Pipeline) else [fitted]
            yield steps, [columns] if isinstance(columns, str) else list(columns), left_out
