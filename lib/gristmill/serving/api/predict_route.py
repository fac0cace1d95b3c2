"""The route for predictions: thin, and in front of FastAPI, whose machinery costs more than a prediction.

What it takes and answers is in ``/openapi.json`` like everything else, from the data contract.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any

from gristmill.instruments.json_writing import writer
from gristmill.serving.apart import Apart
from gristmill.serving.api.answering import Answering
from gristmill.serving.api.asked import Asked, options_of, rows_of, sticky_of, version_of
from gristmill.serving.api.routes import PREDICT_PATH, PREDICT_VERSION_PATH

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEAD, _TAIL, _VERSIONS = "/v1/models/", "/predict", "/versions/"
_PATHS = frozenset({PREDICT_PATH, PREDICT_VERSION_PATH})

_encode = writer(ensure_ascii=False)


class PredictionsFirst:
    """An ASGI application that answers requests for predictions, and hands all others on.

    Parameters
    ----------
    answering
        Answers requests for predictions.
    others
        Answers the others.
    apart
        Where long answers are written.
    """

    def __init__(self, answering: Answering, others: App, apart: Apart) -> None:
        self._answering, self._others, self._apart = answering, others, apart

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; raises ``ProblemError``, which the entrance makes a document of, where it cannot be."""
        if scope["type"] == "http" and scope["state"]["route"].path in _PATHS:
            scope["route"] = scope["state"]["route"]  # as FastAPI does, for the traces
            await self._predict(scope, receive, send)
        else:
            await self._others(scope, receive, send)

    async def _predict(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = asked_of(scope)
        body = await self._answering.answer(asked, partial(_gone, receive))
        state = scope["state"]
        state["model_version"], state["rows"] = f"{body['model']['name']}/{body['model']['version']}", len(asked.rows)
        large = len(asked.rows) > self._apart.few_rows
        content = await self._apart.run(_written, body) if large else _written(body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode("ascii"))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def _written(body: dict[str, Any]) -> bytes:
    """Return an answer as it goes out."""
    return _encode(body).encode()


async def _gone(receive: Receive) -> None:
    """Return when the caller has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


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
        began=state["began"],
    )
