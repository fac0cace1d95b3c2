"""The unfitted steps that carry a plan out, one way a family; they are fitted inside the folds.

Whatever a model learns about its input is in here: limits of outliers, fill values, scales, encodings. It is stored with the model,
so that serving does to a row what training did.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from gristmill.features.aggregates import GroupAggregates
from gristmill.features.builder import policy_in
from gristmill.features.cycles import PERIODS, Cycles
from gristmill.features.filling import FillText
from gristmill.features.limits import OutlierLimits
from gristmill.features.proposals import Proposals
from gristmill.features.rows import MARKERS, MISSING_LEVEL, NO_TEXT, date_part, levels, plain_array
from gristmill.features.scaling import EvenScaler
from gristmill.features.selecting import FeatureSelection
from gristmill.features.target_means import TargetMeans
from gristmill.features.text import TextFeatures

NATIVE_LEVELS = 250
"""Most levels that histogram-based boosting splits natively; its bins are counted in one byte."""

SCALED = ("linear", "neural")
"""Families that need every number filled in, centred and scaled."""


@dataclass(frozen=True)
class Treatment:
    """What is done to a feature for one family before it is encoded or scaled; equal ones are done together.

    Attributes
    ----------
    fill
        Strategy by which missing values are filled in; None to leave them to the family.
    fill_value
        What ``constant`` fills in.
    indicator
        Whether what was filled in is told apart.
    limits
        Arguments of :class:`~gristmill.features.limits.OutlierLimits`, or None.
    """

    fill: str | None = None
    fill_value: float | str | None = None
    indicator: bool = False
    limits: tuple[str, str, float, float, float] | None = None


def treatment_of(plan: dict[str, Any], feature: dict[str, Any], family: str) -> Treatment:
    """Return what a plan's policy means for one feature and one family.

    ``native`` means the median to linear models and networks, which cannot read a gap, and nothing to the others.
    """
    policy, step = policy_in(plan, feature), feature["step"]
    limits = None
    if policy.outliers != "keep" and step == "number":
        limits = (policy.outliers, policy.method, policy.factor, policy.lower, policy.upper)
    fill: str | None = policy.missing
    if fill in ("level", "empty"):
        fill = None
    elif fill == "native":
        fill = "median" if family in SCALED else None
    value = _constant(step, policy.fill_value) if fill == "constant" else None
    told = fill is not None and (step not in MARKERS or feature.get("has_gaps", True))  # numbers tell it by what a fold holds
    return Treatment(fill, value, policy.indicator and told, limits)


def _constant(step: str, value: Any) -> float | str:
    """Return what is filled in for a feature, when its column is filled in with ``value``."""
    if step == "level":
        return str(levels(pd.Series([value], dtype=object))[0])
    if step == "text":
        return str(value)
    return float(value) if step in ("number", "flag") else float(date_part(step, pd.Series([value], dtype=object))[0])


def preprocessor(plan: dict[str, Any], family: str, numeric: str = "standard") -> ColumnTransformer | Pipeline:
    """Return the unfitted steps that turn row-wise features into the matrix that a family learns from.

    ========= =========================================================== ========================================
    family    numbers                                                     levels
    ========= =========================================================== ========================================
    linear    median, a flag for missing, then ``numeric``                one-hot with rare ones pooled
    neural    as linear                                                   as linear
    forest    as they are, missing included                               ordinal codes with rare ones pooled
    boosting  as they are, missing included                               codes that are split as categories
    ========= =========================================================== ========================================

    Linear and neural models get months, weekdays and hours as points on a circle as well. That is the default; what
    ``features.missing``, ``features.outliers`` and ``features.columns`` of the case file ask for comes before: numbers are held
    within limits, then gaps are filled in. Columns with more levels than ``features.max_levels`` (boosting: than it can split
    natively) are encoded by the target's mean, fitted on other inner folds; free text becomes topics.

    Where the case asks for aggregations or proposals, a pipeline adds them to the features first; they are numbers like others.
    Where it asks for a selection, what is left out has one value for every row before it comes to the steps above.

    Parameters
    ----------
    plan
        What :func:`make_plan` returned.
    family
        ``linear``, ``forest``, ``boosting`` or ``neural``.
    numeric
        What linear and neural models get of a number: ``standard`` (centred and scaled; a flag by half the distance of its
        values), ``quantile`` (its rank as a normal deviate) or ``spline`` (five cubic curves over its ranks).
    """
    groups = _groups(plan, family, numeric)
    steps: list[tuple[str, Any, Any]] = []
    for part, build in _builders(plan, family, numeric).items():
        for place, (treatment, columns) in enumerate(groups[part].items()):
            steps.append((part if place == 0 else f"{part}_{place + 1}", build(treatment), columns))
    texts = [(treatment, name) for treatment, columns in groups["text"].items() for name in columns]
    steps += [(f"text_{place}", _topics(treatment, family), name) for place, (treatment, name) in enumerate(texts)]
    before = _before(plan, family)
    if before:
        known = [feature["name"] for feature in plan["features"]]
        steps.append(("added", _of_added(plan, family, numeric), Added(known)))
    encode = ColumnTransformer([*steps, *_cycles(plan, family), *_indicators(groups, family)], sparse_threshold=0.0)
    return Pipeline([*before, ("encode", encode)]) if before else encode


def encoder_of(preparation: ColumnTransformer | Pipeline) -> ColumnTransformer:
    """Return the step of a preparation that makes the matrix, whatever adds features before it."""
    return preparation[-1] if isinstance(preparation, Pipeline) else preparation


class Added:
    """The columns of a frame that were not among the known ones.

    Parameters
    ----------
    known
        Names of the row-wise features.
    """

    def __init__(self, known: Sequence[str] = ()) -> None:
        self.known = list(known)

    def __call__(self, frame: pd.DataFrame) -> list[str]:
        """Return the names of the others, in their order."""
        known = set(self.known)
        return [name for name in frame.columns if name not in known]


def _before(plan: dict[str, Any], family: str) -> list[tuple[str, Any]]:
    """Return the steps that add features to the row-wise ones, then leave some out."""
    texts = [feature["name"] for feature in plan["features"] if feature["step"] == "text"]
    steps: list[tuple[str, Any]] = []
    if plan.get("aggregations"):
        steps.append(("aggregate", GroupAggregates(plan["aggregations"])))
    limit = plan["settings"].get("proposals", 0)
    if limit:
        first_model = "additive" if family in SCALED else "trees"
        steps.append(("propose", Proposals(limit, plan["n_classes"], first_model, texts)))
    if "selection" in plan["settings"]:
        steps.append(("select", FeatureSelection(n_classes=plan["n_classes"], texts=texts, **plan["settings"]["selection"])))
    return steps


def _of_added(plan: dict[str, Any], family: str, numeric: str) -> Any:
    """Return what a family gets of the numbers that were added."""
    return _scaled_numbers(plan, numeric, Treatment("median")) if family in SCALED else _numbers(Treatment())


Groups = dict[str, dict[Treatment, list[str]]]


def _groups(plan: dict[str, Any], family: str, numeric: str) -> Groups:
    """Return the names of the features that a family prepares in the same way, by part of its matrix and by treatment."""
    native = NATIVE_LEVELS if family == "boosting" else plan["settings"]["max_levels"]
    groups: Groups = {"levels": {}, "many_levels": {}, "flags": {}, "numbers": {}, "text": {}}
    for feature in plan["features"]:
        if feature["step"] == "level":
            part = "levels" if feature["levels"] <= native else "many_levels"
        elif feature["step"] == "text":
            part = "text"
        else:
            curved = numeric == "standard" or feature["levels"] > 2
            part = "numbers" if curved or family not in SCALED else "flags"
        groups[part].setdefault(treatment_of(plan, feature, family), []).append(feature["name"])
    return groups


def _builders(plan: dict[str, Any], family: str, numeric: str) -> dict[str, Callable[[Treatment], Any]]:
    """Return for each part of a family's matrix, in order, how its steps are built; columns of levels come first."""
    if family in SCALED:
        return {
            "levels": lambda done: make_pipeline(_without_names(), *_filled(done), _one_hot(plan)),
            "many_levels": lambda done: make_pipeline(*_filled(done), TargetMeans(plan["n_classes"]), StandardScaler()),
            "flags": lambda done: _scaled_numbers(plan, "standard", done),
            "numbers": lambda done: _scaled_numbers(plan, numeric, done),
        }
    return {
        "levels": lambda done: make_pipeline(_without_names(), *_filled(done), _codes(plan, family)),
        "many_levels": lambda done: (
            make_pipeline(*_filled(done), TargetMeans(plan["n_classes"])) if done.fill else TargetMeans(plan["n_classes"])
        ),
        "flags": _numbers,
        "numbers": _numbers,
    }


