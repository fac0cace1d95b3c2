"""Whether groups of people are treated differently: the audit of one model on one set of predicted rows.

Classes are judged by the decisions the model takes at its threshold: selection rates (disparate impact, the four-fifths rule) and
rates of being right or wrong (equal opportunity, equalised odds; Hardt, Price and Srebro 2016). With several classes each is taken
against the rest, and the worst counts. Whether a probability means the same for every group is told by the gap between the mean
probability of a group and how often the class was true in it (calibration within groups; Chouldechova 2017). Numbers are judged by
the mean absolute error of the groups; how far their mean predictions and mean residuals lie apart is told as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from gristmill.evaluation.predictions import Scored
from gristmill.metrics.disparity import (
    Spread,
    class_metrics_by_group,
    class_rates,
    error_spread,
    mean_interval,
    mean_spread,
    number_metrics_by_group,
    rate_spread,
    wilson_interval,
)
from gristmill.metrics.groups import as_groups
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap
from gristmill.metrics.scores import Codes, Floats, decide
from gristmill.reporting.wording import count

INTERSECTION = " & "
MAX_GROUPS = 200

MOST_NAMED = 6
"""Small groups that a warning names."""

LOW_IS_WORSE = {"disparate_impact": True, "mean_prediction_ratio": True}
"""Measures whose small values are the bad ones; of all others, the large."""


@dataclass(frozen=True)
class Audit:
    """What an audit needs to know beside the rows.

    Attributes
    ----------
    threshold
        Smallest probability of the positive class that counts as positive; None: the most probable class.
    classes
        Classes in the order of their codes; empty for a regression.
    min_group_size
        Groups with fewer rows are shown, but not judged.
    bootstrap
        Confidence, resamples and seed.
    """

    threshold: float | None
    classes: tuple[str, ...]
    min_group_size: int
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP


def sensitive_groups(frame: pd.DataFrame, features: Sequence[str]) -> dict[str, pd.Series]:
    """Return the group of each row for each sensitive feature, each pair of them, and all of them together."""
    groups = {feature: as_groups(frame[feature]) for feature in features}
    together = [*combinations(features, 2), *([tuple(features)] if len(features) > 2 else [])]
    for several in together:
        joined = pd.concat([groups[feature] for feature in several], axis=1).agg(INTERSECTION.join, axis=1)
        groups[INTERSECTION.join(several)] = joined
    return groups


def _judged_codes(audit: Audit) -> list[int]:
    """Return the codes of the classes that are taken against the rest: the positive one of two, else all."""
    return [1] if len(audit.classes) == 2 else list(range(len(audit.classes)))


def _rate_names(classes: Sequence[str], code: int) -> str:
    """Return what is put behind the name of a rate: nothing for two classes, else the class."""
    return "" if len(classes) == 2 else f" ({classes[code]})"


def _class_groups(scored: Scored, y_pred: Codes, groups: pd.Series, audit: Audit) -> list[dict[str, Any]]:
    """Return each group with its rates and their Wilson intervals, and how far its probabilities are off on average."""
    y_true = scored.y_true.astype(np.int64)
    tables = {code: class_metrics_by_group(y_true, y_pred, groups, code) for code in _judged_codes(audit)}
    found = []
    for name in next(iter(tables.values())).index:
        rows = (groups == name).to_numpy()
        metrics: dict[str, Any] = {"accuracy": _proportion(y_true[rows] == y_pred[rows], audit)}
        for code, table in tables.items():
            suffix = _rate_names(audit.classes, code)
            for rate, holds in class_rates(y_true[rows], y_pred[rows], code).items():
                if rate == "accuracy":
                    continue
                known = bool(holds.among.any())
                interval = _proportion(holds.counted[holds.among], audit)
                metrics[rate + suffix] = {**interval, "value": float(table.loc[name, rate]) if known else float("nan")}
            confidence = audit.bootstrap.confidence
            metrics["mean_probability" + suffix] = mean_interval(scored.predicted[rows, code], confidence)
            metrics["calibration_gap" + suffix] = mean_interval(_excess(scored, code)[rows], confidence)
        found.append(_group_record(name, int(rows.sum()), metrics, audit))
    return found


def _excess(scored: Scored, code: int) -> Floats:
    """Return by how much each row's probability of a class exceeds what came true, 0 or 1."""
    return np.asarray(scored.predicted[:, code] - (scored.y_true == code), dtype=np.float64)


