"""The application: thin routes on FastAPI, behind the entrance, watched by the instruments."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gristmill.instruments.logs import log_request
from gristmill.instruments.traces import traced
from gristmill.serving.api import admin, feedback, health, models
from gristmill.serving.api.openapi import document
from gristmill.serving.api.predict_route import PredictionsFirst
from gristmill.serving.api.routes import TABLE
from gristmill.serving.api.service import Service
from gristmill.serving.limits.entrance import guarded
from gristmill.serving.problems import ProblemError, problem

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


GONE = 499
"""Status in metrics and log of a request whose caller went away before the answer; no answer has it."""


def create_app(service: Service) -> App:
    """Return the ASGI application of a service, with everything that a request passes before and after it.

    Parameters
    ----------
    service
        The parts; somebody has to have entered ``service.running()``.
    """
    app = PredictionsFirst(service.answering, routes_of(service), service.apart)
    entrance = guarded(app, TABLE, service.ring, service.serving, service.workers, service.apart)
    return watched(traced(entrance, service.tracing), service)


def routes_of(service: Service) -> FastAPI:
    """Return the FastAPI application of all routes but those for predictions; the entrance has put what it read into the state."""
    app = FastAPI(
        title=f"Gristmill: {service.name}", version="1", openapi_url=None, docs_url=None, redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        description="Predictions, each in the log before it is answered. Errors are problem documents (RFC 9457).",
    )  # fmt: skip
    for module in (health, models, feedback, admin):
        app.include_router(module.router(service))
    app.add_exception_handler(ProblemError, _refused)
    app.add_exception_handler(HTTPException, _not_there)

    @app.get("/openapi.json", tags=["health"], summary="This document")
    async def openapi() -> dict[str, Any]:
        return document(app, service.models)

    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - what it is registered for
    request.scope["state"]["refused"] = error.kind
    return error.response(request_id=request.scope["state"]["request_id"])


async def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    request.scope["state"]["refused"] = "not_found"
    return problem(error.status_code, "", "There is nothing at this path.", request_id=request.scope["state"]["request_id"])


def watched(app: App, service: Service) -> App:
    """Return an application whose requests are counted, timed, and leave a line in the log."""
    metrics = service.metrics

    async def with_instruments(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        state: dict[str, Any] = scope.setdefault("state", {})
        state["began"] = began

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        metrics.begun()
        try:
            await app(scope, receive, note)
        finally:
            metrics.ended()
            seconds = time.perf_counter() - began
            route, key = state.get("route"), state.get("key")
            path = None if route is None else route.path
            status = status or GONE
            metrics.request(path, scope["method"], status, seconds)
            if "refused" in state:
                metrics.error(state["refused"])
            line = {
                "event": "request", "request_id": state.get("request_id"), "method": scope["method"], "route": path,
                "status": status, "duration_ms": round(seconds * 1000, 3),
            }  # fmt: skip
            if key is not None:
                line["key_id"] = key.id
            for name in ("trace_id", "model_version", "rows"):
                if name in state:
                    line[name] = state[name]
            log_request(line)

    return with_instruments
