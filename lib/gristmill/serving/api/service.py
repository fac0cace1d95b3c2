"""The parts of one process of the service, and how they begin and end together."""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from gristmill.config.case import Case
from gristmill.errors import LogUnavailable
from gristmill.instruments.metrics import ServiceMetrics
from gristmill.instruments.profiling import Profiler, profiler_from_environment
from gristmill.instruments.traces import Tracing
from gristmill.paths import ProjectPaths
from gristmill.serving.apart import Apart
from gristmill.serving.api.answering import Answering
from gristmill.serving.api.routes import TABLE
from gristmill.serving.keys.ring import KeyRing
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.retention import kept_for
from gristmill.serving.served.serving_model import ServingModel
from gristmill.serving.served.traffic import CHALLENGER, CHAMPION, SHADOW, LineUp

_LOG = logging.getLogger(__name__)

_SECONDS_BETWEEN_GAUGES = 1.0
_SECONDS_A_CHECK_HOLDS = 1.0


class Service:
    """One process of the prediction service of a case.

    Parameters
    ----------
    root
        The project.
    case
        The case, whose name the registered model has.
    workers
        Processes that share the load.

    Attributes
    ----------
    draining
        Whether it was told to stop: it is not ready any more, and ends what it began.
    """

    def __init__(self, root: Path, case: Case, workers: int = 1) -> None:
        name, serving = case.name, case.serving
        self.root, self.name, self.serving, self.workers = root, name, serving, workers
        self.metrics = ServiceMetrics(routes=[route.path for route in TABLE.routes])
        self.ring = KeyRing(
            root,
            refresh_seconds=serving.limits.key_refresh_seconds,
            trusted_seconds=serving.limits.keys_trusted_seconds,
        )
        self.log = PredictionLog(root, LogLimits.of_case(serving.log), keep={name: kept_for(case.compliance.log_retention)})
        self.models = {name: ServingModel(root, name, serving, self._changed, self.metrics.batch)}
        self.apart = Apart(serving.batching.inline_ms)
        self.answering = Answering(self.models, self.log, self.metrics, self.apart)
        self.tracing: Tracing | None = None
        self.profiler: Profiler | None = None
        self.draining = False
        self._roles: set[tuple[str, str]] = set()
        self._log_checked_at, self._log_trouble = 0.0, "not looked at yet"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Service"]:
        """Begin, and end when the block does; models are loaded by :meth:`load`, while ``/healthz`` is answered already."""
        self.tracing = Tracing.from_environment()
        self.profiler = profiler_from_environment(ProjectPaths(self.root).state / "profiles")
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.ring.kept_fresh())
            await stack.enter_async_context(self.log)
            stack.callback(self._close)  # not before what was begun in the shadow has ended, which needs its threads and is counted
            stack.push_async_callback(self.answering.shadows.settled)
            gauges = asyncio.create_task(self._gauge())
            stack.push_async_callback(_ended, gauges)
            yield self

    def _close(self) -> None:
        """End the threads, and write what was counted."""
        for model in self.models.values():
            model.close()
        self.apart.close()
        self.metrics.write()
        if self.profiler is not None:
            self.profiler.stop()
        if self.tracing is not None:
            self.tracing.close()

    @asynccontextmanager
    async def loaded(self) -> AsyncIterator["Service"]:
        """Load the models, and follow their releases until the block ends.

        Raises
        ------
        RegistryError, ArtifactError, StateError
            A model has no champion, or one that cannot be loaded.
        """
        async with AsyncExitStack() as stack:
            for model in self.models.values():
                await model.start()
                await stack.enter_async_context(model.kept_fresh())
            _keep_for_good()
            yield self

    async def readiness(self) -> tuple[bool, dict[str, str]]:
        """Return whether requests for predictions can be answered, and what was looked at, in words."""
        checks = {"state": "draining" if self.draining else "running"}
        for name, model in self.models.items():
            checks[f"model {name}"] = "loading" if model.line_up is None else f"version {model.line_up.champion.label}"
            if model.failure:
                checks[f"release of {name}"] = "cannot be taken in; the log of the service says why"
        trouble = await self._log_state()
        checks["prediction log"] = trouble or "writable"
        ready = not self.draining and not trouble and all(model.line_up is not None for model in self.models.values())
        return ready, checks

    async def _log_state(self) -> str:
        """Return what is the matter with the prediction log, looked at once a second at most."""
        now = time.monotonic()
        if now - self._log_checked_at > _SECONDS_A_CHECK_HOLDS or self._log_trouble:
            try:
                await self.log.check_writable()
                self._log_trouble = ""
            except LogUnavailable:
                self._log_trouble = "cannot be written"
            self._log_checked_at = now
        return self._log_trouble

    def _changed(self, line_up: LineUp | None) -> None:
        """Count a new line-up, or, without one, that one could not be made."""
        if line_up is None:
            self.metrics.reloaded("failed")
            return
        roles = {(line_up.champion.metrics_name, CHAMPION)}
        self.metrics.serves(line_up.champion.metrics_name, CHAMPION, line_up.champion.predictor.model.classes)
        if line_up.challenger is not None:
            role = SHADOW if line_up.shadow else CHALLENGER
            roles.add((line_up.challenger.metrics_name, role))
            self.metrics.serves(line_up.challenger.metrics_name, role, line_up.challenger.predictor.model.classes)
        for version, role in self._roles - roles:
            self.metrics.dropped(version, role)
        self._roles = roles
        self.metrics.reloaded("loaded")
        _LOG.info(
            "%s serves version %s%s", line_up.name, line_up.champion.label,
            "" if line_up.challenger is None else f", beside it version {line_up.challenger.label}",
            extra={"event": "line_up", "model_version": line_up.champion.metrics_name},
        )  # fmt: skip

    async def _gauge(self) -> None:
        """Say once a second how much waits, and what was counted."""
        while True:
            versions = [one for model in self.models.values() if model.line_up for _, one in model.line_up.versions.values()]
            self.metrics.queue(sum(one.batcher.queued_rows for one in versions))
            self.metrics.log_lag(self.log.lag)
            self.metrics.write()
            await asyncio.sleep(_SECONDS_BETWEEN_GAUGES)


def _keep_for_good() -> None:
    """Have the collector of garbage look no more through what was loaded, which is most of it and stays."""
    gc.collect()
    gc.freeze()


async def _ended(task: "asyncio.Task[None]") -> None:
    """End a task."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