def _proportion(holds: np.ndarray[Any, Any], audit: Audit) -> dict[str, float]:
    """Return a share of rows with its interval."""
    low, high = wilson_interval(np.array([holds.sum()], float), np.array([len(holds)], float), audit.bootstrap.confidence)
    value = float(holds.mean()) if len(holds) else float("nan")
    return {"value": value, "low": float(low[0]), "high": float(high[0])}


def _number_groups(scored: Scored, groups: pd.Series, audit: Audit) -> list[dict[str, Any]]:
    """Return each group with its errors and predictions, means with Student's intervals."""
    y_true, predicted = np.asarray(scored.y_true, dtype=np.float64), scored.predicted
    table = number_metrics_by_group(y_true, predicted, groups)
    averaged = {"mae": np.abs(y_true - predicted), "mean_residual": y_true - predicted, "mean_prediction": predicted}
    found = []
    for name, row in table.iterrows():
        rows = (groups == name).to_numpy()
        metrics: dict[str, Any] = {metric: {"value": float(row[metric])} for metric in table.columns if metric != "n"}
        for metric, quantity in averaged.items():
            metrics[metric] = {**mean_interval(quantity[rows], audit.bootstrap.confidence), **metrics[metric]}
        found.append(_group_record(str(name), int(row["n"]), metrics, audit))
    return found


def _group_record(name: str, n_rows: int, metrics: Mapping[str, Any], audit: Audit) -> dict[str, Any]:
    """Return a group as it stands in ``fairness.json``."""
    return {"group": name, "n": n_rows, "metrics": dict(metrics), "small": n_rows < audit.min_group_size}


def _spread_record(spread: Spread, suffix: str = "") -> dict[str, Any]:
    """Return a spread as it stands in ``fairness.json``."""
    ends = [name for name in (spread.lowest, spread.highest) if name is not None]
    return {**spread.interval, "groups": ends, "judged": list(spread.judged), "of": suffix.strip(" ()") or None}


