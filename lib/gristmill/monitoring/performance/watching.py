"""One look at the performance of the model in production: late labels, the estimate before they come, and what it was worth."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gristmill.config.case import Case
from gristmill.config.loading import load_case
from gristmill.data.products import write_json
from gristmill.errors import ArtifactError, DataError, RegistryError
from gristmill.metrics.intervals import Bootstrap
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.monitoring.performance.business import business
from gristmill.monitoring.performance.estimate.confidence import Draws
from gristmill.monitoring.performance.estimate.estimating import Estimate, Estimating, estimate
from gristmill.monitoring.performance.estimate.reference import Reference
from gristmill.monitoring.performance.logged import from_log, with_labels
from gristmill.monitoring.performance.maturity import matured
from gristmill.monitoring.performance.offline import Offline, offline, offline_of, reference_rows
from gristmill.monitoring.performance.online import TOO_FEW, Against, against, compared, online_metrics
from gristmill.monitoring.performance.parts import by_group, by_segment, judged
from gristmill.monitoring.performance.served import Served
from gristmill.monitoring.performance.variants import Comparing, variants
from gristmill.paths import CasePaths

PRODUCT = "monitoring/performance.json"
FEWEST_TO_ESTIMATE = 50


@dataclass(frozen=True)
class Watch:
    """What a look needs beside the served rows.

    Attributes
    ----------
    case
        The case.
    offline
        The version in production, as its build left it.
    reference
        Rows an estimate learns from; None where those of this version are gone.
    now
        Seconds since 1970.
    thresholds
        Version -> its threshold, for variants side by side.
    """

    case: Case
    offline: Offline
    reference: Reference | None
    now: float
    thresholds: dict[str, float | None]

    @property
    def bootstrap(self) -> Bootstrap:
        """How intervals are made."""
        return Bootstrap(self.case.evaluation.confidence, self.case.evaluation.resamples)


def look(paths: CasePaths, *, now: float | None = None, labels: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return what is known of the performance of a case's model in production, and write it among the case's products.

    Parameters
    ----------
    paths
        The case.
    now
        Seconds since 1970; the present when omitted.
    labels
        A table of labels (:func:`gristmill.monitoring.performance.logged.with_labels`), beside those that came by feedback.

    Raises
    ------
    LogUnavailable
        There is no prediction log.
    ArtifactError, DataError
        There is no build of the case, or rows, labels and model do not fit each other.
    """
    case, now = load_case(paths.name, paths.root), time.time() if now is None else now
    built = offline(paths)
    settings = case.monitoring.performance
    since = now - settings.maturity_seconds - settings.window_seconds
    served = from_log(paths.root, case.name, case.task, built.model.classes, since, now).known_by(now)
    if labels is not None:
        served = with_labels(served, labels, case.id_columns)
    record = report(served, watch_of(paths, case, built, served, now))
    write_json(paths.artifacts / PRODUCT, record)
    return record


def watch_of(paths: CasePaths, case: Case, built: Offline, served: Served, now: float) -> Watch:
    """Return the version that answered last as champion, with what is kept of it."""
    champions = served.rows[served.rows["role"] == "champion"]
    version = str(champions.sort_values("at")["version"].iloc[-1]) if len(champions) else built.version
    versions = {str(name) for name in served.rows["version"].unique()}
    thresholds = {name: _threshold(paths, built, name) for name in versions}
    if version == built.version:
        return Watch(case, built, reference_rows(paths, case, built), now, thresholds)
    return Watch(case, offline_of(paths, version), None, now, thresholds)


def _threshold(paths: CasePaths, built: Offline, version: str) -> float | None:
    """Return the threshold of a version; None where it has none, or is gone."""
    if version == built.version:
        return built.model.threshold
    try:
        return offline_of(paths, version).model.threshold
    except (RegistryError, ArtifactError):
        return None


def report(served: Served, watch: Watch) -> dict[str, Any]:
    """Return what late labels, estimates and decisions say, as JSON-able data.

    Parameters
    ----------
    served
        Predictions of every version.
    watch
        The case and the version in production.

    Returns
    -------
    dict
        ``case``, ``version``, ``at``, ``metric``, ``verdict``, ``drop``, ``sure_drop``, ``maturity``, ``metrics``, ``estimate``,
        ``segments``, ``groups``, ``variants``, ``business``, ``warnings``.
    """
    case, model = watch.case, watch.offline.model
    settings = case.monitoring.performance
    known = matured(served, watch.now, settings)
    own = known.served.of(watch.offline.version)
    rows = judged(own, case.primary_metric, model.threshold, watch.bootstrap)
    enough = len(rows.scored) >= settings.min_labels
    scores = online_metrics(rows.scored, model.threshold, len(model.feature_columns), watch.bootstrap)
    max_drop = case.retraining.max_performance_drop
    metrics = compared(scores, watch.offline.metrics["test"], max_drop, enough=enough)
    primary = metrics.get(case.primary_metric)
    how = Comparing(case.primary_metric, settings.min_labels, case.gates.champion_margin, watch.thresholds, watch.bootstrap)
    estimated, said = _estimates(served, own, watch, scores)
    return {
        "case": case.name,
        "version": watch.offline.version,
        "at": watch.now,
        "metric": case.primary_metric,
        "verdict": TOO_FEW if primary is None else primary.verdict,
        "drop": None if primary is None or not enough else primary.drop,
        "sure_drop": 0.0 if primary is None or not enough else primary.sure_drop,
        "maturity": known.as_record(),
        "metrics": {name: one.as_record() for name, one in metrics.items()},
        "estimate": estimated,
        "segments": by_segment(rows, settings.segments, case.behaviour, model.contract, settings.min_labels),
        "groups": by_group(rows, case.sensitive_features, model.classes, case.fairness),
        "variants": variants(known.served, how),
        "business": business(own, case.threshold, model.threshold, case.evaluation.confidence),
        "warnings": [*known.warnings, *_none_sent(own, case), *said],
    }


