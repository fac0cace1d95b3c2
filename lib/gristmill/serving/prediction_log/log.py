"""The prediction log as the service uses it: whatever it returns from is durable."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from gristmill.serving.prediction_log import feedback, retention
from gristmill.serving.prediction_log.group_commit import GivenUp, GroupCommit
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.records import Feedback, FeedbackOutcome, PredictionRecord
from gristmill.serving.prediction_log.rows import EncodedRecords, encoded
from gristmill.serving.prediction_log.store import Store, open_store
from gristmill.serving.prediction_log.tables import CHECK

_DEFAULT_LIMITS = LogLimits()


class PredictionLog:
    """The log of one process; other processes may write the same one.

    Use it as ``async with PredictionLog(root) as log``. It begins even where its database does not answer: then each record is
    refused until it does.

    Parameters
    ----------
    root
        The project.
    limits
        How much may wait to be written, and how long.
    keep
        For how long records are kept: of all models, or by model (others are kept); None for ever.
    """

    def __init__(self, root: Path, limits: LogLimits = _DEFAULT_LIMITS, keep: "retention.Keep" = None) -> None:
        self._commit = GroupCommit(partial(open_store, root, limits.seconds), limits)
        self._keep = keep
        self._pruning: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "PredictionLog":
        """Begin."""
        self._commit.start()
        if self._keep is not None:
            self._pruning = asyncio.create_task(self._prune_on())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Write what waits, and end."""
        if self._pruning is not None:
            self._pruning.cancel()
            await asyncio.gather(self._pruning, return_exceptions=True)
        await self._commit.stop()

    @property
    def lag(self) -> int:
        """How many records, labels and checks wait to be durable now."""
        return self._commit.records

    async def append(self, records: Sequence[PredictionRecord]) -> None:
        """Return when records are durable; all of them are, or none.

        A record whose id is in the log already is left as it stands there.

        Raises
        ------
        LogUnavailable
            They could not be made durable, or not in time. Their predictions must not be answered; in the latter case they may be
            in the log all the same.
        DataError
            A record holds what cannot be written; nothing of the call was.
        """
        if records:
            await self.write(encoded(records))

    async def write(self, records: EncodedRecords) -> None:
        """Return when records that were encoded beforehand are durable, as :meth:`append` does.

        Raises
        ------
        LogUnavailable
            As :meth:`append`.
        """
        await self._commit.submit(records.rows, records.size)

    async def check_writable(self) -> None:
        """Return if the log can be written now, by writing to it.

        Raises
        ------
        LogUnavailable
            It cannot.
        """
        await self._commit.run(partial(_checked, now=time.time()))

    async def record_feedback(self, labels: Sequence[Feedback], check: feedback.LabelCheck = feedback.any_label) -> FeedbackOutcome:
        """Write down labels that came later, and return what became of each.

        Parameters
        ----------
        labels
            A label that its prediction has already changes nothing; another one corrects it, and the former is kept with its time.
        check
            Says of a prediction and a label why the label cannot be one of its model, or None. It is called in the log's thread.

        Raises
        ------
        LogUnavailable
            The log cannot be written, or not in time. In the latter case all labels of the call may be in the log all the same,
            but never over one that came after this was raised: sending them again does no harm.
        """
        task = partial(feedback.record, labels=tuple(labels), check=check)
        outcome: FeedbackOutcome = await self._commit.run(task, len(labels), feedback.size_of(labels))
        return outcome

    async def prune(self) -> int:
        """Delete what is older than it is to be kept, a few records at a time, and return how many were deleted."""
        deleted = 0
        while found := await self._commit.run(partial(_pruned, keep=self._keep, now=time.time())):
            deleted += found
        return deleted

    async def _prune_on(self) -> None:
        """Prune now and then; where the log cannot be written, later."""
        while True:
            await retention.unless_unavailable(self.prune)
            await asyncio.sleep(self._commit.limits.prune_seconds)


def _pruned(store: Store, given_up: GivenUp, keep: "retention.Keep", now: float) -> int:  # noqa: ARG001 - the shape of a task
    """Delete some of what is too old."""
    return retention.prune_some(store, keep, now)


def _checked(store: Store, given_up: GivenUp, now: float) -> None:  # noqa: ARG001
    """Write to the log."""
    with store.transaction() as session:
        session.execute(CHECK, now)
