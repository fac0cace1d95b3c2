"""The baseline and the model in production beside the candidate: the same audit of each on the same rows, in tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from gristmill.evaluation.fairness.audits import Audit, audit_model
from gristmill.evaluation.fairness.verdicts import group_label, group_name
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.paired import Answers
from gristmill.reporting.disparities import extent, in_figures
from gristmill.reporting.wording import metric_label


def audits_of(
    scored: Scored, frame: pd.DataFrame, features: Sequence[str], audit: Audit, others: Mapping[str, Answers]
) -> dict[str, dict[str, Any]]:
    """Return the audit of each other model on the rows that the candidate was audited on, each at its own threshold.

    Parameters
    ----------
    scored, frame, features, audit
        As in :func:`gristmill.evaluation.fairness.audits.audit_model`.
    others
        Name of a model -> what it says about these rows.
    """
    return {
        name: audit_model(
            replace(scored, predicted=answers.predicted), frame, features, replace(audit, threshold=answers.threshold)
        )
        for name, answers in others.items()
    }


def difference_table(audits: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return one line for each feature and measure, and one column for each model.

    Parameters
    ----------
    audits
        Name of a model -> its audit, on the same rows; the first says which lines there are.
    """
    found = {name: {part["feature"]: part["differences"] for part in audit["features"]} for name, audit in audits.items()}
    features: Mapping[str, Mapping[str, Any]] = next(iter(found.values()), {})
    places = [(feature, measure) for feature, differences in features.items() for measure in differences]
    lines = [{name: in_figures(parts.get(one, {}).get(measure)) for name, parts in found.items()} for one, measure in places]
    index = pd.MultiIndex.from_tuples([(one, metric_label(measure)) for one, measure in places], names=[None, None])
    return pd.DataFrame(lines, columns=list(audits), index=index)


def beside_table(audits: Mapping[str, Mapping[str, Any]], metrics: Sequence[str]) -> pd.DataFrame:
    """Return one line a group and, for each metric, one column for each model; values alone.

    Parameters
    ----------
    audits
        Name of a model -> its audit, on the same rows; the first says which lines there are.
    metrics
        Metrics by group.
    """
    found = {
        name: {(part["feature"], group["group"]): group for part in audit["features"] for group in part["groups"]}
        for name, audit in audits.items()
    }
    places: Mapping[tuple[str, str], Any] = next(iter(found.values()), {})
    cells = {
        (group_label(metric), name): [in_figures({"value": _metric(groups.get(place), metric)}) for place in places]
        for metric in metrics
        for name, groups in found.items()
    }
    index = pd.MultiIndex.from_tuples([(one, group_name(group)) for (one, _), group in places.items()], names=[None, None])
    return pd.DataFrame(cells, index=index, columns=pd.MultiIndex.from_tuples(list(cells), names=[None, None]))


def worst_table(audits: Mapping[str, Mapping[str, Any]], measures: Sequence[str]) -> pd.DataFrame:
    """Return the worst value of some measures over the features, and below it over intersections; one column for each model.

    Parameters
    ----------
    audits
        Name of a model -> its audit, on the same rows.
    measures
        Those to be shown, such as those that the case limits.
    """
    lines = {
        metric_label(measure) + behind: {name: in_figures(audit[key].get(measure)) for name, audit in audits.items()}
        for key, behind in (("measures", ""), ("intersections", " of intersections"))
        for measure in measures
        if any(measure in audit[key] for audit in audits.values())
    }
    return pd.DataFrame.from_dict(lines, orient="index", columns=list(audits))


def _metric(group: Mapping[str, Any] | None, metric: str) -> float:
    """Return a metric of a group; not a number where it has none."""
    return extent(None if group is None else group["metrics"].get(metric))
