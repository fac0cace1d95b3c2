"""The values that a metric can have, for those that are bounded."""

_INFINITE = float("inf")

_RANGES: dict[str, tuple[float, float]] = {
    "mcc": (-1, 1),
    "lift_10": (0, 10),
    "log_loss": (0, _INFINITE),
    "rmse": (0, _INFINITE),
    "mae": (0, _INFINITE),
    "mse": (0, _INFINITE),
    "mape": (0, _INFINITE),
    "pinball_10": (0, _INFINITE),
    "pinball_90": (0, _INFINITE),
    "r2": (-_INFINITE, 1),
    "adjusted_r2": (-_INFINITE, 1),
}


def metric_range(metric: str, task: str) -> tuple[float, float]:
    """Return the smallest and the largest value that ``metric`` can have, infinite where there is none.

    The Brier score of several classes is a sum over them and reaches 2; every other metric of classes is a share unless it is
    listed here.
    """
    if metric == "brier" and task == "multiclass":
        return 0, 2
    return _RANGES.get(metric, (0, 1))


def require_in_range(metric: str, value: float, task: str, key: str = "evaluation.success_criteria") -> None:
    """Refuse a success criterion, which stands under ``key``, that every model or none would meet.

    Raises
    ------
    ValueError
        The metric cannot have this value.
    """
    low, high = metric_range(metric, task)
    if low <= value <= high:
        return
    if high == _INFINITE:
        words = f"at least {low:g}"
    else:
        words = f"at most {high:g}" if low == -_INFINITE else f"between {low:g} and {high:g}"
    raise ValueError(f"`{key}.{metric}`: this metric is {words}, got {value:g}")
