"""The versions of a model with what vouches for each: figures, gates, card, lineage; for people who compare them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gristmill.errors import GristmillError
from gristmill.modeling.artifact.model_directory import read_verified
from gristmill.registry import releases, versions
from gristmill.registry.inspection import METRICS, expected_digest
from gristmill.registry.versions import ModelVersion, directory_of

CARD = "card.html"


def listed(model: str, most: int, root: Path | None = None) -> list[dict[str, Any]]:
    """Return the latest versions of a model, the newest first, as JSON-able data.

    Parameters
    ----------
    model
        The registered model; it need not exist.
    most
        How many at most.
    root
        The project; found from the working directory when omitted.

    Returns
    -------
    list of dict
        ``version``, ``created`` (seconds since 1970, or None), ``aliases`` by the release row, ``run_id``, ``tags``, ``metrics``
        (what its ``metrics.json`` says), ``directory``, ``digest``, ``card`` (the card's page, if there is one) and ``problem``:
        why its files are not what was registered, else empty.

    Raises
    ------
    RegistryError, StateError
        The registry or the state database does not answer.
    """
    found = sorted(versions.find_all(f"name = '{model}'", root), key=lambda one: -one.version)[:most]
    release = releases.find(model, root)
    held = release.versions if release.token else None
    return [_described(one, held, root) for one in found]


def _described(found: ModelVersion, held: Mapping[str, int | None] | None, root: Path | None) -> dict[str, Any]:
    """Return one version; what its files say only if they are what was registered."""
    aliases = found.aliases if held is None else tuple(alias for alias, number in held.items() if number == found.version)
    about: dict[str, Any] = {
        "version": found.version, "created": found.created, "aliases": list(aliases), "run_id": found.run_id,
        "tags": dict(found.tags), "metrics": {}, "directory": "", "digest": None, "card": "", "problem": "",
    }  # fmt: skip
    try:
        digest, directory = expected_digest(found, root), directory_of(found, root)
        _, content = read_verified(directory, digest)
    except GristmillError as error:
        return {**about, "problem": str(error)}
    metrics = json.loads(content[METRICS]) if METRICS in content else {}
    card = str((directory / CARD).resolve()) if CARD in content else ""
    return {**about, "directory": str(directory.resolve()), "digest": digest, "metrics": metrics, "card": card}
