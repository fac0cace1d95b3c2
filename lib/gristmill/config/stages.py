"""The stages of the DAG, and which keys of the case file each of them reads.

A change to a key reruns exactly the stages that read it, so the table below has to be true. It is: a notebook sees the case
through :class:`StageCase`, which refuses a key the table does not grant.
"""

from typing import Any

from gristmill.config.case import Case
from gristmill.config.sections.operation import Monitoring, Serving
from gristmill.config.sections.showing import App
from gristmill.errors import CaseFileError

FAMILY_STAGES = {
    "05_train_linear": "linear",
    "05_train_forest": "forest",
    "05_train_boosting": "boosting",
    "05_train_neural": "neural",
}
"""Training stage -> the model family it trains."""

_COLUMNS = ("name", "task", "target", "positive_class", "id_columns", "time_column", "group_column", "sensitive_features")
_TRAINING = (*_COLUMNS, "split", "features", "fairness", "training", "evaluation")

READS: dict[str, tuple[str, ...]] = {
    "01_ingest": ("name", "source", "split"),
    "02_validate": (*_COLUMNS, "split", "validation", "features", "fairness"),
    "03_explore": (*_COLUMNS, "features"),
    "04_build_features": (*_COLUMNS, "features", "fairness"),
    **dict.fromkeys(FAMILY_STAGES, _TRAINING),
    "06_select": (*_TRAINING, "threshold", "serving", "monitoring"),
    "07_evaluate": (*_COLUMNS, "split", "threshold", "evaluation", "behaviour"),
    "08_explain": (*_COLUMNS, "evaluation"),
    "09_audit_fairness": (*_COLUMNS, "evaluation", "fairness", "threshold"),
    "10_write_model_card": tuple(Case.model_fields),
    "11_register": tuple(Case.model_fields),
}
"""Stage -> top-level keys of the case file it may read."""

_OF_A_BUILD = ("max_row_ms", "latency_ms", "requests_per_second", "deployment_target", "reference_bins", "reference_points")

SERVICE_ONLY: dict[str, tuple[str, ...]] = {
    "serving": tuple(name for name in Serving.model_fields if name not in _OF_A_BUILD),
    "monitoring": tuple(name for name in Monitoring.model_fields if name not in _OF_A_BUILD),
    "compliance": ("log_retention",),
    "app": tuple(App.model_fields),
}
"""Section -> keys that only a model at work is served, watched or shown by; no stage reads them, so a change makes
none stale."""

_DERIVED = {
    "primary_metric": ("task", "evaluation"),
    "split_strategy": ("task", "time_column", "group_column", "split"),
    "non_feature_columns": ("target", "id_columns", "group_column", "sensitive_features", "features", "fairness"),
}

MONITORING_STAGES = ("21_data_quality", "22_drift", "23_performance", "24_weekly_report")
"""Stages that look at a model at work."""

READS_ELSEWHERE: dict[str, tuple[str, ...]] = {
    "31_score_batch": ("name", "task", "positive_class"),
    **dict.fromkeys(MONITORING_STAGES, tuple(Case.model_fields)),
}
"""The same of stages in other pipelines than the one that trains; they run whenever asked for, so that no key makes one stale."""

_GRANTED = READS | READS_ELSEWHERE


class StageCase:
    """A case as one stage may see it.

    Parameters
    ----------
    case
        The whole case.
    stage
        Name of the stage, such as ``05_train_linear``.

    Raises
    ------
    CaseFileError
        There is no stage of that name.
    """

    def __init__(self, case: Case, stage: str) -> None:
        if stage not in _GRANTED:
            raise CaseFileError(f"Expected one of the stages {', '.join(_GRANTED)}, got {stage!r}.")
        self._case = case
        self._stage = stage

    def __getattr__(self, key: str) -> Any:
        """Return a top-level key of the case, or a value derived from such keys."""
        if key.startswith("_"):
            raise AttributeError(key)
        undeclared = [name for name in _DERIVED.get(key, (key,)) if name not in _GRANTED[self._stage]]
        if undeclared:
            raise AttributeError(
                f"{self._stage} reads {undeclared[0]!r} of the case file, but gristmill.config.stages.READS does not say so; "
                "add it there, so that a change of the key reruns the stage."
            )
        value = getattr(self._case, key)
        return _Granted(value, key) if key in SERVICE_ONLY and self._stage not in MONITORING_STAGES else value


class _Granted:
    """A section as a build may see it: without the keys that only the service reads."""

    def __init__(self, section: Any, name: str) -> None:
        self._section = section
        self._name = name

    def __getattr__(self, key: str) -> Any:
        if key.startswith("_"):
            raise AttributeError(key)
        if key in SERVICE_ONLY[self._name]:
            raise AttributeError(
                f"`{self._name}.{key}` is for the service alone (gristmill.config.stages.SERVICE_ONLY): a stage that read it "
                "would not be run again when it changes."
            )
        return getattr(self._section, key)


def keys_of_a_build(key: str, value: Any) -> Any:
    """Return the value of a top-level key of the case file, as settings, without what only the service reads."""
    left_out = SERVICE_ONLY.get(key, ())
    return {name: item for name, item in value.items() if name not in left_out} if left_out else value
