"""How the verdict of a gate is written, the same in notebooks, in figures and on the pages."""

import re
from collections.abc import Mapping
from typing import Any

from gristmill.reporting.wording import apart, metric_label

_COMPARISON = re.compile(r": [^:]*(>=|<=)[^:]*$")
"""How a gate's message ends: the value, and the limit it was compared with."""

_SIGNS = {">=": "\u2265 ", "<=": "\u2264 "}


def gate_words(gate: Mapping[str, Any]) -> dict[str, str]:
    """Return a gate's ``name``, ``value``, ``limit`` (with its direction, where the message tells it) and ``note`` in words."""
    message = str(gate.get("message") or "")
    compared = _COMPARISON.search(message)
    value, limit = apart(gate.get("value"), gate.get("limit"))
    return {
        "name": metric_label(str(gate.get("name", ""))),
        "value": value,
        "limit": (_SIGNS[compared.group(1)] if compared else "") + limit,
        "note": message[: compared.start()] if compared else message,
    }
