"""One row asked of the service that is meant: the one that ``GRISTMILL_SERVICE_URL`` names, or the one inside the app."""

from collections.abc import Mapping
from typing import Any

from gristmill.config.case import Case
from gristmill.errors import ArtifactError, LevelError
from gristmill.serving.served.versions import ServedVersion
from gristmill.views.predict.answers import Answer, answer_of
from gristmill.views.predict.embedded import EmbeddedService
from gristmill.views.predict.remote import RemoteService


def ask(service: EmbeddedService, row: Mapping[str, Any], case: Case) -> Answer:
    """Return the answer to a row, which is in the prediction log.

    Parameters
    ----------
    service
        The service inside the app.
    row
        As it stands in JSON; identifiers that are missing are left out.
    case
        The case.

    Raises
    ------
    PredictionRefused
        It is not answered; nothing is shown that is not logged.
    """
    level = possible_level(service.version(), case.app.level)
    ids = service.version().id_columns
    sent = {name: value for name, value in row.items() if value is not None or name not in ids}
    remote = RemoteService.from_environment(case.name, case.app.answer_seconds)
    return answer_of(service.ask(sent, level) if remote is None else remote.ask(sent, level, explain=True), level)


def possible_level(version: ServedVersion, level: float) -> float | None:
    """Return a level if the version can answer sets or intervals at it, else None."""
    try:
        version.predictor.columns_with(level)
    except (LevelError, ArtifactError):
        return None
    return level