def _worst(measure: str, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the record with the worst value; one without a value if none has any."""
    known = [record for record in records if np.isfinite(record["value"])]
    pick = min if LOW_IS_WORSE.get(measure, False) else max
    return pick(known, key=lambda record: record["value"]) if known else records[0]


def _class_differences(scored: Scored, y_pred: Codes, groups: pd.Series, audit: Audit) -> dict[str, Any]:
    """Return the measures of one feature for classes, of several classes that of the worst."""
    options: dict[str, Any] = {"min_group_size": audit.min_group_size, "bootstrap": audit.bootstrap}
    y_true, found = scored.y_true.astype(np.int64), dict[str, list[dict[str, Any]]]()
    for code in _judged_codes(audit):
        rates, suffix = class_rates(y_true, y_pred, code), _rate_names(audit.classes, code)
        for measure, rate, comparison in (
            ("disparate_impact", "selection_rate", "ratio"),
            ("selection_rate_difference", "selection_rate", "difference"),
            ("equal_opportunity_difference", "true_positive_rate", "difference"),
            ("false_positive_rate_difference", "false_positive_rate", "difference"),
        ):
            spread = rate_spread(rates[rate], groups, comparison=comparison, **options)
            found.setdefault(measure, []).append(_spread_record(spread, suffix))
        gaps = mean_spread(_excess(scored, code), groups, **options)
        found.setdefault("calibration_difference", []).append(_spread_record(gaps, suffix))
    worst = {measure: _worst(measure, records) for measure, records in found.items()}
    odds = [worst["equal_opportunity_difference"], worst["false_positive_rate_difference"]]
    return {**worst, "equalized_odds_difference": _worst("equalized_odds_difference", odds)}


def _number_differences(scored: Scored, groups: pd.Series, audit: Audit) -> dict[str, Any]:
    """Return the measures of one feature for numbers."""
    options: dict[str, Any] = {"min_group_size": audit.min_group_size, "bootstrap": audit.bootstrap}
    predicted, residuals = scored.predicted, np.asarray(scored.y_true - scored.predicted, dtype=np.float64)
    found = {
        "error_ratio": _spread_record(error_spread(np.abs(residuals), groups, **options)),
        "error_difference": _spread_record(mean_spread(np.abs(residuals), groups, **options)),
        "mean_prediction_difference": _spread_record(mean_spread(predicted, groups, **options)),
        "mean_residual_difference": _spread_record(mean_spread(residuals, groups, **options)),
    }
    if len(predicted) and predicted.min() >= 0 and predicted.max() > 0:  # a ratio of numbers of both signs says nothing
        found["mean_prediction_ratio"] = _inverse(_spread_record(error_spread(predicted, groups, **options)))
    return found


def _inverse(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record of the largest over the smallest as that of the smallest over the largest."""
    low, value, high = (0.0 if np.isinf(record[end]) else 1 / record[end] for end in ("high", "value", "low"))
    return {**record, "value": value, "low": low, "high": high}


def audit_feature(scored: Scored, groups: pd.Series, audit: Audit) -> dict[str, Any]:
    """Return the groups of one feature and how far they differ: ``{"groups": [...], "differences": {...}}``.

    Parameters
    ----------
    scored
        Predicted rows with their truth.
    groups
        Group of each of the same rows.
    audit
        Threshold, classes, smallest group, intervals.
    """
    if scored.task == "regression":
        return {"groups": _number_groups(scored, groups, audit), "differences": _number_differences(scored, groups, audit)}
    y_pred = decide(scored.predicted, audit.threshold)
    return {
        "groups": _class_groups(scored, y_pred, groups, audit),
        "differences": _class_differences(scored, y_pred, groups, audit),
    }


def _warning(part: Mapping[str, Any], min_group_size: int) -> str | None:
    """Return in a sentence which groups of a feature are too small to be judged, or why none was looked at; None if all are."""
    if not part["groups"] and part["n_groups"] > MAX_GROUPS:
        return f"{part['feature']} has {count(part['n_groups'])} groups, more than the {MAX_GROUPS} that are audited."
    small = [f"{group['group']} ({count(group['n'])})" for group in part["groups"] if group["small"]]
    if not small:
        return None
    named = ", ".join(small[:MOST_NAMED]) + (f" and {len(small) - MOST_NAMED} more" if len(small) > MOST_NAMED else "")
    return (
        f"{part['feature']}: {len(small)} of {len(part['groups'])} groups have fewer than {count(min_group_size)} test rows, and "
        f"are shown but not judged: {named}."
    )


def audit_model(scored: Scored, frame: pd.DataFrame, features: Sequence[str], audit: Audit) -> dict[str, Any]:
    """Return the whole audit as the JSON-able product of ``09_audit_fairness``.

    Intersections of the features, each pair and all together, are shown; the measures that gates judge come from the features
    alone.

    Parameters
    ----------
    scored
        Predicted rows with their truth.
    frame
        The same rows, in the same order, with the sensitive columns.
    features
        Names of the sensitive columns; none gives an audit without features.
    audit
        Threshold, classes, smallest group, intervals.

    Returns
    -------
    dict
        ``features`` (each with ``feature``, ``intersection``, ``groups``, ``differences``), ``measures`` (each the worst over the
        features, with ``value, low, high, feature, groups`` and ``of``, the class where there are several), ``warnings``
        (sentences about groups that are not judged), ``rows`` and ``min_group_size``.
    """
    found = []
    for feature, groups in sensitive_groups(frame, features).items():
        few = groups.nunique() <= MAX_GROUPS
        part = audit_feature(scored, groups, audit) if few else {"groups": [], "differences": {}}
        found.append({"feature": feature, "intersection": feature not in features, "n_groups": int(groups.nunique()), **part})
    own = [part for part in found if not part["intersection"]]
    names = dict.fromkeys(measure for part in own for measure in part["differences"])
    measures = {
        measure: _worst(
            measure, [{**part["differences"][measure], "feature": part["feature"]} for part in own if part["differences"]]
        )
        for measure in names
    }
    warnings = [text for text in (_warning(part, audit.min_group_size) for part in found) if text is not None]
    sizes = {"rows": len(scored), "min_group_size": audit.min_group_size}
    return {"features": found, "measures": measures, "warnings": warnings, **sizes}
