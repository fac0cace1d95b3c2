"""Whether groups of people are treated differently: the audit of one model on one set of predicted rows.

Classes are judged by the decisions the model takes at its threshold: selection rates (disparate impact, the four-fifths rule) and
rates of being right or wrong (equal opportunity, equalised odds; Hardt, Price and Srebro 2016). With several classes each is taken
against the rest, and the worst counts. Whether a probability means the same for every group is told by the gap between the mean
probability of a group and how often the class was true in it (calibration within groups; Chouldechova 2017). Numbers are judged by
the mean absolute error of the groups; how far their mean predictions and mean residuals lie apart is told as well.

Groups that are too small to be judged are shown one by one and judged together (:func:`gristmill.metrics.groups.pooled`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.fairness_limits import LOW_IS_WORSE, nearer_end
from gristmill.evaluation.fairness.small_groups import size_warnings
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.disparity import (
    Spread,
    class_metrics_by_group,
    class_rates,
    mean_interval,
    number_metrics_by_group,
    wilson_interval,
)
from gristmill.metrics.group_measures import (
    CALIBRATION,
    NUMBERS,
    ODDS,
    ODDS_PARTS,
    PREDICTION_RATIO,
    RATES,
    Decided,
    class_spread,
    has_ratio,
    number_spread,
)
from gristmill.metrics.groups import MAX_GROUPS, Pooled, as_groups, crossed, pooled
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap
from gristmill.metrics.scores import decide


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
        Groups with fewer rows are shown one by one, but judged together.
    bootstrap
        Confidence, resamples and seed.
    """

    threshold: float | None
    classes: tuple[str, ...]
    min_group_size: int
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP


def sensitive_groups(frame: pd.DataFrame, features: Sequence[str]) -> dict[str, pd.Series]:
    """Return the group of each row for each sensitive feature, each pair of them, and all of them together."""
    own = {feature: as_groups(frame[feature]) for feature in features}
    return own | crossed(own)


def _judged_codes(audit: Audit) -> list[int]:
    """Return the codes of the classes that are taken against the rest: the positive one of two, else all."""
    return [1] if len(audit.classes) == 2 else list(range(len(audit.classes)))


def _rate_names(classes: Sequence[str], code: int) -> str:
    """Return what is put behind the name of a rate: nothing for two classes, else the class in brackets."""
    return "" if len(classes) == 2 else f" ({classes[code]})"


def _class_groups(scored: Scored, groups: pd.Series, audit: Audit) -> list[dict[str, Any]]:
    """Return each group with its rates and their Wilson intervals, and how far its probabilities are off on average."""
    decided = _decided(scored, audit)
    y_true, y_pred = decided.y_true, decided.y_pred
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
            metrics["mean_probability" + suffix] = mean_interval(decided.proba[rows, code], confidence)
            metrics["calibration_gap" + suffix] = mean_interval(decided.excess(code)[rows], confidence)
        found.append(_group_record(name, int(rows.sum()), metrics, audit))
    return found


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


def _spread_record(spread: Spread, of: str | None = None) -> dict[str, Any]:
    """Return a spread, that of a class where there are several, as it stands in ``fairness.json``."""
    ends = [name for name in (spread.lowest, spread.highest) if name is not None]
    return {**spread.interval, "groups": ends, "judged": list(spread.judged), "of": of}


def _worst(measure: str, records: Sequence[dict[str, Any]], end: str = "value") -> dict[str, Any]:
    """Return the record whose value, or end of its interval, is the worst; one without a value if none has any.

    What is infinite was measured, and is worse than any number.
    """
    known = [record for record in records if not np.isnan(record["value"])]
    pick = min if measure in LOW_IS_WORSE else max
    return pick(known, key=lambda record: (record[end], record["value"])) if known else records[0]


def _class_differences(decided: Decided, groups: pd.Series, audit: Audit, *, surest: bool) -> dict[str, Any]:
    """Return the measures of one feature for classes, of several classes that of the worst."""
    options: dict[str, Any] = {"min_group_size": audit.min_group_size, "bootstrap": audit.bootstrap}
    worst = {}
    for measure in (*RATES, CALIBRATION):
        records = [
            _spread_record(class_spread(measure, decided, code, groups, **options), _class_of(audit, code))
            for code in _judged_codes(audit)
        ]
        worst[measure] = _worst(measure, records, nearer_end(measure) if surest else "value")
    odds = [worst[part] for part in ODDS_PARTS]
    return {**worst, ODDS: _worst(ODDS, odds, nearer_end(ODDS) if surest else "value")}


def _class_of(audit: Audit, code: int) -> str | None:
    """Return the class that a measure is about; None of two classes."""
    return None if len(audit.classes) == 2 else audit.classes[code]


