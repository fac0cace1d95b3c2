"""Spans of requests, received by a real server that speaks OTLP."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gristmill.instruments import traces
from gristmill.instruments.traces import Tracing, traced

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ExportTraceServiceRequest]]:
    """Start a collector, name it in the environment, and return what it receives."""
    got: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(traces.ENDPOINT, f"http://127.0.0.1:{server.server_port}")
        yield got
        server.shutdown()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer as the service does."""
    scope["route"] = SimpleNamespace(path="/v1/models/{name}/predict")
    scope["state"]["model_version"] = "churn/3"
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": scope["state"]["trace_id"].encode()})


def asked(application: Any, headers: list[tuple[bytes, bytes]]) -> str:
    """Return the trace id that the application saw."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/models/churn/predict", "headers": headers}
    asyncio.run(application(scope, None, send))
    return str(sent[-1]["body"].decode())


def test_a_request_goes_on_with_the_trace_it_came_with(received: list[ExportTraceServiceRequest]) -> None:
    tracing = Tracing.from_environment("1.2")
    assert tracing is not None
    headers = [(b"traceparent", PARENT.encode()), (b"authorization", b"Bearer hush")]
    assert asked(traced(app, tracing), headers) == "0af7651916cd43dd8448eb211c80319c"
    tracing.close()
    (span,) = received[0].resource_spans[0].scope_spans[0].spans
    assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert (span.parent_span_id.hex(), span.name) == ("b7ad6b7169203331", "POST /v1/models/{name}/predict")
    attributes = {one.key: one.value.int_value or one.value.string_value for one in span.attributes}
    assert attributes["http.response.status_code"] == 201
    assert attributes["gristmill.model_version"] == "churn/3"
    assert b"hush" not in received[0].SerializeToString()


def test_steps_are_spans_within(received: list[ExportTraceServiceRequest]) -> None:
    tracing = Tracing.from_environment()
    assert tracing is not None
    with tracing.request({}, "POST"), tracing.span("predict", {"rows": 3}):
        pass
    tracing.close()
    inner, outer = received[0].resource_spans[0].scope_spans[0].spans
    assert (inner.name, inner.parent_span_id) == ("predict", outer.span_id)


def test_a_broken_traceparent_begins_a_trace(received: list[ExportTraceServiceRequest]) -> None:
    tracing = Tracing.from_environment()
    assert len(asked(traced(app, tracing), [(b"traceparent", b"00-zz")]).strip("0")) > 8
    assert tracing is not None
    tracing.close()
    assert received[0].resource_spans[0].scope_spans[0].spans[0].parent_span_id == b""


def test_without_a_collector_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(traces.ENDPOINT, raising=False)
    assert Tracing.from_environment() is None
    assert traced(app, None) is app
