"""A window of time out of the prediction log: what was asked, answered and since known, however much there is of it.

The log is read once, page by page. How many predictions there were is counted exactly; the rows themselves are kept whole up to a
limit, and beyond it as an even sample that depends on their ids alone, so that the same window gives the same rows.
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gristmill.config.loading import load_case
from gristmill.errors import NoLogYet, ParameterError
from gristmill.metrics.scores import Floats
from gristmill.monitoring.performance.logged import frame_of, served_of
from gristmill.monitoring.performance.offline import offline
from gristmill.monitoring.performance.served import Mask, Served
from gristmill.paths import CasePaths

DAY, HOUR = 86_400.0, 3_600.0
MOST_SLICES = 31


@dataclass(frozen=True)
class ServedWindow:
    """Predictions of some time.

    Attributes
    ----------
    since, until
        Seconds since 1970: from the first on, and before the second.
    served
        The predictions of all versions, an even sample where there are too many; with the labels that had come by ``until``.
    predictions
        How many the log holds of this time.
    hours
        How many were made in each hour, by version and role: columns ``at`` (seconds since 1970, the beginning), ``version``,
        ``role``, ``predictions`` and ``last``, when the last of them was made. Of all of them, not of the sample.
    logged
        Whether there is a log at all.
    """

    since: float
    until: float
    served: Served
    predictions: int
    hours: pd.DataFrame = field(repr=False)
    logged: bool = True

    @property
    def days(self) -> float:
        """How long it is."""
        return (self.until - self.since) / DAY

    @property
    def sampled(self) -> bool:
        """Whether ``served`` is a sample."""
        return len(self.served) < self.predictions

    @property
    def at(self) -> Floats:
        """When each row of ``served`` was predicted, in seconds since 1970, shape ``(n_rows,)``."""
        return np.asarray(self.served.rows["at"], dtype=np.float64)

    @property
    def champion(self) -> str:
        """The version that answered last as champion; empty where none did."""
        ones = self.hours[self.hours["role"] == "champion"]
        return str(ones.sort_values("last", kind="stable")["version"].iloc[-1]) if len(ones) else ""

    @property
    def sentence(self) -> str:
        """What the window is, in a sentence."""
        if not self.predictions:
            return f"From {said(self.since)} to {said(self.until)} nothing was predicted."
        told = f"From {said(self.since)} to {said(self.until)} there were {self.predictions:,} predictions"
        return f"{told}, of which an even sample of {len(self.served):,} is looked at." if self.sampled else f"{told}."


def said(at: float) -> str:
    """Return a moment as people write it."""
    return f"{pd.Timestamp(at, unit='s'):%Y-%m-%d %H:%M} UTC"


def period(days: float, until: float) -> tuple[float, float]:
    """Return beginning and end of the days that end at ``until``, in seconds since 1970.

    Raises
    ------
    ParameterError
        They are no days.
    """
    if not 0 < days <= 36_500:
        raise ParameterError(
            f"Expected a number of days above 0, got {days:g}. Give the days that the window is to have, such as 7."
        )
    return until - days * DAY, until


def window_of(
    paths: CasePaths, since: float, until: float, classes: Sequence[str] | None = None, known_by: float | None = None
) -> ServedWindow:
    """Return what the log holds of a case's predictions in a time.

    Parameters
    ----------
    paths
        The case.
    since, until
        Seconds since 1970: predictions made at ``since`` or later, and before ``until``.
    classes
        Of the model, in the order of its probabilities; those of the last build if not given.
    known_by
        Labels that had come by then are known, in seconds since 1970; ``until`` if not given.

    Raises
    ------
    ArtifactError
        There is no build of the case.
    LogUnavailable
        The log cannot be read. That there is none yet is no error: then the window is empty.
    DataError
        A prediction has other classes.
    """
    case = load_case(paths.name, paths.root)
    known = offline(paths).model.classes if classes is None else tuple(classes)
    tally: Counter[tuple[float, str, str]] = Counter()
    last: dict[tuple[float, str, str], float] = {}
    sample, logged = _Sample(case.monitoring.most_rows), True
    try:
        for frame in _frames(paths.root, case.name, since, until):
            hours = np.floor(frame["at"] / HOUR) * HOUR
            for key, at in zip(zip(hours, frame["version"], frame["role"], strict=True), frame["at"], strict=True):
                tally[key] += 1
                last[key] = max(last.get(key, at), at)
            sample.add(frame)
    except NoLogYet:
        logged = False
    lines = [(*key, count, last[key]) for key, count in sorted(tally.items())]
    hours = pd.DataFrame(lines, columns=["at", "version", "role", "predictions", "last"])
    served = served_of(sample.frames, case.task, known).known_by(until if known_by is None else known_by)
    return ServedWindow(since, until, served, sum(tally.values()), hours, logged)


def slices(at: Floats, since: float, until: float) -> list[tuple[float, Mask]]:
    """Return the days of a window, each as its beginning and its rows; a long window has longer parts, a short one shorter."""
    length = until - since
    step = DAY if length >= 3 * DAY else max(length / 8, 1.0)
    step = max(step, length / MOST_SLICES)
    count = max(1, int(np.ceil(length / step - 1e-9)))
    places = np.clip(count - np.ceil((until - at) / step), 0, count - 1)  # counted from the end, whose day is whole
    return [(until - (count - place) * step, np.asarray(places == place)) for place in range(count)]


def _frames(root: Path, model: str, since: float, until: float) -> Iterator[pd.DataFrame]:
    """Give the pages of the log."""
    from gristmill.serving.prediction_log.reader import LogReader  # noqa: PLC0415 - a window in memory needs no log

    for batch in LogReader(root).batches(model, since, until):
        yield frame_of(batch)


class _Sample:
    """Rows of the log, at most so many: of more, those whose id's checksum ends in enough zeros."""

    def __init__(self, most: int) -> None:
        self.most, self.frames, self._bits = most, list[pd.DataFrame](), 0

    def add(self, frame: pd.DataFrame) -> None:
        """Take in a page."""
        keys = frame["beside"].where(frame["beside"] != "", frame["prediction_id"])  # a shadow's answer stays with the champion's
        marks = np.array([zlib.crc32(str(key).encode()) for key in keys], dtype=np.int64)
        self.frames.append(self._thinned(frame.assign(mark=marks)))
        while sum(map(len, self.frames)) > self.most:
            self._bits += 1
            self.frames = [self._thinned(one) for one in self.frames]

    def _thinned(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return what stays of a page."""
        return frame if not self._bits else frame[frame["mark"] % (1 << self._bits) == 0]
