"""How names and numbers are written for people, the same in every figure and on every page."""

import math
import re
from datetime import UTC, datetime

METRIC_LABELS: dict[str, str] = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "mcc": "Matthews correlation",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "ece": "Calibration error (ECE)",
    "lift_10": "Lift of the top 10 %",
    "gain_20": "Found in the top 20 %",
    "rmse": "RMSE",
    "mae": "MAE",
    "mse": "MSE",
    "mape": "MAPE",
    "pinball_10": "Pinball loss, 10 %",
    "pinball_90": "Pinball loss, 90 %",
    "r2": "R²",
    "adjusted_r2": "Adjusted R²",
}
"""Metric -> how it is written."""

_INSIDE = {name: label for name, label in METRIC_LABELS.items() if label[:2].isupper()}

UNIT_METRICS = frozenset(
    ("roc_auc", "pr_auc", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "brier", "ece", "r2", "adjusted_r2", "mcc")
) | {"gain_20"}
"""Metrics whose ordinary range is 0 to 1, so that they can share an axis."""

UNKNOWN = "\u2013"
"""What is written where there is no number."""


def metric_label(metric: str) -> str:
    """Return how ``metric`` is written: its established name, or the name with spaces for underscores."""
    known = METRIC_LABELS.get(metric)
    if known is not None:
        return known
    words = metric.replace("_", " ").strip()
    for name, label in _INSIDE.items():
        words = re.sub(rf"\b{name.replace('_', ' ')}\b", label, words)
    return words[:1].upper() + words[1:]


def count(number: float) -> str:
    """Return a whole number with commas between thousands: ``7043`` is ``7,043``."""
    return f"{int(number):,}".replace("-", "\u2212")


def figure(value: object, digits: int = 3) -> str:
    """Return a number with ``digits`` significant decimals where it is small, and none where it is large.

    What is not a finite number is written as :data:`UNKNOWN`; a text is returned as it is.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float) or not math.isfinite(value):
        return UNKNOWN
    if isinstance(value, int) or abs(value) >= 1000:
        return count(round(value))
    return f"{value:.{_decimals(abs(value), digits)}f}".replace("-", "\u2212")


def _decimals(size: float, digits: int) -> int:
    """Return how many decimals a number of ``size`` needs: fewer from 10 on, more where ``digits`` would show zeros alone."""
    if size >= 10:
        return max(0, digits - 1 if size < 100 else digits - 2)
    if 0 < size < 10.0**-digits:
        return min(8, -math.floor(math.log10(size)) + 1)
    return digits


def plain(value: object, digits: int = 3) -> str:
    """Return a number with no more decimals than it needs: a limit of ``0.8`` stays ``0.8``, and ``100.0`` is ``100``."""
    text = figure(value, digits)
    return text.rstrip("0").rstrip(".") if isinstance(value, float) and "." in text else text


TINY = 1e-5
"""Size below which two numbers are told apart by their powers of ten."""


def apart(value: object, limit: object) -> tuple[str, str]:
    """Return a number and what it is compared with as :func:`plain`, with the decimals it takes to tell the two apart."""
    shown = [(plain(value, digits), plain(limit, digits)) for digits in (3, 4, 6, 8)]
    tiny = isinstance(value, float) and isinstance(limit, float) and max(abs(value), abs(limit)) < TINY
    if tiny and value != limit:
        return f"{value:.1e}", f"{limit:.1e}"
    return next((pair for pair in shown if pair[0] != pair[1]), shown[0])


def interval(low: object, high: object) -> str:
    """Return an interval as its two ends with a dash between them, or nothing when an end is unknown."""
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return ""
    return f"{figure(float(low))}\u2013{figure(float(high))}"


def share(value: object, digits: int = 0) -> str:
    """Return a share between 0 and 1 as a percentage."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return UNKNOWN
    if 0 < value < 0.5 * 10.0 ** -(digits + 2):
        return f"<{10.0**-digits:.{digits}f} %"
    return f"{100 * value:.{digits}f} %"


def opening(text: object) -> str:
    """Return ``text`` as a sentence begins: its first letter a capital."""
    words = str(text)
    return words[:1].upper() + words[1:]


def moment(value: object) -> str:
    """Return a time in ISO 8601 as people write it, in UTC; what is no such time is returned as it is."""
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def called_positive(threshold: float) -> str:
    """Return when a row is called positive: from a probability on, or never if the threshold is beyond every probability."""
    return f"positive from a probability of {figure(threshold)} on" if threshold <= 1 else "no row is called positive"


def shorten(text: object, width: int = 32) -> str:
    """Return ``text`` on one line, its middle replaced by an ellipsis where it is longer than ``width`` characters."""
    line = " ".join(str(text).split())
    if len(line) <= width:
        return line
    kept = width - 1
    return f"{line[: kept - kept // 3]}…{line[len(line) - kept // 3 :]}"
