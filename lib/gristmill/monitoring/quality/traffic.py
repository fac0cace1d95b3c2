"""How much was asked and when, whether rows were sent twice, and how old the last prediction is."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.monitoring.performance.served import Served
from gristmill.monitoring.windows import DAY, HOUR, ServedWindow

LONG_GAP, EXPECTED = 12.0, 20.0
"""Hours without a prediction that are longer than a night, and how many predictions they should have had to be told of."""

SHARE_OF_A_DAY = 0.5
"""A full day with less than this share of the predictions of the median day is told of."""


def traffic(window: ServedWindow) -> dict[str, Any]:
    """Return how much was asked in a window, day by day and by version, and how old the last prediction is.

    Returns
    -------
    dict
        ``predictions``, ``days`` (beginning and count each), ``versions`` (version and role with count), ``hours_since_last``,
        ``longest_gap_hours``, ``remarks``. What is counted is what was answered; a shadow's answers are in ``versions`` alone.
    """
    answered = window.hours[window.hours["role"] != "shadow"]
    days = _days(answered, window)
    last = float(answered["at"].max()) + HOUR if len(answered) else None
    since_last = None if last is None else max(0.0, (window.until - last) / HOUR)
    tally: Counter[tuple[str, str]] = Counter()
    for line in window.hours.to_dict("records"):
        tally[str(line["version"]), str(line["role"])] += int(line["predictions"])
    versions = [{"version": version, "role": role, "predictions": asked} for (version, role), asked in sorted(tally.items())]
    gap, total = _longest_gap(answered, window), int(answered["predictions"].sum())
    return {
        "predictions": total,
        "days": days,
        "versions": versions,
        "hours_since_last": since_last,
        "longest_gap_hours": gap,
        "remarks": _remarks(days, gap, total / max(window.days * DAY / HOUR, 1.0)),
    }


def _days(answered: pd.DataFrame, window: ServedWindow) -> list[dict[str, Any]]:
    """Return the predictions of each day, counted back from the end, the first of which may be a part."""
    count = max(1, int(np.ceil(window.days - 1e-9)))
    places = count - 1 - np.floor((window.until - answered["at"].to_numpy(dtype=np.float64) - 1e-6) / DAY)
    sums = np.bincount(np.clip(places, 0, count - 1).astype(np.intp), answered["predictions"].to_numpy(dtype=np.float64), count)
    return [{"at": window.until - (count - place) * DAY, "predictions": int(sums[place])} for place in range(count)]


def _longest_gap(answered: pd.DataFrame, window: ServedWindow) -> float | None:
    """Return the most whole hours in a row without a prediction, between the first and the end of the window."""
    if answered.empty:
        return None
    hours = np.unique(np.append(answered["at"].to_numpy(dtype=np.float64), np.floor(window.until / HOUR) * HOUR))
    return float(max(0.0, np.diff(hours).max() / HOUR - 1)) if len(hours) > 1 else 0.0


def _remarks(days: Sequence[dict[str, Any]], gap: float | None, an_hour: float) -> list[str]:
    """Return what is unusual about the traffic; nothing is, of so little that chance makes gaps."""
    counts = np.array([day["predictions"] for day in days[1:]])
    found = []
    if len(counts) >= 3 and np.median(counts) >= EXPECTED:
        usual = float(np.median(counts))
        quiet = [pd.Timestamp(day["at"], unit="s") for day in days[1:] if day["predictions"] < SHARE_OF_A_DAY * usual]
        found += [f"{len(quiet)} of {len(counts)} full days had less than half of the usual {usual:,.0f} predictions, "
                  f"the last of them that of {quiet[-1]:%Y-%m-%d}."] if quiet else []  # fmt: skip
    if gap is not None and gap >= LONG_GAP and gap * an_hour >= EXPECTED:
        found.append(f"For {gap:.0f} hours in a row nothing was asked.")
    return found


def repeats(own: Served, columns: Sequence[str], training: pd.DataFrame | None) -> dict[str, Any]:
    """Return how many rows were sent before in the same window.

    Returns
    -------
    dict
        ``rows``, ``repeated`` (rows with the same columns as an earlier one), ``share``, and ``share_before``, the same of the
        training rows; None where these are gone.
    """
    names = [name for name in columns if name in own.features.columns]
    repeated = int(own.features[names].astype(str).duplicated().sum()) if len(own) and names else 0
    before = None if training is None or training.empty else float(training.astype(str).duplicated().mean())
    return {"rows": len(own), "repeated": repeated, "share": repeated / max(len(own), 1), "share_before": before}
