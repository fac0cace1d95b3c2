"""The plan of what the model sees, and the unfitted steps that carry it out.

A plan is plain data that can be read, compared and stored: which features are made from which columns by which row-wise step,
which columns are left out and why. Whatever has to be fitted - imputation, scaling, encodings - is built here unfitted, one
way a family, and fitted inside the folds.
"""

import hashlib
import json
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from gristmill.errors import DataError
from gristmill.features.rows import DATE_PARTS, RowFeatures, dates, plain_array
from gristmill.features.selection import uninformative
from gristmill.features.target_means import TargetMeans
from gristmill.features.text import TextFeatures

FORMAT = 1
"""Version of the plan's layout."""

NATIVE_LEVELS = 250
"""Most levels that histogram-based boosting splits natively; its bins are counted in one byte."""

MOSTLY_UNIQUE = 0.9
"""Share of distinct values from which a categorical column names rows instead of describing them."""

FEW_ROWS = 20
"""Below this many rows a column is never taken for a name of rows: small tables repeat little."""

_STEP_OF_KIND = {"numeric": "number", "boolean": "flag", "categorical": "level", "text": "text"}


def make_plan(train: pd.DataFrame, case: Any, contract: dict[str, Any]) -> dict[str, Any]:
    """Return the plan of features for a case, as JSON-able data.

    Parameters
    ----------
    train
        Training rows with all raw columns.
    case
        The case; ``task``, ``target``, ``features`` and ``non_feature_columns`` are read.
    contract
        The data contract, as ``02_validate`` wrote it.

    Returns
    -------
    dict
        ``format``, ``version`` (a digest of the rest), ``task``, ``n_classes`` (0 for a regression), ``rows``, ``settings``,
        ``features`` (``name``, ``source``, ``step``, ``levels``: how many distinct values, ``missing_share``) and ``dropped``
        (``column``, ``reason``).

    Raises
    ------
    DataError
        No column is left that a model could learn from.
    """
    features, dropped = _candidates(train, case, contract)
    made = RowFeatures({"features": features}).transform(train)
    reasons = uninformative(made)
    dropped += [{"column": name, "reason": reason} for name, reason in reasons.items()]
    kept = [_measured(feature, made[feature["name"]]) for feature in features if feature["name"] not in reasons]
    if not kept:
        why = (
            "; ".join(f"{item['column']!r}: {item['reason']}" for item in dropped[:5]) or "there is no other column than the target"
        )
        raise DataError(f"Expected at least one column to learn from, but none is left ({why}). Add columns to the table.")
    plan = {
        "format": FORMAT,
        "task": case.task,
        "n_classes": len(contract.get("classes") or ()),
        "rows": len(train),
        "settings": {"rare_level_share": case.features.rare_level_share, "max_levels": case.features.max_levels},
        "features": kept,
        "dropped": dropped,
    }
    return {"version": _digest(plan), **plan}


def _digest(plan: dict[str, Any]) -> str:
    """Return a short digest of what a plan makes of a row: equal digests mean equal features."""
    made = [[feature[key] for key in ("name", "source", "step")] for feature in plan["features"]]
    return hashlib.sha256(json.dumps([plan["format"], plan["settings"], made]).encode()).hexdigest()[:12]


