"""What the prediction log says in sums over time, added up by its database: memory does not grow with the log.

A look cuts some time into parts of the same length. Groups are small by design: predictions by class, answer times to two digits,
confidence in twentieths.
"""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill.serving.prediction_log.records import REPLAYED, PredictionRecord
from gristmill.serving.prediction_log.rows import COLUMNS, decode
from gristmill.serving.prediction_log.store import Store, open_store

CONFIDENCE_BINS = 20
"""Parts of the range of confidence, 0 to 1, that are counted."""

_OF = "FROM gristmill_predictions p WHERE p.model = ? AND p.at >= ? AND p.at < ?"
_ANSWERED = " AND p.role <> 'shadow'"
_TIMED = f"{_ANSWERED} AND p.key_id <> '{REPLAYED}'"
_DIGITS = (
    "CASE WHEN p.latency_ms < 1 THEN round(p.latency_ms * 100) / 100.0 WHEN p.latency_ms < 10 THEN round(p.latency_ms * 10) / 10.0 "
    "WHEN p.latency_ms < 100 THEN round(p.latency_ms) WHEN p.latency_ms < 1000 THEN round(p.latency_ms / 10) * 10 "
    "ELSE round(p.latency_ms / 100) * 100 END"
)
_NAMED = ", ".join(f"p.{name}" for name in COLUMNS)


@dataclass(frozen=True)
class Cut:
    """Some time, in parts.

    Attributes
    ----------
    since, until
        Seconds since 1970: from ``since`` on, and before ``until``.
    step
        Length of a part, in seconds.
    """

    since: float
    until: float
    step: float

    def start(self, part: int) -> float:
        """Return when a part begins, in seconds since 1970."""
        return self.since + part * self.step


@dataclass(frozen=True)
class Answers:
    """Predictions of one part that have a version, a role and an answer in common.

    Attributes
    ----------
    part
        Which part, from 0.
    version, role
        As in the record.
    answer
        The class; None where numbers are predicted.
    predictions
        How many.
    warned
        Of these, those with a warning about their row.
    mean
        Of the confidence; of the numbers themselves where numbers are predicted. None where there is none.
    """

    part: int
    version: str
    role: str
    answer: str | None
    predictions: int
    warned: int
    mean: float | None


@dataclass(frozen=True)
class Labels:
    """Answered predictions of one part, and how many of them have a label."""

    part: int
    predictions: int
    labels: int


@dataclass(frozen=True)
class LogTotals:
    """Sums over the log of the project at ``root``, to be asked while services write it.

    Every method raises ``LogUnavailable`` where there is no log, or it cannot be read.

    Attributes
    ----------
    root
        The project.
    model
        Whose predictions.
    seconds
        How long to wait for the database.
    """

    root: Path
    model: str
    seconds: float = 30.0

    def ends(self) -> tuple[float, float] | None:
        """Return when the first and the last prediction were made, in seconds since 1970; None if there is none."""
        with closing(self._open()) as store:
            (first,), (last,) = (
                store.read(f"SELECT {end}(at) FROM gristmill_predictions WHERE model = ?", self.model)[0]  # noqa: S608
                for end in ("min", "max")
            )
        return None if first is None else (float(first), float(last))

    def answers(self, cut: Cut, *, numbers: bool = False) -> list[Answers]:
        """Return how many predictions there are by part, version, role and class.

        Parameters
        ----------
        cut
            The time and its parts.
        numbers
            Whether numbers are predicted, which are not told apart.
        """
        with closing(self._open()) as store:
            answer, mean = "p.prediction", "avg(p.confidence)"
            if numbers:
                answer, mean = "'null'", "avg(CAST(p.prediction AS DOUBLE PRECISION))"
            warned = "sum(CASE WHEN p.warnings <> '[]' THEN 1 ELSE 0 END)"
            asked = f"{_part(store)}, p.version, p.role, {answer}, count(*), {warned}, {mean}"
            rows = store.read(f"SELECT {asked} {_OF} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4", *self._values(cut, parted=True))
        return [
            Answers(int(part), version, role, None if numbers else str(json.loads(said)), int(count), int(warned), _number(mean))
            for part, version, role, said, count, warned, mean in rows
        ]

    def latencies(self, cut: Cut) -> list[tuple[int, float, int]]:
        """Return how many answers took how long: part, milliseconds to two digits, answers; nobody awaited replayed ones."""
        with closing(self._open()) as store:
            asked = f"SELECT {_part(store)}, {_DIGITS}, count(*) {_OF}{_TIMED} GROUP BY 1, 2 ORDER BY 1, 2"
            rows = store.read(asked, *self._values(cut, parted=True))
        return [(int(part), float(spent), int(count)) for part, spent, count in rows]

    def confidences(self, cut: Cut) -> list[tuple[int, int]]:
        """Return how many answers were how sure: the twentieth of the range, from 0 to 19, and answers."""
        with closing(self._open()) as store:
            bin_of = store.whole.format(f"p.confidence * {CONFIDENCE_BINS}")
            asked = f"SELECT {bin_of}, count(*) {_OF}{_ANSWERED} AND p.confidence IS NOT NULL GROUP BY 1 ORDER BY 1"
            rows = store.read(asked, *self._values(cut))
        found: dict[int, int] = {}
        for place, count in rows:
            inside = min(int(place), CONFIDENCE_BINS - 1)  # a confidence of exactly one
            found[inside] = found.get(inside, 0) + int(count)
        return sorted(found.items())

    def labels(self, cut: Cut) -> list[Labels]:
        """Return how many answered predictions there are by part, and how many of them have a label by now."""
        with closing(self._open()) as store:
            joined = _OF.replace(
                " WHERE", " LEFT JOIN gristmill_feedback f ON f.prediction_id = p.prediction_id AND f.revision = 1 WHERE"
            )
            asked = f"SELECT {_part(store)}, count(*), count(f.prediction_id) {joined}{_ANSWERED} GROUP BY 1 ORDER BY 1"
            rows = store.read(asked, *self._values(cut, parted=True))
        return [Labels(int(part), int(count), int(labels)) for part, count, labels in rows]

    def sample(self, cut: Cut, version: str, most: int) -> list[PredictionRecord]:
        """Return answered predictions of one version, every one of them or every n-th, oldest first.

        Parameters
        ----------
        cut
            The time.
        version
            Of the model.
        most
            About how many at most.
        """
        with closing(self._open()) as store:
            of_version, values = f"{_OF}{_ANSWERED} AND p.version = ?", (*self._values(cut), version)
            ((count,),) = store.read(f"SELECT count(*) {of_version}", *values)
            every = -(-int(count) // most) if count else 1
            rows = store.read(f"SELECT {_NAMED} {of_version} AND p.seq % {every} = 0 ORDER BY p.seq LIMIT ?", *values, 2 * most)
        return [decode(row) for row in rows]

    def _values(self, cut: Cut, *, parted: bool = False) -> tuple[Any, ...]:
        """Return the values of a statement, those of the parts first."""
        parts = (cut.since, cut.step) if parted else ()
        return (*parts, self.model, cut.since, cut.until)

    def _open(self) -> Store:
        """Return the database of a log that exists."""
        return open_store(self.root, self.seconds, existing=True)


def _part(store: Store) -> str:
    """Return the SQL of the part that a prediction lies in; its values are ``since`` and ``step``."""
    return store.whole.format("(p.at - ?) / ?")


def _number(value: Any) -> float | None:
    """Return a mean, or None."""
    return None if value is None else float(value)
