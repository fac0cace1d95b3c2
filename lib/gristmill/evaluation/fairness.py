"""Whether groups of people are treated differently: the audit of one model on one set of predicted rows.

Classes are judged by the decisions the model takes at its threshold: selection rates (disparate impact, the four-fifths rule) and
rates of being right or wrong (equal opportunity, equalised odds; Hardt, Price and Srebro 2016). With several classes each is taken
against the rest, and the worst counts. Numbers are judged by the mean absolute error of the groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gristmill.evaluation.predictions import Scored
from gristmill.metrics.disparity import (
    Spread,
    class_metrics_by_group,
    class_rates,
    error_spread,
    number_metrics_by_group,
    rate_spread,
    wilson_interval,
)
from gristmill.metrics.groups import as_groups
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap
from gristmill.metrics.scores import Codes, decide

INTERSECTION = " & "
MAX_GROUPS = 200

LOW_IS_WORSE = {"disparate_impact": True}
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
    """Return the group of each row for each sensitive feature and, if there are several, for their intersection."""
    groups = {feature: as_groups(frame[feature]) for feature in features}
    if len(groups) > 1:
        joined = pd.concat(list(groups.values()), axis=1).agg(INTERSECTION.join, axis=1)
        groups[INTERSECTION.join(groups)] = joined
    return groups


def _rate_names(classes: Sequence[str], code: int) -> str:
    """Return what is put behind the name of a rate: nothing for two classes, else the class."""
    return "" if len(classes) == 2 else f" ({classes[code]})"


def _class_groups(y_true: Codes, y_pred: Codes, groups: pd.Series, audit: Audit) -> list[dict[str, Any]]:
    """Return each group with its rates and their Wilson intervals."""
    codes = [1] if len(audit.classes) == 2 else list(range(len(audit.classes)))
    tables = {code: class_metrics_by_group(y_true, y_pred, groups, code) for code in codes}
    found = []
    for name in tables[codes[0]].index:
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
        found.append(_group_record(name, int(rows.sum()), metrics, audit))
    return found


def _proportion(holds: np.ndarray[Any, Any], audit: Audit) -> dict[str, float]:
    """Return a share of rows with its interval."""
    low, high = wilson_interval(np.array([holds.sum()], float), np.array([len(holds)], float), audit.bootstrap.confidence)
    value = float(holds.mean()) if len(holds) else float("nan")
    return {"value": value, "low": float(low[0]), "high": float(high[0])}


def _number_groups(scored: Scored, groups: pd.Series, audit: Audit) -> list[dict[str, Any]]:
    """Return each group with its errors."""
    table = number_metrics_by_group(np.asarray(scored.y_true, dtype=np.float64), scored.predicted, groups)
    names = [column for column in table.columns if column != "n"]
    return [
        _group_record(str(name), int(row["n"]), {metric: {"value": float(row[metric])} for metric in names}, audit)
        for name, row in table.iterrows()
    ]


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


def _class_differences(y_true: Codes, y_pred: Codes, groups: pd.Series, audit: Audit) -> dict[str, Any]:
    """Return the measures of one feature for classes."""
    codes = [1] if len(audit.classes) == 2 else list(range(len(audit.classes)))
    found: dict[str, list[dict[str, Any]]] = {}
    for code in codes:
        rates, suffix = class_rates(y_true, y_pred, code), _rate_names(audit.classes, code)
        for measure, rate, comparison in (
            ("disparate_impact", "selection_rate", "ratio"),
            ("selection_rate_difference", "selection_rate", "difference"),
            ("equal_opportunity_difference", "true_positive_rate", "difference"),
            ("false_positive_rate_difference", "false_positive_rate", "difference"),
        ):
            spread = rate_spread(
                rates[rate], groups, comparison=comparison, min_group_size=audit.min_group_size, bootstrap=audit.bootstrap
            )
            found.setdefault(measure, []).append(_spread_record(spread, suffix))
    worst = {measure: _worst(measure, records) for measure, records in found.items()}
    odds = [worst["equal_opportunity_difference"], worst["false_positive_rate_difference"]]
    return {**worst, "equalized_odds_difference": _worst("equalized_odds_difference", odds)}


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
        errors = np.abs(scored.y_true - scored.predicted)
        spread = error_spread(errors, groups, min_group_size=audit.min_group_size, bootstrap=audit.bootstrap)
        return {"groups": _number_groups(scored, groups, audit), "differences": {"error_ratio": _spread_record(spread)}}
    y_true, y_pred = scored.y_true.astype(np.int64), decide(scored.predicted, audit.threshold)
    return {
        "groups": _class_groups(y_true, y_pred, groups, audit),
        "differences": _class_differences(y_true, y_pred, groups, audit),
    }


def audit_model(scored: Scored, frame: pd.DataFrame, features: Sequence[str], audit: Audit) -> dict[str, Any]:
    """Return the whole audit as the JSON-able product of ``09_audit_fairness``.

    Intersections of the features are shown; the measures that gates judge come from the features alone.

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
        ``features`` (each with ``feature``, ``intersection``, ``groups``, ``differences``) and ``measures`` (each the worst over
        the features, with ``value, low, high, feature, groups``).
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
    return {"features": found, "measures": measures, "rows": len(scored), "min_group_size": audit.min_group_size}
