"""Which requests there are: what the table does not name does not exist, and what it names needs the key it says."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from gristmill.serving.keys.key import ANY, SCOPES
from gristmill.serving.problems import ProblemError

PARAMETER = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
"""What may stand for a ``{name}`` in a path: no dots at its beginning, no slash, no escape."""

Body = Literal["required", "optional", "none"]
_BODILESS = ("GET", "HEAD")


@dataclass(frozen=True)
class Route:
    """One kind of request.

    Attributes
    ----------
    method
        ``GET`` (which also answers ``HEAD``), ``POST``, ``PUT`` or ``DELETE``.
    path
        Such as ``/v1/models/{name}/predict``.
    scope
        What the key must allow: one of :data:`gristmill.serving.keys.key.SCOPES`, ``any`` for every valid key, None for none at
        all, which is for health alone.
    body
        Whether a JSON body must be there; ``none`` is implied for GET, and what is sent is not read.
    """

    method: str
    path: str
    scope: str | None
    body: Body = "required"

    def __post_init__(self) -> None:
        """Refuse a scope that no key can have: such a route would be closed for ever, or a slip of the pen."""
        if self.scope is not None and self.scope not in (*SCOPES, ANY):
            raise ValueError(
                f"Expected one of {', '.join((*SCOPES, ANY))}, or None, as the scope of {self.path}, got {self.scope!r}"
            )

    @property
    def takes_body(self) -> bool:
        """Whether a body is read."""
        return self.method not in _BODILESS and self.body != "none"


@dataclass(frozen=True)
class RouteTable:
    """All requests that there are.

    Attributes
    ----------
    routes
        In any order; a path without parameters goes before one with them.
    """

    routes: tuple[Route, ...]
    _plain: dict[str, dict[str, Route]] = field(init=False, repr=False, compare=False)
    _patterns: list[tuple[re.Pattern[str], dict[str, Route]]] = field(init=False, repr=False, compare=False)

    def __init__(self, routes: Iterable[Route]) -> None:
        object.__setattr__(self, "routes", tuple(routes))
        by_path: dict[str, dict[str, Route]] = {}
        for route in self.routes:
            by_path.setdefault(route.path, {})[route.method] = route
            if route.method == "GET":
                by_path[route.path].setdefault("HEAD", route)
        object.__setattr__(self, "_plain", {path: methods for path, methods in by_path.items() if "{" not in path})
        patterns = [(_pattern(path), methods) for path, methods in by_path.items() if "{" in path]
        object.__setattr__(self, "_patterns", patterns)

    def find(self, method: str, path: str) -> Route:
        """Return the route of a request.

        Raises
        ------
        ProblemError
            There is no such path (404), or it has no such method (405, with ``Allow``).
        """
        methods = self._plain.get(path) or self._matching(path)
        if methods is None:
            raise ProblemError(404, "Not Found", "There is nothing at this path. /openapi.json lists what there is.")
        route = methods.get(method)
        if route is None:
            allowed = ", ".join(sorted(methods))
            raise ProblemError(
                405, "Method Not Allowed", f"This path takes {allowed}; other methods, OPTIONS among them, do nothing.",
                headers={"Allow": allowed},
            )  # fmt: skip
        return route

    def _matching(self, path: str) -> dict[str, Route] | None:
        """Return the methods of the first path with parameters that this is one of."""
        for pattern, methods in self._patterns:
            if pattern.fullmatch(path):
                return methods
        return None


def _pattern(path: str) -> re.Pattern[str]:
    """Return the expression of the paths that a path with parameters stands for."""
    return re.compile("".join(PARAMETER if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path)))
