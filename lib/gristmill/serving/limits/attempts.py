"""What wrong keys cost: an address that sends too many is not listened to for a while.

Keys that an address has used before go on working from there, so that one caller with a wrong key does not shut out the others
behind the same address; a key that is new to it is not even looked at, so that guessing does not go on.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from gristmill.serving.keys.tokens import id_of
from gristmill.serving.limits.buckets import Buckets

MOST_REMEMBERED = 10_000


class Attempts:
    """Wrong keys by address.

    Parameters
    ----------
    per_minute
        Wrong keys a minute that an address may send.
    clock
        Monotonic, in seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60.0
        self._wrong = Buckets(burst_seconds=60.0, most=MOST_REMEMBERED, clock=clock)
        self._right: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wait(self, address: str, token: str) -> float:
        """Return the seconds for which this address is not listened to, 0 if it is."""
        seconds = self._wrong.wait(address, self._rate)
        return 0.0 if seconds == 0.0 or (address, id_of(token) or "") in self._right else seconds

    def note_wrong(self, address: str) -> None:
        """Count a wrong key, or none, from an address."""
        self._wrong.take(address, self._rate)

    def note_right(self, address: str, identity: str) -> None:
        """Remember that a valid key came from an address."""
        if (address, identity) not in self._right:
            self._right[address, identity] = None
            if len(self._right) > MOST_REMEMBERED:
                self._right.popitem(last=False)


def address_of(client: tuple[str, int] | None) -> str:
    """Return the address that a client counts by: all of IPv4, the network of IPv6 that one customer gets (64 bits)."""
    host = client[0] if client else ""
    if ":" not in host:
        return host
    try:
        return str(ipaddress.ip_network((host.partition("%")[0], 64), strict=False))
    except ValueError:
        return host
