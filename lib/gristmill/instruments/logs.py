"""Structured logs: one JSON object a line, ready for Loki or Elasticsearch.

A line holds what :data:`FIELDS` names and nothing else, so that no header, body or key gets into it by accident; what has the form
of a secret is taken out of the rest (:mod:`gristmill.instruments.secrets_in_text`).
"""

import logging
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TextIO

from gristmill.errors import InstrumentError
from gristmill.instruments.json_writing import writer
from gristmill.instruments.secrets_in_text import without_secrets

FIELDS = (
    "event", "request_id", "trace_id", "model_version", "route", "method", "status", "duration_ms", "rows", "key_id", "kind",
    "outcome",
)  # fmt: skip
"""What a line may say besides its time, level, logger and message; passed as ``extra`` of a logging call."""

LEVELS = ("debug", "info", "warning", "error")

REQUESTS = logging.getLogger("gristmill.requests")
"""Logger of the one line that each request leaves."""

_LONGEST_TEXT = 4_096
_ENCODE = writer(ensure_ascii=False, allow_nan=True, default=str)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: ``time`` in UTC, ``level``, ``logger``, ``message``, the fields it has, ``traceback`` of an error."""
        given = record.__dict__
        line: dict[str, object] = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_LONGEST_TEXT],
        }
        for name in FIELDS:
            if name in given:
                line[name] = given[name]
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return without_secrets(_ENCODE(line))


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process to ``stream`` as lines of JSON; what was set up before is replaced.

    Parameters
    ----------
    level
        One of :data:`LEVELS`; less is not written.
    stream
        Standard error when omitted.

    Raises
    ------
    InstrumentError
        The level is none.
    """
    if level not in LEVELS:
        raise InstrumentError(f"Expected one of {', '.join(LEVELS)} as level of the log, got {level!r}.")
    handler = _Lines(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # their own handlers would write a second line in another form
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], name != "uvicorn.access"  # the access log knows neither version nor key id


def log_request(fields: Mapping[str, object]) -> None:
    """Write the line of an answered request.

    Parameters
    ----------
    fields
        Some of :data:`FIELDS`; others are left out. ``duration_ms`` is in milliseconds, ``key_id`` names the key and is not it.
    """
    if not REQUESTS.isEnabledFor(logging.INFO):
        return
    handlers = _ROOT.handlers
    if len(handlers) == 1 and type(handlers[0]) is _Lines and not REQUESTS.handlers:
        handlers[0].request(fields)
        return
    record = logging.LogRecord(REQUESTS.name, logging.INFO, "", 0, "request", None, None)  # where it was written tells nothing
    for name in FIELDS:
        if name in fields:
            record.__dict__[name] = fields[name]
    REQUESTS.handle(record)


class _Lines(logging.StreamHandler[TextIO]):
    """Writes records; and the line of a request without making a record first, which costs three times as much as its text."""

    def request(self, fields: Mapping[str, object]) -> None:
        """Write the line of an answered request, as :class:`JsonLines` would."""
        now = time.time()
        line: dict[str, object] = {
            "time": f"{_second(int(now))}.{int(now * 1000) % 1000:03d}Z", "level": "info",
            "logger": REQUESTS.name, "message": "request",
        }  # fmt: skip
        for name in FIELDS:
            if name in fields:
                line[name] = fields[name]
        text = without_secrets(_ENCODE(line))
        try:
            with self.lock or nullcontext():
                self.stream.write(text + self.terminator)
                self.stream.flush()
        except (OSError, ValueError):  # a disk that is full, or a stream that is closed, must fail no request
            self.dropped += 1

    dropped = 0
    """Lines of requests that could not be written."""


_ROOT = logging.getLogger()
_last_second: tuple[int, str] = (0, "")


def _second(moment: int) -> str:
    """Return a second of Unix time as text, which all lines of one second share."""
    global _last_second  # noqa: PLW0603 - a tuple is replaced whole, whichever thread comes first
    known, text = _last_second
    if known != moment:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
        _last_second = (moment, text)
    return text
