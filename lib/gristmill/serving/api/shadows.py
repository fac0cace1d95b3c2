"""Challengers in the shadow: they predict what was answered already, for the log alone.

Nothing waits for them. Where more rows wait for a shadow than may, further ones are left out, and counted.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from gristmill.errors import GristmillError
from gristmill.instruments.metrics import ServiceMetrics
from gristmill.metrics.scores import Floats
from gristmill.serving.apart import Apart
from gristmill.serving.api.asked import Asked
from gristmill.serving.api.saying import records_of, said
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.rows import EncodedRecords, encoded
from gristmill.serving.served.traffic import SHADOW
from gristmill.serving.served.versions import ServedVersion

_LOG = logging.getLogger(__name__)

MOST_ROWS = 2_000
"""Rows that may wait for a challenger in the shadow."""


class Shadows:
    """Has challengers predict in the background.

    Parameters
    ----------
    log
        Where their predictions go.
    metrics
        What is counted.
    apart
        Where requests of many rows are worked at.
    """

    def __init__(self, log: PredictionLog, metrics: ServiceMetrics, apart: Apart) -> None:
        self._log, self._metrics, self._apart = log, metrics, apart
        self._tasks: set[asyncio.Task[None]] = set()
        self._rows = 0

    def follow(self, version: ServedVersion, asked: Asked, beside: Sequence[str]) -> None:
        """Have a version predict the rows of a request that was answered with the predictions named ``beside``."""
        if self._rows + len(asked.rows) > MOST_ROWS:
            self._metrics.error("shadow_left_out")
            return
        self._rows += len(asked.rows)
        task = asyncio.create_task(self._predict(version, asked, beside))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until all that was begun has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _predict(self, version: ServedVersion, asked: Asked, beside: Sequence[str]) -> None:
        try:
            many = len(asked.rows) > self._apart.few_rows
            faults = version.checker.faults
            if (await self._apart.run(faults, asked.rows) if many else faults(asked.rows))[
                1
            ]:  # another contract than the champion's
                self._metrics.error("shadow_bad_rows")
                return
            began = time.perf_counter()
            values, _ = await version.values(asked.rows)
            seconds = time.perf_counter() - began
            records = (
                await self._apart.run(_made, version, asked, values, seconds, beside)
                if many
                else _made(version, asked, values, seconds, beside)
            )
            await self._log.write(records)
        except GristmillError as error:
            self._metrics.error("shadow_failed")
            _LOG.warning("version %s of %s failed in the shadow: %s", version.label, version.name, type(error).__name__)
        finally:
            self._rows -= len(asked.rows)


def _made(version: ServedVersion, asked: Asked, values: Floats, seconds: float, beside: Sequence[str]) -> EncodedRecords:
    """Return what a version said in the shadow as it goes into the log."""
    made = said(version, SHADOW, asked, values, version.warnings(asked.rows), seconds)
    return encoded(records_of(made, asked, time.time(), beside))