def _none_sent(own: Served, case: Case) -> list[str]:
    """Return that sensitive features were not sent, if so: nothing is then known of fairness."""
    absent = [name for name in case.sensitive_features if name not in own.features.columns]
    if not absent or not len(own):
        return []
    return [f"The rows do not have the sensitive features {', '.join(absent)}: whom the model treats worse is not watched by them."]


def _estimates(served: Served, own: Served, watch: Watch, scores: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the estimate of rows too young for labels, and of mature rows, where its error can be seen; and what went wrong."""
    if watch.reference is None:
        return {}, ["There is no estimate: the reference rows of this version are those of an earlier build, and are gone."]
    case, settings = watch.case, watch.case.monitoring.performance
    after = watch.now - settings.maturity_seconds
    at = served.rows["at"].to_numpy(dtype=np.float64)
    young = served.take((at > after) if settings.maturity_seconds else ~served.labelled).of(watch.offline.version)
    found: dict[str, Any] = {}
    said: list[str] = []
    for name, rows in (("young", young), ("mature", own.take(own.labelled))):
        if len(rows) < FEWEST_TO_ESTIMATE:
            continue
        try:
            one = _estimate(rows, watch)
        except DataError as error:
            said.append(str(error))
            continue
        found[name] = one.as_record()
        said += [f"Estimate of {name} rows: {sentence}" for sentence in one.warnings]
    if "young" in found and case.primary_metric in found["young"]["metrics"]:
        found["against"] = _drop(found["young"]["metrics"][case.primary_metric], watch).as_record()
        found["sure_drop"] = _drop(found["young"]["metrics"][case.primary_metric], watch).sure_drop
    if "mature" in found:
        estimates = found["mature"]["metrics"]
        found["off"] = {name: estimates[name]["value"] - scores[name]["value"] for name in estimates if name in scores}
    return found, said


def _estimate(rows: Served, watch: Watch) -> Estimate:
    """Return the estimate of some rows."""
    model, settings = watch.offline.model, watch.case.monitoring.performance
    how = Estimating(
        model.feature_columns,
        watch.offline.kinds,
        threshold=model.threshold,
        most_rows=settings.estimate_rows,
        draws=Draws(watch.case.evaluation.confidence, settings.estimate_draws),
    )
    assert watch.reference is not None  # noqa: S101 - the caller has looked
    return estimate(watch.reference, rows.predicted, _contracted(model, rows.features), how)


def _contracted(model: FittedModel, features: pd.DataFrame) -> pd.DataFrame:
    """Return the columns the model reads in their contracted types, as the reference rows are."""
    return model.features(features)


def _drop(estimated: dict[str, float], watch: Watch) -> Against:
    """Return how the estimate stands against the test rows."""
    metric = watch.case.primary_metric
    return against(metric, estimated, watch.offline.metrics["test"][metric], watch.case.retraining.max_performance_drop)


def summary_lines(record: dict[str, Any]) -> list[str]:
    """Return in sentences what a look found."""
    known, metric = record["maturity"], record["metric"]
    lines = [
        f"{record['case']} version {record['version']}: {known['predictions']:,} mature predictions, {known['labels']:,} of them "
        f"with a label; {known['young']:,} too young to count."
    ]
    if metric in record["metrics"]:
        one = record["metrics"][metric]
        lines.append(
            f"{metric}: {_figure(one['online'])} on late labels, {_figure(one['offline'])} on the test rows: {one['verdict']}."
        )
    else:
        lines.append(f"{metric}: {record['verdict']}.")
    if "against" in record["estimate"]:
        young = record["estimate"]["young"]
        lines.append(f"{metric} of {young['rows']:,} young rows, estimated: {_figure(young['metrics'][metric])}.")
    broken = [line for line in record["groups"]["limits"] if line["surely_broken"]]
    lines += [
        f"Fairness limit broken: {line['measure']} of {line['feature']} is {line['value']:.3g}, {line['limit']}." for line in broken
    ]
    if record["business"]:
        total = record["business"]["total"]
        lines.append(
            f"{record['business']['name']} per prediction: {_figure(total['value'])}; beyond acting on everyone "
            f"{_figure(total['over_everyone'])}, on nobody {_figure(total['over_nobody'])}."
        )
    return lines + [f"Warning: {sentence}" for sentence in record["warnings"]]


def _figure(interval: dict[str, float]) -> str:
    """Return a figure with its interval."""
    return f"{interval['value']:.4g} ({interval['low']:.4g} to {interval['high']:.4g})"
