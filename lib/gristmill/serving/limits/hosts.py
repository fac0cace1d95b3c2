"""The names by which the service may be called: a page elsewhere cannot reach it through a name of its own (DNS rebinding)."""

import re
from collections.abc import Iterable

_PORT = re.compile(r":\d{1,5}$")
_NAME = re.compile(r"[a-z0-9_.-]+|\[[0-9a-f:.]+\]")


class Hosts:
    """Names that are allowed, in small letters and without ports; ``*.example.org`` is every name below, ``*`` every name."""

    def __init__(self, names: Iterable[str]) -> None:
        lowered = [name.lower() for name in names]
        self._any = "*" in lowered
        self._names = frozenset(name for name in lowered if "*" not in name)
        self._below = tuple(name[1:] for name in lowered if name.startswith("*."))

    def allow(self, header: str) -> bool:
        """Return whether a ``Host`` header names the service; with or without a port, in capitals or not."""
        name = _PORT.sub("", header.lower())
        if name in self._names:
            return True
        return _NAME.fullmatch(name) is not None and (self._any or name.endswith(self._below))
