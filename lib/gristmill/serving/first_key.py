"""The key that a new project begins with, so that its owner gets from a start to an answer without a third command."""

import fcntl
import time
from pathlib import Path

from gristmill.paths import ProjectPaths
from gristmill.serving.keys.key import SCOPES
from gristmill.serving.keys.store import KeyStore

NAME = "first key"
LIFETIME = 90 * 86_400.0
"""Seconds: it is made for a beginning, and allows everything."""


def first_key(root: Path) -> str | None:
    """Return the token of a new key that allows everything, if the project has none that is valid; else None.

    Of several processes that ask at once, one gets it.

    Raises
    ------
    StateError
        The state database does not answer.
    """
    state = ProjectPaths(root).state
    state.mkdir(parents=True, exist_ok=True)
    store = KeyStore(root)
    with (state / ".first-key.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        now = time.time()
        if any(one.state(now) == "valid" for one in store.all()):
            return None
        return store.create(NAME, SCOPES, LIFETIME)[0]
