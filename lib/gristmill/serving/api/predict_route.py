"""The route for predictions: thin, and outside FastAPI's machinery, which would cost more than the prediction.

It is one of FastAPI's routes all the same, and documented in ``/openapi.json`` from the data contract.
"""

import json
import time
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from gristmill.serving.api.answering import Answering
from gristmill.serving.api.asked import Asked, options_of, rows_of, sticky_of, version_of

_HEAD, _TAIL, _VERSIONS = "/v1/models/", "/predict", "/versions/"

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class PredictRoute(BaseRoute):
    """Answers ``POST /v1/models/{name}/predict`` and ``POST /v1/models/{name}/versions/{version}/predict``.

    Parameters
    ----------
    answering
        Answers requests for predictions.
    """

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a request is one for predictions."""
        path = scope["path"]
        if scope["type"] == "http" and scope["method"] == "POST" and path.startswith(_HEAD) and path.endswith(_TAIL):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; raises ``ProblemError`` where it cannot be."""
        asked = asked_of(scope)
        body = await self._answering.answer(asked)
        scope["state"]["model_version"] = f"{body['model']['name']}/{body['model']['version']}"
        scope["state"]["rows"] = len(asked.rows)
        await Response(_encode(body).encode(), 200, media_type="application/json")(scope, receive, send)


def asked_of(scope: Scope) -> Asked:
    """Return what a request asks.

    Raises
    ------
    ProblemError
        It is not put as it should be.
    """
    state: dict[str, Any] = scope["state"]
    name, _, version = scope["path"][len(_HEAD) : -len(_TAIL)].partition(_VERSIONS)
    explain, interval = options_of(scope["query_string"])
    return Asked(
        name=name,
        version=version_of(version) if version else None,
        rows=rows_of(state["json"]),
        explain=explain,
        interval=interval,
        sticky=sticky_of(scope["headers"]),
        request_id=state["request_id"],
        key_id=state["key"].id,
        began=state.get("began") or time.perf_counter(),
    )