def _candidates(train: pd.DataFrame, case: Any, contract: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return the features every usable column can give, and the columns that give none with the reason."""
    features: list[dict[str, Any]] = []
    dropped: list[dict[str, str]] = []
    hidden = set(case.non_feature_columns)
    for column in contract["columns"]:
        name = column["name"]
        if name == case.target or column["role"] in ("target", "id", "group"):
            continue
        reason = "the case file keeps it from the model" if name in hidden else _reason_to_drop(column["kind"], train[name], case)
        if reason is not None:
            dropped.append({"column": name, "reason": reason})
            continue
        steps = _date_steps(train[name], case) if column["kind"] == "date" else [_STEP_OF_KIND[column["kind"]]]
        features += [{"name": name if len(steps) == 1 else f"{name}: {step}", "source": name, "step": step} for step in steps]
    return _with_unique_names(features), dropped


def _reason_to_drop(kind: str, values: pd.Series, case: Any) -> str | None:
    """Return why a column cannot be a feature, or None."""
    present = values.dropna()
    if present.empty:
        return "it is missing in every row"
    if kind == "text" and not case.features.text:
        return "it is free text, and `features.text` is off"
    if kind == "categorical" and len(present) >= FEW_ROWS and present.astype(str).nunique() > MOSTLY_UNIQUE * len(present):
        return "nearly every row has a value of its own"
    return None


def _date_steps(values: pd.Series, case: Any) -> list[str]:
    """Return the parts a date is expanded into; hours only where there are some."""
    if not case.features.date_parts:
        return ["day number"]
    index = dates(values).dropna()
    has_hours = bool((index != index.normalize()).any())
    return [part for part in DATE_PARTS if part != "hour" or has_hours]


def _with_unique_names(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the features with a number added to each name that an earlier feature or another column has already."""
    taken = {feature["source"] for feature in features}
    for feature in features:
        name, number = feature["name"], 2
        while name != feature["source"] and name in taken:
            name, number = f"{feature['name']} ({number})", number + 1
        taken.add(name)
        feature["name"] = name
    return features


def _measured(feature: dict[str, Any], values: pd.Series) -> dict[str, Any]:
    """Return the feature with the number of its levels and its share of missing values."""
    is_text = values.dtype == object
    return {
        **feature,
        "levels": None if feature["step"] == "text" else int(values.nunique()),
        "missing_share": 0.0 if is_text else float(values.isna().mean()),
    }


def preprocessor(plan: dict[str, Any], family: str, numeric: str = "standard") -> ColumnTransformer:
    """Return the unfitted steps that turn row-wise features into the matrix that a family learns from.

    ========= =========================================================== ========================================
    family    numbers                                                     levels
    ========= =========================================================== ========================================
    linear    median, a flag for missing, then ``numeric``                one-hot with rare ones pooled
    neural    as linear                                                   as linear
    forest    as they are, missing included                               ordinal codes with rare ones pooled
    boosting  as they are, missing included                               codes that are split as categories
    ========= =========================================================== ========================================

    Columns with more levels than ``features.max_levels`` (boosting: than it can split natively) are encoded by the target's mean,
    fitted on other inner folds; free text becomes topics.

    Parameters
    ----------
    plan
        What :func:`make_plan` returned.
    family
        ``linear``, ``forest``, ``boosting`` or ``neural``.
    numeric
        What linear and neural models get of a number: ``standard`` (centred and scaled), ``quantile`` (its rank as a normal
        deviate) or ``spline`` (five cubic curves over its ranks).
    """
    native = NATIVE_LEVELS if family == "boosting" else plan["settings"]["max_levels"]
    scaled = family in ("linear", "neural")
    names: dict[str, list[str]] = {"levels": [], "many_levels": [], "flags": [], "numbers": []}
    texts = []
    for feature in plan["features"]:
        if feature["step"] == "level":
            names["levels" if feature["levels"] <= native else "many_levels"].append(feature["name"])
        elif feature["step"] == "text":
            texts.append(feature["name"])
        else:
            curved = numeric == "standard" or feature["levels"] > 2
            names["numbers" if curved or not scaled else "flags"].append(feature["name"])
    steps = {
        "levels": make_pipeline(_without_names(), _one_hot(plan) if scaled else _codes(plan, family)),
        "many_levels": make_pipeline(TargetMeans(plan["n_classes"]), StandardScaler())
        if scaled
        else TargetMeans(plan["n_classes"]),
        "flags": _scaled_numbers(plan, "standard"),
        "numbers": _scaled_numbers(plan, numeric) if scaled else "passthrough",
    }
    chosen: list[tuple[str, Any, Any]] = [(part, steps[part], columns) for part, columns in names.items() if columns]
    topics = make_pipeline(TextFeatures(), StandardScaler()) if scaled else TextFeatures()
    chosen += [(f"text_{place}", topics, name) for place, name in enumerate(texts)]
    return ColumnTransformer(chosen, sparse_threshold=0.0)


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


def _scaled_numbers(plan: dict[str, Any], numeric: str) -> Pipeline:
    """Return imputation by the median with a flag for what was missing, then scaling."""
    array, impute = _without_names(), SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    ranks = QuantileTransformer(
        n_quantiles=max(2, min(200, plan["rows"] // 4)), output_distribution="normal", subsample=50_000, random_state=42
    )
    if numeric == "quantile":
        return make_pipeline(array, impute, ranks, StandardScaler())
    if numeric == "spline":
        ranks.set_params(output_distribution="uniform")
        return make_pipeline(array, impute, ranks, SplineTransformer(n_knots=5, include_bias=False), StandardScaler())
    return make_pipeline(array, impute, StandardScaler())