def _filled(done: Treatment, missing: str = MISSING_LEVEL) -> list[FillText]:
    """Return the step that fills in missing levels or texts, if there is to be one."""
    return [FillText(done.fill, str(done.fill_value or ""), missing)] if done.fill else []


def _numbers(done: Treatment) -> Any:
    """Return what trees get of numbers: as they are, unless the case asks for limits or for filling in."""
    steps = _treated(done)
    return make_pipeline(_without_names(), *steps) if steps else "passthrough"


def _treated(done: Treatment) -> list[Any]:
    """Return the steps that hold numbers within limits and fill in what is missing."""
    steps: list[Any] = [] if done.limits is None else [OutlierLimits(*done.limits)]
    if done.fill is not None:
        settings = {"fill_value": done.fill_value} if done.fill == "constant" else {}
        steps.append(SimpleImputer(strategy=done.fill, add_indicator=done.indicator, keep_empty_features=True, **settings))
    return steps


def _topics(done: Treatment, family: str) -> Any:
    """Return the topics of one column of texts."""
    steps = [*_filled(done, NO_TEXT), TextFeatures(), *([StandardScaler()] if family in SCALED else [])]
    return make_pipeline(*steps) if len(steps) > 1 else steps[0]


def _cycles(plan: dict[str, Any], family: str) -> list[tuple[str, Any, list[str]]]:
    """Return the steps that put months, weekdays and hours on a circle, for families that scale, if the plan asks for them.

    A missing date is in the middle of the circle, unless the case has it filled in.
    """
    if family not in SCALED or not plan["settings"].get("date_cycles"):
        return []
    groups: dict[Treatment, list[dict[str, Any]]] = {}
    for feature in plan["features"]:
        if feature["step"] in PERIODS:
            filled = replace(treatment_of(plan, feature, "boosting"), indicator=False)  # told beside the number itself
            groups.setdefault(filled, []).append(feature)
    found = []
    for place, (done, features) in enumerate(groups.items(), start=1):
        circle = Cycles([PERIODS[feature["step"]] for feature in features])
        steps = make_pipeline(_without_names(), *_treated(done), circle, StandardScaler())
        found.append((f"cycles_{place}" if place > 1 else "cycles", steps, [feature["name"] for feature in features]))
    return found


