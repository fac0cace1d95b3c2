"""Small registered versions, crashes at any step of a command that moves a release, and what must hold after each."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from gristmill import state_database, state_postgres, tracking
from gristmill.modeling.artifact.model_directory import digest_of, write_manifest
from gristmill.registry import aliases, promotion, releases, versions
from gristmill.tracking_store import EmbeddedStore

GOOD = ({"name": "roc_auc", "group": "training", "passed": True, "value": 0.8, "limit": 0.7},)
UNFAIR = (*GOOD, {"name": "disparate_impact", "group": "deployment", "passed": False, "value": 0.4, "limit": 0.8})
LOST = (*GOOD, {"name": "not_worse_than_champion", "group": "deployment", "passed": False, "value": -0.1, "limit": -0.01})
UNKNOWN = {"name": "not_worse_than_champion", "group": "deployment", "passed": False, "value": None, "limit": 0.0}
UNTOLD = (*GOOD, UNKNOWN)
INCOMPARABLE = (*GOOD, {**UNKNOWN, "incomparable": True})
MOVES = (releases.ADOPTED, releases.PROMOTED, releases.ROLLED_BACK)


class Crash(BaseException):
    """A process that ends here; nothing may catch it."""


_STORES: list[tuple[bytes, str]] = []


def make_project(root: Path) -> Path:
    """Make an empty project with a tracking store, and return its root.

    MLflow takes seconds to make its tables. The first store of this process is kept, and each later one is a copy that moved.
    """
    root.mkdir(parents=True, exist_ok=True)
    (root / "pipeline.yaml").write_text("tasks: []\n")
    store = EmbeddedStore(root)
    if _STORES:
        content, lay_at = _STORES[0]
        store.folder.mkdir()
        store.database.write_bytes(content)
        (store.folder / ".artifacts").write_text(lay_at, encoding="utf-8")
    tracking.connect(root)
    if not _STORES:
        with closing(sqlite3.connect(store.database)) as connection:
            _STORES.append((connection.serialize(), store.artifacts_uri))
    return root


def add_version(root: Path, model: str, gates: Sequence[dict[str, Any]] = GOOD, content: str = "", **tags: str) -> int:
    """Register a version whose candidate is one file, as a build would, and return its number."""
    client = tracking.connect(root)
    if not client.search_registered_models(f"name = '{model}'"):
        client.create_registered_model(model)
    number = len(client.search_model_versions(f"name = '{model}'")) + 1
    directory = root / "mlruns" / "artifacts" / model / str(number) / "data" / "model"
    directory.mkdir(parents=True)
    (directory / "model.json").write_text(content or f"model {number}")
    candidate = digest_of(write_manifest(directory, model).files, model)
    (directory / "metrics.json").write_text(json.dumps({"gates": list(gates)}))
    manifest = write_manifest(directory, model)
    known = {"gristmill.model_digest": manifest.digest, "gristmill.candidate_digest": candidate}
    source = directory.parent.parent.as_uri()
    return int(client.create_model_version(model, source, tags={**known, **tags}).version)


def model_files(root: Path, model: str, number: int) -> Path:
    """Return the folder in which the registry has the files of a version."""
    found = versions.find_version(model, number, root)
    assert found is not None
    return versions.directory_of(found, root)


@contextmanager
def crashing(at: int | None, crash: Callable[[], None]) -> Iterator[list[str]]:
    """Count every statement of the state database and every change of an alias, and crash before step ``at`` (from 0).

    What is given is the list of the steps that were taken.
    """
    steps: list[str] = []

    def counted(place: Any, name: str) -> Any:
        function = getattr(place, name)

        def call(*values: Any, **named: Any) -> Any:
            if at == len(steps):
                crash()
            words = str(values[1]).split() if name == "execute" else [name]
            steps.append(" ".join(words[:3]))
            return function(*values, **named)

        return patch.object(place, name, call)

    places = [
        (state_database._SqliteSession, "execute"),
        (state_postgres.PostgresSession, "execute"),
        (versions, "set_alias"),
        (versions, "delete_alias"),
        (versions, "directory_of"),
    ]
    with ExitStack() as stack:
        for place, name in places:
            stack.enter_context(counted(place, name))
        yield steps


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    """Leave the command where it is."""
    raise Crash


def check_whole(root: Path, model: str, allowed: set[int | None]) -> int | None:
    """Hold one model against all that must be true at any time, let the next command repair it, and return its champion."""
    release = releases.find(model, root)
    entries = releases.history(model, root)
    moves = [entry for entry in entries if entry.action in MOVES]
    assert release.champion in allowed, (release, allowed)
    last = {entry.alias: entry for entry in moves}
    assert last["champion"].after == release.champion, (release, moves[-1])
    assert moves[-1].token == release.token, "the row and the record are one transaction"
    tokens = [entry.token for entry in moves]
    assert tokens == sorted(tokens), tokens
    repairs = aliases.reconcile(model, root)
    assert not [repair for repair in repairs if repair.by_hand], repairs
    wanted = {alias: version for alias, version in release.versions.items() if version is not None}
    assert versions.known_aliases(model, root) == wanted
    assert aliases.reconcile(model, root) == [], "the second time there is nothing to repair"
    return release.champion


Command = Callable[[], object]


def next_command(root: Path, model: str, turn: int) -> tuple[Command, int]:
    """Return a promotion of another version, or a rollback where there is something to go back to, and the champion it makes."""
    champion = releases.find(model, root).champion
    below = [number for number in promotion.former_champions(releases.history(model, root)) if number != champion]
    if turn % 3 == 2 and below:
        return (lambda: promotion.rollback(model, "it is worse", root=root)), below[-1]
    number = turn % 3 + 1
    if number == champion:
        number = (turn + 1) % 3 + 1
    return (lambda: promotion.promote(model, number, reason="its turn", root=root)), number
