"""The keys of a running service: in memory, fresh to about a second, and good for a while without their database.

- A key that is made or revoked counts within ``refresh_seconds``.
- While the state database does not answer, the keys last seen go on working, for ``trusted_seconds``; then every request that needs
  one is refused (503), because nobody can tell whether it was revoked meanwhile.
- A clock that is set back revives no key that this process has seen expire (:mod:`gristmill.serving.keys.clock`).
"""

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from gristmill.errors import StateError
from gristmill.serving.keys.clock import SteadyClock
from gristmill.serving.keys.key import Key, KeyRefused, KeysUnavailable
from gristmill.serving.keys.store import KeyStore, StoredKey
from gristmill.serving.keys.tokens import hash_of, id_of

_log = logging.getLogger(__name__)
_NOBODY = "0" * 64
"""Compared with when there is no such key, so that this takes as long."""

REFUSAL = "Expected a valid key in `Authorization: Bearer KEY`: this one is unknown, expired or revoked."


class KeyRing:
    """The keys of the project at ``root``.

    Parameters
    ----------
    root
        The project, whose state database has the keys.
    refresh_seconds
        How often it is read while :meth:`kept_fresh` is entered.
    trusted_seconds
        How long keys work that could not be read again.
    clock
        Tells what has expired.
    monotonic
        Tells how old the keys are, in seconds.
    """

    def __init__(
        self,
        root: Path,
        *,
        refresh_seconds: float = 1.0,
        trusted_seconds: float = 300.0,
        clock: SteadyClock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = KeyStore(root)
        self._refresh_seconds, self._trusted_seconds = refresh_seconds, trusted_seconds
        self._clock, self._monotonic = clock or SteadyClock(), monotonic
        self._keys: dict[str, StoredKey] = {}
        self._read_at: float | None = None

    @property
    def age(self) -> float:
        """Seconds since the keys were last read; infinite if they never were."""
        return float("inf") if self._read_at is None else self._monotonic() - self._read_at

    def verify(self, token: str) -> Key:
        """Return the key that a token is.

        Raises
        ------
        KeyRefused
            It is none, or unknown, expired or revoked: always in the same words, so that nothing is learnt from them.
        KeysUnavailable
            The database has been away for too long.
        """
        if self.age > self._trusted_seconds:
            raise KeysUnavailable("The keys cannot be checked at present. Try again in a few seconds.")
        identity = id_of(token)
        stored = self._keys.get(identity) if identity is not None else None
        same = hmac.compare_digest(hash_of(token), _NOBODY if stored is None else stored.hash)
        if stored is None or not same or stored.revoked is not None or stored.key.expires <= self._clock.now():
            raise KeyRefused(REFUSAL)
        return stored.key

    def refresh(self) -> None:
        """Read the keys anew.

        Raises
        ------
        StateError
            The database does not answer, or was there and is gone; the keys stay as they were.
        """
        asked = self._monotonic()
        if self._keys and not self._store.exists:
            raise StateError(
                "The state database is gone. Put it back; until then the keys that are known go on working for a while."
            )
        self._keys = {stored.key.id: stored for stored in self._store.all()}
        self._read_at = asked

    @asynccontextmanager
    async def kept_fresh(self) -> AsyncIterator["KeyRing"]:
        """Read the keys now, and again every ``refresh_seconds`` off the event loop, until the block ends.

        A database that does not answer is logged once, and asked again; it stops no service.
        """
        await self._try_once(was_away=False)
        task = asyncio.create_task(self._again_and_again())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _again_and_again(self) -> None:
        away = self._read_at is None
        while True:
            await asyncio.sleep(self._refresh_seconds)
            away = await self._try_once(was_away=away)

    async def _try_once(self, *, was_away: bool) -> bool:
        """Read the keys anew if possible, and return whether the database was away."""
        try:
            await asyncio.to_thread(self.refresh)
        except StateError as error:
            if not was_away:
                _log.warning("The keys could not be read again; those known work for %g s more. %s", self._trusted_seconds, error)
            return True
        if was_away:
            _log.info("The keys were read again.")
        return False
