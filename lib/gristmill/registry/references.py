"""From what a user calls a model to the folder it lies in: ``NAME@alias``, ``NAME/VERSION`` or a model directory."""

import re
from dataclasses import dataclass
from pathlib import Path

from gristmill.errors import RegistryError
from gristmill.modeling.artifact.model_directory import MANIFEST
from gristmill.paths import ProjectPaths
from gristmill.registry.aliases import meant
from gristmill.registry.inspection import expected_digest
from gristmill.registry.versions import ALIASES, directory_of, find_version

BY_ALIAS = re.compile(r"(?:models:/)?(?P<name>[a-z][a-z0-9_]*)@(?P<alias>[A-Za-z0-9_-]+)")
BY_NUMBER = re.compile(r"(?:models:/)?(?P<name>[a-z][a-z0-9_]*)/(?P<version>[0-9]{1,9})")


@dataclass(frozen=True)
class Resolved:
    """A model that was asked for: where it lies, and, if it is a registered version, which one, and the digest it has to have."""

    directory: Path
    name: str | None = None
    version: int | None = None
    digest: str | None = None


def resolve(reference: str, paths: ProjectPaths) -> Resolved:
    """Return the folder of a model; what lies in it is verified by whoever loads it.

    Parameters
    ----------
    reference
        ``NAME@alias``, ``NAME/VERSION``, or the path of a model directory, which wins if it exists. The release row says what
        the aliases ``champion``, ``challenger`` and ``staging`` mean.
    paths
        The project whose registry is asked.

    Raises
    ------
    RegistryError
        The reference has another form, or names nothing that exists.
    ArtifactError
        The digest that the registry has of it was edited.
    """
    if (Path(reference) / MANIFEST).is_file():
        return Resolved(Path(reference))
    match = BY_ALIAS.fullmatch(reference) or BY_NUMBER.fullmatch(reference)
    if match is None:
        raise RegistryError(
            f"Expected a model as NAME@alias (aliases: {', '.join(ALIASES)}), NAME/VERSION or a model directory, got "
            f"{reference!r}. Example: churn@champion."
        )
    which = match.groupdict()
    name, alias = which["name"], which.get("alias")
    found = find_version(name, int(which["version"]), paths.root) if alias is None else meant(name, alias, paths.root)
    if found is None:
        raise RegistryError(
            f"The registry has no {reference!r}. Build the case (`ploomber build --env--case {name}`), whose gates decide "
            f"which version is the champion; `gristmill gates {name}` shows them, `gristmill history {name}` what became of it."
        )
    return Resolved(directory_of(found, paths.root), found.name, found.version, expected_digest(found, paths.root))
