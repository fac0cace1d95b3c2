"""Names of the metrics a case file may use, and which way each improves."""

CLASSIFICATION_METRICS: dict[str, bool] = {
    "roc_auc": True,
    "pr_auc": True,
    "accuracy": True,
    "balanced_accuracy": True,
    "precision": True,
    "recall": True,
    "f1": True,
    "mcc": True,
    "lift_10": True,
    "gain_20": True,
    "log_loss": False,
    "brier": False,
    "ece": False,
}
"""Metric -> whether greater is better. With more than two classes, those of one class are averaged over the classes."""

REGRESSION_METRICS: dict[str, bool] = {
    "rmse": False,
    "mae": False,
    "mse": False,
    "mape": False,
    "pinball_10": False,
    "pinball_90": False,
    "r2": True,
    "adjusted_r2": True,
}
"""Metric -> whether greater is better."""

DEFAULT_METRIC: dict[str, str] = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
"""Task -> the metric that selects models when the case file names none."""


def greater_is_better(metric: str) -> bool:
    """Return whether a larger value of ``metric`` is a better one.

    Raises
    ------
    KeyError
        ``metric`` is not a metric of Gristmill.
    """
    return {**CLASSIFICATION_METRICS, **REGRESSION_METRICS}[metric]
