"""Whether the model's losses on labels that came late have risen for good: a change of what the rows mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gristmill.modeling.artifact.column_counts import Floats

DELTA = 0.002
"""Chance of a false cut that ADWIN is allowed at any one time, as its authors have it."""


@dataclass(frozen=True)
class ConceptDrift:
    """Whether losses rose, and where in their order.

    Attributes
    ----------
    detected
        Whether they did.
    at
        Place of the first loss after the change, counted from 0; None without a change.
    seen_at
        Place at which the change was seen.
    before, after
        Mean loss before and after it; of all losses without a change.
    rows
        How many losses there were.
    """

    detected: bool
    at: int | None
    seen_at: int | None
    before: float
    after: float
    rows: int

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if not self.detected:
            return f"the loss on {self.rows:,} late labels shows no lasting rise"
        return f"the loss on late labels rose from {self.before:.3g} to {self.after:.3g}, at about row {self.at:,} of {self.rows:,}"

    def to_record(self) -> dict[str, Any]:
        """Return the finding as JSON-able data."""
        return {name: getattr(self, name) for name in ("detected", "at", "seen_at", "before", "after", "rows")}


def concept_drift(losses: Iterable[float] | Floats, largest: float | None = None, delta: float = DELTA) -> ConceptDrift:
    """Return whether losses rose for good, by ADWIN (Bifet & Gavaldà 2007).

    ADWIN keeps a window of the latest losses and cuts off its older part as soon as that part's mean is another beyond chance, so
    that no length of window has to be chosen. A fall of the loss is no alarm.

    Parameters
    ----------
    losses
        Loss of each row, in the order the rows were predicted, shape ``(n_rows,)``.
    largest
        What a loss is clipped to and divided by, as ADWIN's bound is for numbers from 0 to 1; the 99th percentile of the first
        half if not given.
    delta
        Chance of a false cut at any one time.
    """
    from river.drift import ADWIN  # noqa: PLC0415

    values = np.asarray(list(losses), dtype=np.float64)
    if not len(values):
        return ConceptDrift(detected=False, at=None, seen_at=None, before=float("nan"), after=float("nan"), rows=0)
    scale = largest or float(np.quantile(values[: max(len(values) // 2, 1)], 0.99)) or 1.0
    detector, begin = ADWIN(delta=delta), 0
    for place, loss in enumerate(np.clip(values / scale, 0, 1).tolist()):
        detector.update(loss)
        if not detector.drift_detected:
            continue
        cut = begin + _change(values[begin : place + 1])
        before, after = float(values[begin:cut].mean()), float(values[cut:].mean())
        if values[cut : place + 1].mean() > before:
            return ConceptDrift(detected=True, at=cut, seen_at=place, before=before, after=after, rows=len(values))
        begin = cut
    mean = float(values.mean())
    return ConceptDrift(detected=False, at=None, seen_at=None, before=mean, after=mean, rows=len(values))


def _change(values: Floats) -> int:
    """Return the place from 1 at which numbers most clearly fall into two parts of different means (Hinkley 1970).

    ADWIN cuts whole buckets, and so knows that there was a change better than where.
    """
    n_rows = len(values)
    sizes = np.arange(1, n_rows)
    deviation = np.abs(np.cumsum(values)[:-1] - sizes / n_rows * values.sum()) / np.sqrt(sizes * (n_rows - sizes))
    return int(np.argmax(deviation)) + 1
