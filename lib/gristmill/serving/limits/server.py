"""The settings of uvicorn that belong to the limits."""

from collections.abc import Callable
from functools import partial
from typing import Any

from gristmill.config.sections.operation import Serving


def settings(serving: Serving, refused: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Return the arguments of ``uvicorn.Config`` that keep what the case file says.

    Without ``refused`` they can be pickled, for workers that are spawned.

    Parameters
    ----------
    serving
        The section of the case file.
    refused
        Told the kind of what is refused before it is a request: too many connections, headers that are too large or too slow, and
        what is not HTTP.
    """
    from gristmill.serving.limits.protocol import LimitedProtocol  # noqa: PLC0415 - uvicorn, for those who serve
    from gristmill.serving.limits.room import Room  # noqa: PLC0415

    limits = serving.limits
    room = Room(limits.connections, limits.share_of_an_address)
    proxies = list(limits.trusted_proxies)
    return {
        "http": partial(LimitedProtocol, limits=limits, room=room, refused=refused),
        "ws": "none",
        "timeout_keep_alive": limits.idle_seconds,
        "limit_concurrency": None,  # the protocol counts connections, and says what is the matter
        "backlog": limits.backlog,
        "h11_max_incomplete_event_size": limits.header_bytes,
        "server_header": False,
        "date_header": True,
        "access_log": False,
        "proxy_headers": bool(proxies),
        "forwarded_allow_ips": proxies,
    }
