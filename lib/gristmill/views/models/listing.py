"""The versions of a case's model, read by a process of its own: MLflow takes seconds to load, and no page should have to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gristmill.registry import releases
from gristmill.reporting.wording import moment
from gristmill.serving.served.registry_process import ask

MOST_VERSIONS = 20
"""Versions that a page shows; older ones are in MLflow."""


@dataclass(frozen=True)
class Version:
    """One registered version.

    Attributes
    ----------
    number
        Of the version.
    created
        When it was registered, as people write it; empty where that is not known.
    aliases
        What it is: ``champion``, ``challenger``, ``staging``, or nothing.
    metrics
        What its ``metrics.json`` says.
    tags
        Its tags in the registry.
    run_id
        MLflow's run.
    card
        File of its card as a page; None if it has none.
    directory, digest
        Where its files lie, and the digest that they have to have.
    problem
        Why its files are not what was registered; empty if they are.
    """

    number: int
    created: str
    aliases: tuple[str, ...]
    metrics: Mapping[str, Any]
    tags: Mapping[str, str]
    run_id: str
    card: Path | None
    directory: Path
    digest: str | None
    problem: str = ""

    @property
    def gates(self) -> list[Mapping[str, Any]]:
        """The measured gates."""
        return list(self.metrics.get("gates") or [])

    @property
    def failed(self) -> list[Mapping[str, Any]]:
        """The gates that failed."""
        return [gate for gate in self.gates if gate.get("passed") is not True]

    @property
    def title(self) -> str:
        """What it is called in a chooser."""
        held = f" ({', '.join(self.aliases)})" if self.aliases else ""
        return f"Version {self.number}{held}"


def read_versions(root: Path, model: str, most: int = MOST_VERSIONS) -> list[Version]:
    """Return the latest versions of a model, the newest first.

    Raises
    ------
    RegistryError, StateError
        The registry or the state database does not answer.
    """
    answer = asyncio.run(ask(root, {"what": "list", "model": model, "most": most}))
    return [_version(one) for one in answer["versions"]]


def mark(root: Path, model: str) -> tuple[int, float]:
    """Return what changes whenever :func:`read_versions` would say something else, without asking MLflow.

    It is the token of the release row and, of an embedded registry, when its database was last written; a registry on a server
    tells nobody, so that what was read of it goes stale by itself.
    """
    files = [root / "mlruns" / name for name in ("mlflow.db", "mlflow.db-wal")]
    return releases.find(model, root).token, max((one.stat().st_mtime for one in files if one.is_file()), default=0.0)


def _version(record: Mapping[str, Any]) -> Version:
    """Return a version from the registry's answer."""
    created = record["created"]
    return Version(
        number=int(record["version"]),
        created="" if created is None else moment(datetime.fromtimestamp(created, UTC).isoformat()),
        aliases=tuple(record["aliases"]),
        metrics=record["metrics"],
        tags=record["tags"],
        run_id=record["run_id"] or "",
        card=Path(record["card"]) if record["card"] else None,
        directory=Path(record["directory"]),
        digest=record["digest"],
        problem=record["problem"],
    )
