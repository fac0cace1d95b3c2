"""The plan of what the model sees.

A plan is plain data that can be read, compared and stored: which features are made from which columns by which row-wise step,
which columns are left out and why, and what is to be done about missing values and outliers. Whatever has to be fitted is built
by :mod:`gristmill.features.preparation`, unfitted, and fitted inside the folds.
"""

import hashlib
import json
from typing import Any

import pandas as pd

from gristmill.config.treatment import DEFAULTS, Policy
from gristmill.data.contract.treatment import policies
from gristmill.errors import DataError
from gristmill.features.aggregates import planned_aggregations
from gristmill.features.custom_plan import custom_features
from gristmill.features.cycles import PERIODS
from gristmill.features.rows import DATE_PARTS, MARKERS, RowFeatures, dates
from gristmill.features.selection import uninformative

FORMAT = 1
"""Version of the plan's layout."""

MOSTLY_UNIQUE = 0.9
"""Share of distinct values from which a categorical column names rows instead of describing them."""

FEW_ROWS = 20
"""Below this many rows a column is never taken for a name of rows: small tables repeat little."""

STEP_OF_KIND = {"numeric": "number", "boolean": "flag", "categorical": "level", "text": "text"}
"""Kind of column -> the row-wise step that makes its one feature; dates have several."""

KIND_OF_STEP = {**{step: kind for kind, step in STEP_OF_KIND.items()}, **dict.fromkeys(DATE_PARTS, "date")}
"""Row-wise step -> kind of the column it reads."""


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
        ``features`` (``name``, ``source``, ``step``, ``levels``: how many distinct values, ``missing_share``, ``has_gaps``: whether
        any value is missing), ``treatment`` (source column -> its policy for missing values and outliers) and ``dropped``
        (``column``, ``reason``); where the case asks for them ``custom`` (see :mod:`gristmill.features.custom_plan`) and
        ``aggregations`` (see :class:`gristmill.features.aggregates.GroupAggregates`).

    Raises
    ------
    DataError
        No column is left that a model could learn from, the case asks for what a column's kind does not have, or its custom
        features are not made row by row.
    CaseFileError
        The case names custom features that cannot be loaded.
    """
    custom = custom_features(train, case, contract)
    if custom is not None:
        train, contract = train.join(custom.made), custom.contract_with(contract)
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
    treatment, sources = policies(case, contract), {feature["source"] for feature in kept}
    plan = {
        "format": FORMAT,
        "task": case.task,
        "n_classes": len(contract.get("classes") or ()),
        "rows": len(train),
        "settings": _settings(case, kept),
        "features": kept,
        "treatment": {name: policy.as_dict() for name, policy in treatment.items() if name in sources},
        "dropped": dropped,
        **({} if custom is None else {"custom": custom.entry}),
        **({"aggregations": planned_aggregations(case, kept)} if case.features.aggregations else {}),
    }
    return {"version": _digest(plan), **plan}


def policy_in(plan: dict[str, Any], feature: dict[str, Any]) -> Policy:
    """Return the policy for the source column of one of a plan's features; the default in a plan that has none."""
    stated = plan.get("treatment", {}).get(feature["source"])
    return Policy(**stated) if stated else DEFAULTS[KIND_OF_STEP[feature["step"]]]


def source_columns(plan: dict[str, Any]) -> list[str]:
    """Return the raw columns that rows need for a plan's features to be made, in its order."""
    custom = plan.get("custom", {"columns": (), "reads": ()})
    own = [feature["source"] for feature in plan["features"] if feature["source"] not in custom["columns"]]
    return list(dict.fromkeys([*own, *custom["reads"]]))


def _settings(case: Any, features: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the case asks of the steps to be fitted; what the features give no occasion for is left out."""
    asked = case.features
    found: dict[str, Any] = {"rare_level_share": asked.rare_level_share, "max_levels": asked.max_levels}
    if asked.proposals:
        found["proposals"] = asked.proposals
    if asked.selection != "none":
        limits = {"max_features": asked.max_features, "max_correlation": asked.max_correlation}
        found["selection"] = {"method": asked.selection, **limits}
    if asked.augmentation != "none":
        found["augmentation"] = {"method": asked.augmentation, "share": asked.augmentation_share}
    if asked.date_cycles and any(feature["step"] in PERIODS for feature in features):
        found["date_cycles"] = True
    return found


def _digest(plan: dict[str, Any]) -> str:
    """Return a short digest of what a plan makes of a row: equal digests mean equal features, equally treated."""
    made = [[feature[key] for key in ("name", "source", "step")] for feature in plan["features"]]
    special = {
        feature["source"]: policy_in(plan, feature).as_dict()
        for feature in plan["features"]
        if policy_in(plan, feature) != DEFAULTS[KIND_OF_STEP[feature["step"]]]
    }
    custom = [plan["custom"][key] for key in ("function", "digest", "reads")] if "custom" in plan else []
    content = [plan["format"], plan["settings"], made, *([special] if special else []), *custom, *plan.get("aggregations", [])]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


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
        steps = _date_steps(train[name], case) if column["kind"] == "date" else [STEP_OF_KIND[column["kind"]]]
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
    """Return the feature with the number of its levels, its share of missing values, and whether a level or text is missing."""
    is_text = values.dtype == object
    return {
        **feature,
        "levels": None if feature["step"] == "text" else int(values.nunique()),
        "missing_share": 0.0 if is_text else float(values.isna().mean()),
        "has_gaps": bool((values == MARKERS[feature["step"]]).any() if is_text else values.isna().any()),
    }
