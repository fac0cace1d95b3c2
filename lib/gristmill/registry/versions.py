"""Registered versions of models: made once, found again by alias or number, never changed (R33).

The registered model has the name of the case. What a version is, by digest, stands in its tags.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill import tracking
from gristmill.errors import RegistryError
from gristmill.paths import project_root
from gristmill.tracking_errors import answering

CHAMPION = "champion"
CHALLENGER = "challenger"
STAGING = "staging"
ALIASES = (CHAMPION, CHALLENGER, STAGING)


@dataclass(frozen=True)
class ModelVersion:
    """One immutable version of a registered model; ``created`` is in seconds since 1970, None where that is not known."""

    name: str
    version: int
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    run_id: str | None
    created: float | None = None


def register(run: tracking.Run, name: str, directory: Path, columns: Any, *, tags: Mapping[str, str], description: str) -> int:
    """Store a model directory as a new version of ``name``, and return its number.

    Parameters
    ----------
    run
        The run it comes from.
    name
        Name of the registered model; created with its first version.
    directory
        A verified model directory.
    columns
        Inputs and outputs, as :func:`gristmill.tracking.log_model` takes them.
    tags, description
        What is said about the version.
    """
    source, model_id = tracking.log_model(run, directory, *columns)
    if not run.client.search_registered_models(f"name = '{name}'"):
        run.client.create_registered_model(name, tags={"gristmill.case": name})
    made = run.client.create_model_version(
        name, source, run_id=run.run_id, model_id=model_id, tags=dict(tags), description=description
    )
    return int(made.version)


def set_alias(client: Any, name: str, alias: str, version: int) -> None:
    """Let ``alias`` of a registered model mean ``version`` from now on."""
    with answering(f"let the alias {alias!r} of {name!r} mean version {version}"):
        client.set_registered_model_alias(name, alias, str(version))


def delete_alias(client: Any, name: str, alias: str) -> None:
    """Let ``alias`` of a registered model mean nothing from now on."""
    with answering(f"remove the alias {alias!r} of {name!r}"):
        client.delete_registered_model_alias(name, alias)


def known_aliases(name: str, root: Path | None = None) -> dict[str, int] | None:
    """Return alias -> version of a registered model, or None if there is no such model.

    Raises
    ------
    RegistryError
        The registry does not answer.
    """
    client = tracking.connect(root)
    with answering(f"say what the aliases of {name!r} mean"):
        found = client.search_registered_models(f"name = '{name}'")
    return _meanings(found[0]) if found else None


def find_version(name: str, which: str | int, root: Path | None = None) -> ModelVersion | None:
    """Return the version of a registered model that an alias or a number means, or None if there is none.

    Raises
    ------
    RegistryError
        The registry does not answer.
    """
    client = tracking.connect(root)
    aliases = _aliases(client, name)
    number = aliases.get(which) if isinstance(which, str) else which
    if number is None:
        return None
    found = client.search_model_versions(f"name = '{name}' and version_number = {number}")
    return _version(found[0], aliases) if found else None


def find_by_tags(name: str, tags: Mapping[str, str], root: Path | None = None) -> ModelVersion | None:
    """Return the latest version of a registered model that carries all of ``tags``, or None."""
    client = tracking.connect(root)
    conditions = " and ".join([f"name = '{name}'", *(f"tags.`{tag}` = '{value}'" for tag, value in tags.items())])
    found = sorted(client.search_model_versions(conditions), key=lambda version: int(version.version))
    return _version(found[-1], _aliases(client, name)) if found else None


def find_all(condition: str, root: Path | None = None) -> list[ModelVersion]:
    """Return all registered versions that meet a condition of MLflow's, all there are if it is empty, in no order.

    Raises
    ------
    RegistryError
        The registry does not answer.
    """
    client, found, token = tracking.connect(root), [], None
    while True:
        page = client.search_model_versions(condition or None, max_results=1000, page_token=token)
        found += page
        token = page.token
        if not token:
            break
    aliases = {name: _aliases(client, name) for name in {str(version.name) for version in found}}
    return [_version(version, aliases[str(version.name)]) for version in found]


def directory_of(version: ModelVersion, root: Path | None = None, cache: Path | None = None) -> Path:
    """Return the local model directory of a version, fetched first if the registry keeps it elsewhere.

    It is not verified yet: whoever loads it does that.

    Parameters
    ----------
    version
        The version.
    root
        The project; found from the working directory when omitted.
    cache
        Where what is fetched is kept, and found again; a folder of the project's state when omitted.

    Raises
    ------
    RegistryError
        The registry does not answer, or has no files of this version.
    """
    folder = project_root() if root is None else root
    if cache is None:
        cache = folder / "state" / "models" / version.name / str(version.version)
    client = tracking.connect(folder)
    with answering(f"hand out {version.name} version {version.version}"):
        uri = client.get_model_version_download_uri(version.name, str(version.version))
        stored = cache if any(cache.glob("data/*")) else tracking.local_copy(uri, cache, folder)
    directories = sorted(path for path in (stored / "data").glob("*") if path.is_dir())
    if len(directories) != 1:
        raise RegistryError(
            f"Expected one model directory in {stored / 'data'} for {version.name} version {version.version}, found "
            f"{len(directories)}. The version was not registered by Gristmill, or its files were deleted."
        )
    return directories[0]


def _aliases(client: Any, name: str) -> dict[str, int]:
    """Return alias -> number of a registered model; empty if there is no such model."""
    found = client.search_registered_models(f"name = '{name}'")
    return _meanings(found[0]) if found else {}


def _meanings(model: Any) -> dict[str, int]:
    """Return alias -> number of MLflow's registered model."""
    return {alias: int(number) for alias, number in model.aliases.items()}


def _version(found: Any, aliases: Mapping[str, int]) -> ModelVersion:
    """Return our form of MLflow's version."""
    number = int(found.version)
    mine = tuple(sorted(alias for alias, meant in aliases.items() if meant == number))
    made = found.creation_timestamp
    return ModelVersion(str(found.name), number, mine, dict(found.tags), found.run_id or None, made / 1000 if made else None)
