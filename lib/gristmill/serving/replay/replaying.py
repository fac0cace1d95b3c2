"""A table of former rows, written into the prediction log as if they had been served over some days.

What watches a model needs a log, and a project that begins has none. Every row is scored and every label checked before anything is
written; ids are made of what is replayed, so that the same command again, or after an interruption, writes what is missing.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from gristmill.data.sources.opening import open_source
from gristmill.errors import NoLogYet, ParameterError
from gristmill.paths import CasePaths
from gristmill.serving.prediction_log import feedback
from gristmill.serving.prediction_log.records import Feedback, PredictionRecord
from gristmill.serving.prediction_log.rows import encode
from gristmill.serving.prediction_log.store import open_store
from gristmill.serving.predictor import Predictor
from gristmill.serving.replay.answers import Answered, identities, labels, records
from gristmill.serving.replay.moments import DAY, moments

GROUP = 1_000
SECONDS = 30.0
MOST_DAYS = 36_500
_THERE = "SELECT prediction_id, at FROM gristmill_predictions WHERE prediction_id IN ({})"
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Replay:
    """How a table is replayed.

    Attributes
    ----------
    days
        Over how many days its rows are spread, in their order.
    until
        When the last of them ends, in seconds since 1970; None for the present.
    labels_after
        Days from a prediction to its label; None for no labels.
    seed
        Of the moments.
    """

    days: float
    until: float | None = None
    labels_after: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class Replayed:
    """What was replayed.

    Attributes
    ----------
    version
        The version that answered, as ``churn/3``.
    predictions
        Rows that are in the log now.
    labels
        Labels that are in the log now; those that would come later are not.
    new
        Labels or predictions that were not there before.
    since, until
        The time they are spread over, in seconds since 1970.
    """

    version: str
    predictions: int
    labels: int
    new: int
    since: float
    until: float

    @property
    def sentence(self) -> str:
        """What was replayed, for a person."""
        begun, ended = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" for at in (self.since, self.until))
        there = "all new" if self.new == self.predictions + self.labels else f"{self.new:,} of these new"
        return (
            f"The log holds {self.predictions:,} predictions of {self.version} from {begun} to {ended} UTC, and {self.labels:,} "
            f"labels of them; {there}."
        )


def replay(paths: CasePaths, table: str, how: Replay) -> Replayed:
    """Score a table with the champion of a case and write it, and its labels, into the project's prediction log.

    Parameters
    ----------
    paths
        The case.
    table
        URI of the table; relative to the project.
    how
        Over which time.

    Raises
    ------
    ParameterError
        The days are none.
    SourceError, DataError
        The table cannot be read, lacks a column, or holds a value or label that the model cannot take; nothing was written.
    RegistryError, ArtifactError
        There is no champion, or it is not what was registered.
    LogUnavailable
        The log cannot be written; what was written stays, and the same command goes on.
    """
    if not 0 < how.days <= MOST_DAYS or (how.labels_after is not None and not 0 <= how.labels_after <= MOST_DAYS):
        raise ParameterError(
            f"Expected --days above 0 and --labels-after of 0 or more, both at most {MOST_DAYS:,}, got {how.days:g} and "
            f"{how.labels_after!r}. Give days."
        )
    now = time.time()
    until = now if how.until is None else how.until
    answered = _answered(paths, table)
    ids = identities(answered, (how.days, how.until, how.seed))
    there = _there(paths.root, ids)
    at = moments(len(ids), how.days, until, np.random.default_rng(how.seed))
    at = np.array([there.get(name, moment) for name, moment in zip(ids, at, strict=True)], dtype=np.float64)
    made = records(answered, ids, at)
    known = [] if how.labels_after is None else labels(answered, ids, at, how.labels_after * DAY, until)
    new = len(ids) - len(there) + _write(paths.root, made, known)
    span = (until - how.days * DAY, until) if how.until is not None or not there else (float(at.min()), float(at.max()))
    return Replayed(f"{answered.name}/{answered.version}", len(made), len(known), new, *span)


def _there(root: Path, ids: Sequence[str]) -> dict[str, float]:
    """Return the moments of those rows that a former replay has written: they stay where they are, and so do their labels."""
    found: dict[str, float] = {}
    with suppress(NoLogYet), closing(open_store(root, SECONDS, existing=True)) as store:
        for some in _groups(ids):
            found.update((str(name), float(at)) for name, at in store.read(_THERE.format(", ".join("?" * len(some))), *some))
    return found


def _answered(paths: CasePaths, table: str) -> Answered:
    """Return what the champion says of a table."""
    from gristmill.registry.references import resolve  # noqa: PLC0415 - the registry takes a second to open

    rows = open_source(table, root=paths.root).read().reset_index(drop=True)
    found = resolve(f"{paths.name}@champion", paths.project)
    predictor = Predictor.load(found.directory, found.digest)
    began = time.perf_counter()
    values = predictor.frame_values(rows)
    row_ms = 1000 * (time.perf_counter() - began) / max(len(rows), 1)
    return Answered(predictor.model, paths.name, str(found.version), rows, values, row_ms)


def _write(root: Path, made: Sequence[PredictionRecord], known: Sequence[Feedback]) -> int:
    """Write records and labels, and return how many of the labels were not there before."""
    rows, new = [encode(one)[0] for one in made], 0
    with closing(open_store(root, SECONDS)) as store:
        for some in _groups(rows):
            store.insert(some)
        for few in _groups(known):
            outcome = feedback.record(store, lambda: False, few, feedback.any_label)
            new += len(outcome.recorded)
    return new


def _groups(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Give items in groups, each of which is written in one transaction."""
    for start in range(0, len(items), GROUP):
        yield items[start : start + GROUP]
