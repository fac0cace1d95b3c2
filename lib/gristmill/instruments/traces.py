"""Traces of requests for OpenTelemetry, where ``OTEL_EXPORTER_OTLP_ENDPOINT`` names a collector; nothing at all elsewhere.

A request that comes with a ``traceparent`` (W3C Trace Context) continues that trace. Spans are sent in the background; a
collector that does not answer costs spans, never a request.
"""

import importlib.util
import logging
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOG = logging.getLogger(__name__)


class Tracing:
    """What makes spans and sends them.

    Parameters
    ----------
    provider
        OpenTelemetry's provider of tracers.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("gristmill.serving")

    @classmethod
    def from_environment(cls, version: str = "") -> "Tracing | None":
        """Return what the environment asks for: None where no collector is named, or the extra ``tracing`` is not installed.

        Parameters
        ----------
        version
            Version of the service, an attribute of its resource.
        """
        if not os.environ.get(ENDPOINT):
            return None
        if importlib.util.find_spec("opentelemetry") is None or importlib.util.find_spec("opentelemetry.sdk") is None:
            _LOG.warning("%s is set, but the extra `tracing` is not installed, so there are no traces", ENDPOINT)
            return None
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        named = {"service.version": version} | ({} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "gristmill"})
        provider = TracerProvider(resource=Resource.create(named))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Give a span within the one of the request, for a step such as ``predict`` or ``log``."""
        with self._tracer.start_as_current_span(name, attributes=dict(attributes or {})) as span:
            yield span

    @contextmanager
    def request(self, headers: Mapping[str, str], method: str) -> Iterator[Any]:
        """Give the span of a request; ``headers`` may hold the ``traceparent`` that it continues."""
        from opentelemetry.trace import SpanKind  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        before = TraceContextTextMapPropagator().extract(headers)
        attributes = {"http.request.method": method}
        with self._tracer.start_as_current_span(method, before, SpanKind.SERVER, attributes=attributes) as span:
            yield span

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def traced(app: App, tracing: Tracing | None) -> App:
    """Return an ASGI application whose requests leave a span each; ``app`` itself where there is no tracing.

    The trace's id is put into ``scope["state"]["trace_id"]`` for the log. Route, status and, where the application puts it into
    ``scope["state"]["model_version"]``, the model's version become attributes of the span.
    """
    if tracing is None:
        return app

    async def with_span(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"] if name.startswith(b"trace")}
        with tracing.request(headers, scope["method"]) as span:
            state = scope.setdefault("state", {})
            state["trace_id"] = f"{span.get_span_context().trace_id:032x}"

            async def note_status(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await app(scope, receive, note_status)
            _describe(span, scope, state)

    return with_span


def _describe(span: Any, scope: Scope, state: Mapping[str, Any]) -> None:
    """Name a span by its route, which is known once the request was answered."""
    route = getattr(scope.get("route"), "path", None)
    if route:
        span.update_name(f"{scope['method']} {route}")
        span.set_attribute("http.route", route)
    if "model_version" in state:
        span.set_attribute("gristmill.model_version", state["model_version"])
