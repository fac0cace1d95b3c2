"""The service inside the app: the same versions, checks, guards and prediction log, without a port.

It runs in a thread with an event loop of its own, follows the release as the service does, and writes each prediction down before
it is shown. Loading begins at once and is not waited for, so that a page can say that it is going on.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

from gristmill.config.case import Case
from gristmill.errors import GristmillError, PredictionRefused
from gristmill.instruments.metrics import ServiceMetrics
from gristmill.serving.apart import Apart
from gristmill.serving.api.answering import Answering
from gristmill.serving.api.asked import Asked
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.retention import kept_for
from gristmill.serving.problems import ProblemError
from gristmill.serving.served.serving_model import ServingModel
from gristmill.serving.served.traffic import LineUp
from gristmill.serving.served.versions import ServedVersion
from gristmill.views.predict.answers import refusal

KEY_ID = "app"
"""In the prediction log, where the id of a key stands: nobody has a key to this service."""

Made = TypeVar("Made")

_LOG = logging.getLogger(__name__)


class EmbeddedService:
    """The service of a case in this process.

    Parameters
    ----------
    root
        The project.
    case
        The case.

    Attributes
    ----------
    failure
        Why it cannot answer, as a sentence; empty while it loads, and when it is ready.
    """

    def __init__(self, root: Path, case: Case) -> None:
        self._root, self._case = root, case
        self.failure = ""
        self._model: ServingModel | None = None
        self._answering: Answering | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settled, self._closing = Event(), asyncio.Event()
        self._began = time.monotonic()
        self._thread = Thread(target=self._run, name=f"app-{case.name}", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self._settled.is_set() and not self.failure

    @property
    def loading(self) -> bool:
        """Whether it is neither ready nor has failed; it has failed if it takes longer than the case allows."""
        if self._settled.is_set():
            return False
        if time.monotonic() - self._began > self._case.app.start_seconds:
            self.failure = f"The model was not loaded within {self._case.app.start_seconds:g} s (`app.start_seconds`). Try again."
            return False
        return True

    def settled(self, seconds: float) -> bool:
        """Wait until it is ready or has failed, and return whether it did in time."""
        return self._settled.wait(seconds)

    @property
    def line_up(self) -> LineUp:
        """The versions that serve now.

        Raises
        ------
        PredictionRefused
            It is not ready.
        """
        if self._model is None or self._model.line_up is None:
            raise PredictionRefused(self.failure or "The model is being loaded. Try again in a few seconds.")
        return self._model.line_up

    def version(self, label: str | None = None) -> ServedVersion:
        """Return the version in production, or the one that is named where it serves as well."""
        line_up = self.line_up
        found = None if label is None or not label.isdigit() else line_up.versions.get(int(label))
        return line_up.champion if found is None else found[1]

    def ask(self, row: Mapping[str, Any], level: float | None) -> dict[str, Any]:
        """Return the body of an answer to one row, which is in the prediction log.

        Parameters
        ----------
        row
            As it stands in JSON.
        level
            Of the set or interval, None without.

        Raises
        ------
        PredictionRefused
            The row is not what the contract has, the guards refuse it, or the log cannot be written.
        """
        answering, name = self._answering, self.line_up.name
        if answering is None:
            raise PredictionRefused(self.failure)
        asked = Asked(name, None, [dict(row)], explain=False, interval=level, sticky=None, request_id=str(uuid.uuid4()),
                      key_id=KEY_ID, began=time.perf_counter())  # fmt: skip
        try:
            return self._wait(answering.answer(asked, _for_ever))
        except ProblemError as error:
            raise PredictionRefused(refusal(error.detail, error.more)) from error

    def close(self) -> None:
        """End it: what waits for the log is written first."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join(self._case.app.answer_seconds)

    def _wait(self, coroutine: Coroutine[Any, Any, Made]) -> Made:
        if self._loop is None or not self._thread.is_alive():
            coroutine.close()
            raise PredictionRefused("The app is being stopped.")
        future: Future[Made] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(self._case.app.answer_seconds)
        except TimeoutError as error:
            future.cancel()
            raise PredictionRefused(
                f"There was no answer within {self._case.app.answer_seconds:g} s (`app.answer_seconds`). Try again."
            ) from error

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(self._serve())
        except GristmillError as error:
            self.failure = str(error)
        except Exception as error:  # noqa: BLE001 - a disk that is gone, a bug: without this the page would wait for ever
            _LOG.exception("the service inside the app ended")
            self.failure = (
                f"The model could not be served ({type(error).__name__}). The log of the app, where it was started, says why."
            )
        finally:
            self._settled.set()

    async def _serve(self) -> None:
        name, serving = self._case.name, self._case.serving
        keep = {name: kept_for(self._case.compliance.log_retention)}
        model, apart = ServingModel(self._root, name, serving), Apart(serving.batching.inline_ms)
        try:
            async with PredictionLog(self._root, LogLimits.of_case(serving.log), keep=keep) as log:
                await model.start()
                async with model.kept_fresh():
                    self._answering = Answering({name: model}, log, ServiceMetrics(), apart)
                    self._model = model
                    self._settled.set()
                    await self._closing.wait()
                    await self._answering.shadows.settled()
                    self._answering.explaining.close()
        finally:
            apart.close()
            model.close()


async def _for_ever() -> None:
    """Return when the caller has gone, which nobody here does."""
    await asyncio.Event().wait()