def _number_differences(scored: Scored, groups: pd.Series, audit: Audit) -> dict[str, Any]:
    """Return the measures of one feature for numbers."""
    y_true, predicted = np.asarray(scored.y_true, dtype=np.float64), scored.predicted
    names = (*NUMBERS, *([PREDICTION_RATIO] if has_ratio(predicted) else []))  # a ratio of numbers of both signs says nothing
    options: dict[str, Any] = {"min_group_size": audit.min_group_size, "bootstrap": audit.bootstrap}
    return {name: _spread_record(number_spread(name, y_true, predicted, groups, **options)) for name in names}


def audit_feature(scored: Scored, groups: pd.Series, audit: Audit, *, surest: bool = False) -> dict[str, Any]:
    """Return the groups of one feature and how far they differ: ``{"groups": [...], "differences": {...}}``.

    Where small groups are judged together, the group they make stands behind them, with the number of its ``levels``. Of more than
    :data:`gristmill.metrics.groups.MAX_GROUPS` groups only those that are judged are returned.

    Parameters
    ----------
    scored
        Predicted rows with their truth.
    groups
        Group of each of the same rows.
    audit
        Threshold, classes, smallest group, intervals.
    surest
        Whether of several classes that counts whose whole interval is worst, in place of that whose value is.
    """
    joined = pooled(groups, audit.min_group_size)
    records = _number_groups if scored.task == "regression" else _class_groups
    found = [group for rows, names in _shown(scored, groups, joined) for group in records(rows, names, audit)]
    levels = {joined.name: {"levels": len(joined.levels)}} if joined.levels else {}
    if scored.task == "regression":
        differences = _number_differences(scored, groups, audit)
    else:
        differences = _class_differences(_decided(scored, audit), groups, audit, surest=surest)
    return {"groups": [{**group, **levels.get(group["group"], {})} for group in found], "differences": differences}


def _shown(scored: Scored, groups: pd.Series, joined: Pooled) -> list[tuple[Scored, pd.Series]]:
    """Return the rows whose groups are shown: all, and then those of the joined group; of very many groups the judged ones."""
    n_groups = groups.nunique()
    if n_groups > MAX_GROUPS:
        return [(scored, joined.groups)] if len(joined.levels) < n_groups else []
    if not joined.enough or len(joined.levels) == n_groups:
        return [(scored, groups)]
    inside = np.flatnonzero((joined.groups == joined.name).to_numpy())
    return [(scored, groups), (scored.take(inside), joined.groups.iloc[inside])]


def _decided(scored: Scored, audit: Audit) -> Decided:
    """Return rows with the decisions that the model takes at its threshold."""
    return Decided(scored.y_true.astype(np.int64), decide(scored.predicted, audit.threshold), scored.predicted)


def audit_model(scored: Scored, frame: pd.DataFrame, features: Sequence[str], audit: Audit) -> dict[str, Any]:
    """Return the whole audit as the JSON-able product of ``09_audit_fairness``.

    The features, and their intersections (each pair, and all together) are audited. Of a feature the value of a measure counts. Of
    an intersection, whose groups are small, the end of the interval that is nearer to the limit does: by chance alone some of many
    small groups lie far apart.

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
        ``features`` (each with ``feature``, ``intersection``, ``n_groups``, ``groups``, ``differences``), ``measures`` (each the
        worst over the features, with ``value, low, high, feature, groups`` and ``of``, the class where there are several; infinite
        where the smaller side of a ratio is nothing), ``intersections`` (the same over the intersections, the worst by that end),
        ``warnings`` (sentences about small groups), ``rows`` and ``min_group_size``.
    """
    found, warnings = list[dict[str, Any]](), list[str]()
    for feature, groups in sensitive_groups(frame, features).items():
        across = feature not in features
        part = audit_feature(scored, groups, audit, surest=across)
        found.append({"feature": feature, "intersection": across, "n_groups": int(groups.nunique()), **part})
        classes = {audit.classes[code]: scored.y_true == code for code in _judged_codes(audit)} if audit.classes else {}
        warnings += size_warnings(feature, groups, audit.min_group_size, classes)
    worst = {
        across: {
            measure: _worst(measure, records, nearer_end(measure) if across else "value")
            for measure, records in _by_measure(part for part in found if part["intersection"] is across).items()
        }
        for across in (False, True)
    }
    sizes = {"rows": len(scored), "min_group_size": audit.min_group_size}
    return {"features": found, "measures": worst[False], "intersections": worst[True], "warnings": warnings, **sizes}


def _by_measure(parts: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return each measure as it was found for each of some features."""
    found = dict[str, list[dict[str, Any]]]()
    for part in parts:
        for measure, record in part["differences"].items():
            found.setdefault(measure, []).append({**record, "feature": part["feature"]})
    return found
