"""What was asked of the model over time: how much, of which version, what it answered, how sure it was, and how fast."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gristmill.reporting.wording import count, figure, plain, share
from gristmill.serving.prediction_log.totals import CONFIDENCE_BINS, Answers, Cut, LogTotals

QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
MOST_CLASSES = 8
OTHERS = "all others"
SHADOW = "shadow"


@dataclass(frozen=True)
class Traffic:
    """The log of some time, in sums.

    Attributes
    ----------
    cut
        The time, and its parts.
    numbers
        Whether the model predicts numbers.
    answered
        Predictions that were given to somebody; those of a shadow are not.
    warned
        Of these, those with a warning about their row.
    volume
        ``time``, ``version`` (with its role), ``predictions``: a line a part, parts without any included.
    classes
        ``time``, ``class``, ``predictions``, ``share`` of the part's; of numbers, ``time``, ``mean``.
    latency
        ``time``, ``quantile``, ``milliseconds``.
    overall
        Quantile -> milliseconds of the whole time; empty without predictions that somebody waited for.
    timed
        Predictions that have an answer time: all but those that were replayed from a table.
    confidence
        ``from``, ``to``, ``predictions``; empty for numbers.
    mean_confidence
        ``time``, ``confidence``; empty for numbers.
    versions
        ``version``, ``role``, ``predictions``, ``first``, ``last``: of the whole time.
    """

    cut: Cut
    numbers: bool
    answered: int
    warned: int
    volume: pd.DataFrame
    classes: pd.DataFrame
    latency: pd.DataFrame
    overall: dict[str, float]
    timed: int
    confidence: pd.DataFrame
    mean_confidence: pd.DataFrame
    versions: pd.DataFrame

    @property
    def sentences(self) -> list[str]:
        """What there is to say, in words."""
        if not self.answered:
            return ["Nobody asked the model anything in this time."]
        lines = [f"{count(self.answered)} predictions, {_rate(self.answered / (self.cut.until - self.cut.since))}."]
        if self.warned:
            lines.append(
                f"{count(self.warned)} of them ({share(self.warned / self.answered, 1)}) carried a warning about their row, such "
                "as a value that no training row has."
            )
        return lines

    @property
    def times_in_words(self) -> str:
        """How long answers took, and which have no time."""
        replayed = self.answered - self.timed
        if not self.timed:
            return (
                f"All {count(replayed)} predictions were replayed from a table (`gristmill log replay`): nobody waited for them, "
                "so that there are no answer times to show."
            )
        slow = ", ".join(f"{name} {plain(value, 2)} ms" for name, value in self.overall.items())
        said = f"Half of the answers (p50), 95 of 100 (p95) and 99 of 100 (p99) took no longer than: {slow}."
        if replayed:
            said += f" {count(replayed)} predictions that were replayed from a table have no answer time, and are left out."
        return said


def traffic(totals: LogTotals, cut: Cut, *, numbers: bool) -> Traffic:
    """Return what the log says of some time.

    Raises
    ------
    LogUnavailable
        There is no log, or it cannot be read.
    """
    answers = totals.answers(cut, numbers=numbers)
    given = [one for one in answers if one.role != SHADOW]
    spent = totals.latencies(cut)
    return Traffic(
        cut=cut,
        numbers=numbers,
        answered=sum(one.predictions for one in given),
        warned=sum(one.warned for one in given),
        volume=_volume(answers, cut),
        classes=_means(given, cut, "mean") if numbers else _classes(given, cut),
        latency=_latency(spent, cut),
        overall=quantiles([(milliseconds, number) for _, milliseconds, number in spent]),
        timed=sum(number for *_, number in spent),
        confidence=_histogram([] if numbers else totals.confidences(cut)),
        mean_confidence=_means([] if numbers else given, cut, "confidence"),
        versions=_versions(answers, cut),
    )


def quantiles(counted: Iterable[tuple[float, int]]) -> dict[str, float]:
    """Return the quantiles of counted values: each the smallest value that enough of them do not exceed; none without values."""
    ordered = sorted(counted)
    if not ordered:
        return {}
    below = np.cumsum([number for _, number in ordered])
    places = {name: int(np.searchsorted(below, wanted * below[-1])) for name, wanted in QUANTILES.items()}
    return {name: ordered[min(place, len(ordered) - 1)][0] for name, place in places.items()}


def _moment(cut: Cut, part: int) -> pd.Timestamp:
    """Return when a part begins."""
    return pd.Timestamp(cut.start(part), unit="s", tz="UTC")


def _named(one: Answers) -> str:
    """Return a version as a line of a figure is called."""
    return f"version {one.version}" + ("" if one.role == "champion" else f" ({one.role})")


def _volume(answers: Sequence[Answers], cut: Cut) -> pd.DataFrame:
    """Return predictions by part and version, with noughts where there are none: a gap in the traffic is to be seen."""
    found: dict[tuple[int, str], int] = {}
    for one in answers:
        key = one.part, _named(one)
        found[key] = found.get(key, 0) + one.predictions
    parts = range(int((cut.until - cut.since) // cut.step) + 1)
    names = sorted({name for _, name in found})
    rows = [
        (_moment(cut, part), name, found.get((part, name), 0)) for name in names for part in parts if cut.start(part) < cut.until
    ]
    return pd.DataFrame(rows, columns=["time", "version", "predictions"])


def _classes(given: Sequence[Answers], cut: Cut) -> pd.DataFrame:
    """Return predictions by part and class, rarer classes of many put together."""
    total: dict[str, int] = {}
    for one in given:
        total[str(one.answer)] = total.get(str(one.answer), 0) + one.predictions
    kept = set(sorted(total, key=lambda name: (-total[name], name))[:MOST_CLASSES])
    rows = [(_moment(cut, one.part), str(one.answer) if str(one.answer) in kept else OTHERS, one.predictions) for one in given]
    frame = pd.DataFrame(rows, columns=["time", "class", "predictions"]).groupby(["time", "class"], as_index=False).sum()
    frame["share"] = frame["predictions"] / frame.groupby("time")["predictions"].transform("sum")
    return frame


def _means(given: Sequence[Answers], cut: Cut, name: str) -> pd.DataFrame:
    """Return the mean by part, each group with its weight."""
    known = [(one.part, one.mean * one.predictions, one.predictions) for one in given if one.mean is not None]
    sums = pd.DataFrame(known, columns=["part", "sum", "predictions"]).groupby("part", as_index=False).sum()
    return pd.DataFrame({"time": [_moment(cut, int(part)) for part in sums["part"]], name: sums["sum"] / sums["predictions"]})


def _latency(spent: Sequence[tuple[int, float, int]], cut: Cut) -> pd.DataFrame:
    """Return the quantiles of the answer time by part."""
    by_part: dict[int, list[tuple[float, int]]] = {}
    for part, milliseconds, number in spent:
        by_part.setdefault(part, []).append((milliseconds, number))
    rows = [
        (_moment(cut, part), name, value) for part, counted in sorted(by_part.items()) for name, value in quantiles(counted).items()
    ]
    return pd.DataFrame(rows, columns=["time", "quantile", "milliseconds"])


def _histogram(counted: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """Return how many answers were how sure."""
    rows = [(place / CONFIDENCE_BINS, (place + 1) / CONFIDENCE_BINS, number) for place, number in counted]
    return pd.DataFrame(rows, columns=["from", "to", "predictions"])


def _versions(answers: Sequence[Answers], cut: Cut) -> pd.DataFrame:
    """Return what each version did, the busiest first."""
    rows = [(one.version, one.role, one.predictions, one.part, one.part) for one in answers]
    frame = pd.DataFrame(rows, columns=["version", "role", "predictions", "first", "last"])
    made = frame.groupby(["version", "role"], as_index=False).agg({"predictions": "sum", "first": "min", "last": "max"})
    for name in ("first", "last"):
        made[name] = [_moment(cut, int(part)) for part in made[name]]
    return made.sort_values("predictions", ascending=False, ignore_index=True)


def _rate(per_second: float) -> str:
    """Return a rate in the unit that makes it readable."""
    for seconds, unit in ((1.0, "a second"), (60.0, "a minute"), (3_600.0, "an hour"), (86_400.0, "a day")):
        if per_second * seconds >= 1:
            return f"{figure(per_second * seconds, 1)} {unit} on average"
    return "less than one a day on average"
