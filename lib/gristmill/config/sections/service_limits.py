"""What the service takes of a request, a key and an address, before anything else looks at it."""

from typing import Annotated

from pydantic import Field

from gristmill.config.base import Section

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Limits(Section):
    """What the service takes before it refuses. Limits on load are of the whole service; each worker has its share."""

    body_bytes: Annotated[int, Field(ge=1_024)] = Field(
        2_097_152, description="Largest body of a request in bytes, counted as they come (413)."
    )
    body_seconds: Positive = Field(10.0, description="Seconds in which a body has to be here (408).")
    header_seconds: Positive = Field(10.0, description="Seconds in which the headers of a request have to be here (408).")
    idle_seconds: Annotated[int, Field(ge=1)] = Field(
        30, description="Seconds that a connection may be open without a request before it is closed."
    )
    header_bytes: Annotated[int, Field(ge=1_024)] = Field(
        16_384, description="Largest request line and headers together, in bytes (431)."
    )
    headers: Annotated[int, Field(ge=8)] = Field(64, description="Most headers of a request (431).")
    target_bytes: Annotated[int, Field(ge=64)] = Field(2_048, description="Longest path and query of a request, in bytes (414).")
    depth: Annotated[int, Field(ge=3)] = Field(16, description="Deepest nesting of a JSON body (400).")
    number_characters: Annotated[int, Field(ge=20, le=4_000)] = Field(
        64, description="Longest number in a JSON body, in characters (400)."
    )
    rows: Count = Field(1_000, description="Most rows of a request (413).")
    requests_per_second: Positive = Field(
        10_000.0, description="Requests a second of one key, on average (429); a key may have a limit of its own."
    )
    burst_seconds: Positive = Field(1.0, description="Seconds' worth of requests that a key may make at once after a pause.")
    concurrent_requests: Count = Field(
        256, description="Requests in hand at once, from when their body is here; one more is sent away (503)."
    )
    share_of_a_key: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="Share of `concurrent_requests` that one key may have in hand, at least one; one more is sent away (429)."
    )
    connections: Count = Field(1_024, description="Open connections of one worker; one more is sent away (503).")
    share_of_an_address: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5,
        description="Share of `connections` that one address may have open, at least one; one more is sent away (503). Those in "
        "`trusted_proxies` may have all.",
    )
    backlog: Count = Field(2_048, description="Connections that wait to be accepted.")
    refusals_per_minute: Count = Field(
        30, description="Wrong keys a minute from one address, after which only keys that it has used before are looked at (429)."
    )
    key_refresh_seconds: Positive = Field(1.0, description="Seconds after which a revoked key has stopped working, at the latest.")
    keys_trusted_seconds: Positive = Field(
        300.0, description="Seconds that known keys go on working while the state database does not answer (then 503)."
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses of proxies whose `X-Forwarded-For` is believed; none by default."
    )
