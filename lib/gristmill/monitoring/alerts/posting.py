"""Hands alerts to an Alertmanager, which groups, silences and routes them."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from gristmill.errors import StateError

SECONDS = 10.0


def post(url: str, alerts: Sequence[dict[str, Any]]) -> None:
    """Give alerts to the Alertmanager at ``url``, by version 2 of its API.

    Raises
    ------
    StateError
        It does not answer, or refuses them.
    """
    request = urllib.request.Request(  # noqa: S310 - the user's own URL
        f"{url.rstrip('/')}/api/v2/alerts", json.dumps(list(alerts)).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise StateError(f"The Alertmanager at {url} did not take {len(alerts)} alerts: {error}. Is it running there?") from error