def _indicators(groups: Groups, family: str) -> list[tuple[str, Any, list[str]]]:
    """Return a flag a column for levels and texts that are filled in; numbers have theirs beside them."""
    found = []
    for parts, step in ((("levels", "many_levels"), "level"), (("text",), "text")):
        names = [name for part in parts for done, columns in groups[part].items() if done.indicator for name in columns]
        flags = MissingIndicator(missing_values=MARKERS[step], features="all")
        if names:
            found.append((f"{step}_missing", make_pipeline(flags, EvenScaler()) if family in SCALED else flags, names))
    return found


def native_categories(plan: dict[str, Any]) -> int:
    """Return how many columns of the boosting family's matrix, counted from the first, hold codes of categories."""
    return sum(feature["step"] == "level" and feature["levels"] <= NATIVE_LEVELS for feature in plan["features"])


def _pooled_below(plan: dict[str, Any]) -> float | None:
    """Return the share of rows below which levels are pooled, as scikit-learn's encoders want it."""
    share = float(plan["settings"]["rare_level_share"])
    return min(share, 1 - 1e-9) if share > 0 else None


def _without_names() -> FunctionTransformer:
    """Return the step that hands a plain array on, which makes predicting one row several times as fast."""
    return FunctionTransformer(plain_array, feature_names_out="one-to-one")


def _one_hot(plan: dict[str, Any]) -> OneHotEncoder:
    """Return one column a level; a level never seen counts as a rare one."""
    return OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=_pooled_below(plan), sparse_output=False)


def _codes(plan: dict[str, Any], family: str) -> OrdinalEncoder:
    """Return a code a level; a level never seen is missing to boosting, which knows what to do, and -1 to a forest."""
    unseen = float("nan") if family == "boosting" else -1
    return OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=unseen, min_frequency=_pooled_below(plan), max_categories=NATIVE_LEVELS
    )


def _scaled_numbers(plan: dict[str, Any], numeric: str, done: Treatment) -> Pipeline:
    """Return limits if there are any, filling in with a flag for what was missing, then scaling."""
    array, treated = _without_names(), _treated(done)
    ranks = QuantileTransformer(
        n_quantiles=max(2, min(200, plan["rows"] // 4)), output_distribution="normal", subsample=50_000, random_state=42
    )
    if numeric == "quantile":
        return make_pipeline(array, *treated, ranks, EvenScaler())
    if numeric == "spline":
        ranks.set_params(output_distribution="uniform")
        return make_pipeline(array, *treated, ranks, SplineTransformer(n_knots=5, include_bias=False), EvenScaler())
    return make_pipeline(array, *treated, EvenScaler())
