"""From rows to an answer that is in the log: choose a version, check, predict, remember, say (R34, R43).

The order is the promise: an answer leaves when its predictions are durable, and not before.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from gristmill.errors import DataError, LogUnavailable, QueueFullError
from gristmill.instruments.metrics import ServiceMetrics
from gristmill.metrics.scores import Floats
from gristmill.serving.apart import Apart
from gristmill.serving.api import extras
from gristmill.serving.api.asked import Asked
from gristmill.serving.api.explaining import Explaining, Gone
from gristmill.serving.api.refusals import RETRY_SOON, bad_rows, log_unavailable, not_served, too_busy
from gristmill.serving.api.saying import Said, body_of, records_of, said
from gristmill.serving.api.shadows import Shadows
from gristmill.serving.guards.guard import RowWarning
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.records import Role
from gristmill.serving.prediction_log.rows import EncodedRecords, encoded
from gristmill.serving.problems import ProblemError
from gristmill.serving.served.serving_model import ServingModel
from gristmill.serving.served.traffic import CHAMPION, LineUp, sticky_key
from gristmill.serving.served.versions import ServedVersion

Rows = Sequence[Mapping[str, Any]]


class Answering:
    """Answers requests for predictions.

    Parameters
    ----------
    models
        The models in service, by name.
    log
        Where predictions are durable before they are answered.
    metrics
        What is counted.
    apart
        Where requests of many rows are worked at.
    explaining
        The thread for explanations; one of its own, with the settings of the first model, when omitted.
    """

    def __init__(
        self,
        models: Mapping[str, ServingModel],
        log: PredictionLog,
        metrics: ServiceMetrics,
        apart: Apart,
        explaining: Explaining | None = None,
    ) -> None:
        self._models, self._log, self._metrics, self._apart = models, log, metrics, apart
        self.shadows = Shadows(log, metrics, apart)
        serving = next(iter(models.values())).serving
        self.explaining = explaining or Explaining(serving.waiting_explanations, serving.explanation_seconds)

    def line_up(self, name: str) -> LineUp:
        """Return the versions of a model that serve now; whoever took them keeps them to the end of the request.

        Raises
        ------
        ProblemError
            There is no such model (404), or it is not loaded yet (503).
        """
        model = self._models.get(name)
        if model is None:
            raise not_served(self._models)
        if model.line_up is None:
            raise ProblemError(503, "Not Ready", "The model is being loaded.", headers=RETRY_SOON)
        return model.line_up

    async def answer(self, asked: Asked, gone: Gone) -> dict[str, Any]:
        """Return the answer to a request, which is in the log.

        Parameters
        ----------
        asked
            The request.
        gone
            Returns when the caller has gone; it is waited for only while an explanation is.

        Raises
        ------
        ProblemError
            The model or version does not serve (404), rows or options are wrong (422), or too much waits, or the log cannot be
            written (503).
        Disconnected
            The caller went away before the explanation was there.
        """
        line_up = self.line_up(asked.name)
        role, version = _chosen(line_up, asked)
        many = len(asked.rows) > self._apart.few_rows
        warnings = await self._apart.run(_checked, version, asked.rows) if many else _checked(version, asked.rows)
        if asked.interval is not None:
            extras.require_level(version, asked.interval)
        if asked.explain:
            extras.require_few(asked.rows, self._models[asked.name].serving.explained_rows)
        values = await self._values(version, asked.rows)
        if many:
            made, body = await self._apart.run(_worded, version, role, asked, values, warnings)
        else:
            made, body = _worded(version, role, asked, values, warnings)
        if asked.explain:
            body |= await self.explaining.within(extras.explanations(version, asked.rows, self.explaining), gone)
        await self._keep(made, asked)
        if line_up.in_shadow is not None and role == CHAMPION:
            self.shadows.follow(line_up.in_shadow, asked, made.ids)
        return body

    async def _values(self, version: ServedVersion, rows: Rows) -> Floats:
        """Return what a version says of rows that were checked."""
        try:
            values, hits = await version.values(rows)
        except QueueFullError as error:
            raise too_busy(str(error)) from error
        except DataError as error:  # its message may hold a value, which is nobody's to repeat
            raise ProblemError(
                422, "Rows Not Understood", "A row holds a value that the model cannot read, such as a date that no calendar has."
            ) from error
        if version.cache is not None:
            self._metrics.cache(hits, len(rows) - hits)
        return values

    async def _keep(self, made: Said, asked: Asked) -> None:
        """Make predictions durable, and count them."""
        try:
            if len(made.rows) > self._apart.few_rows:
                await self._log.write(await self._apart.run(_encoded, made, asked))
            else:
                await self._log.write(_encoded(made, asked))
        except LogUnavailable as error:
            raise log_unavailable() from error
        named = made.version.metrics_name
        classes = None if made.confidences is None else made.predictions
        self._metrics.predictions(named, classes, made.confidences, time.perf_counter() - asked.began, len(made.rows))
        for row in made.warnings:
            for one in row:
                self._metrics.flagged(one.code)


def _checked(version: ServedVersion, rows: Rows) -> list[list[RowWarning]]:
    """Return what is to be known about each row, once none has a fault and the case has nothing against them."""
    faults, total = version.checker.faults(rows)
    if total:
        raise bad_rows(faults, total)
    warnings = version.warnings(rows)
    if version.guard is not None:
        version.guard.require(warnings)
    return warnings


def _worded(
    version: ServedVersion, role: Role, asked: Asked, values: Floats, warnings: Sequence[Sequence[RowWarning]]
) -> tuple[Said, dict[str, Any]]:
    """Return what a version says of rows, and the answer that tells it, with sets or intervals where they are asked for."""
    made = said(version, role, asked, values, warnings)
    body = body_of(made, asked)
    if asked.interval is not None:
        body |= extras.ranges(version, values, asked.interval)
    return made, body


def _encoded(made: Said, asked: Asked) -> EncodedRecords:
    """Return predictions as they go into the log."""
    return encoded(records_of(made, asked, time.time()))


def _chosen(line_up: LineUp, asked: Asked) -> tuple[Role, ServedVersion]:
    """Return the role and the version that answers a request."""
    if asked.version is not None:
        found = line_up.versions.get(asked.version)
        if found is None:
            serving = ", ".join(map(str, line_up.versions))
            raise ProblemError(404, "Not Found", f"This version does not serve; of this model, these do: {serving}.")
        return found
    if not line_up.splits:
        return CHAMPION, line_up.champion
    rows = [row for row in asked.rows[:1] if isinstance(row, dict)]
    return line_up.answering(sticky_key(asked.sticky, rows, line_up.champion.id_columns, asked.request_id))
