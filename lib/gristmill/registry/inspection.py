"""Whether a registered version is, byte for byte, what was evaluated and registered; and what its gates said (R33).

The digest of a version stands in its manifest, in its tags, and in the record of releases since it was registered; the gates are
read from the very files that the digest covers. Editing the files, with or without their manifest, is found out.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill.errors import ArtifactError, GateError, RegistryError
from gristmill.modeling.artifact.model_directory import Manifest, digest_of, read_verified
from gristmill.registry import releases
from gristmill.registry.versions import ModelVersion, directory_of
from gristmill.reporting.wording import apart

MODEL_TAG = "gristmill.model_digest"
CANDIDATE_TAG = "gristmill.candidate_digest"
METRICS = "metrics.json"
CARDS = ("card.md", "card.html")
ADDED = (*CARDS, METRICS)
"""What registration puts beside the files of the candidate."""

COMPARISON = "not_worse_than_champion"


@dataclass(frozen=True)
class Inspected:
    """A version whose files are what was registered.

    Attributes
    ----------
    version
        The version.
    manifest
        Of its model directory.
    gates
        The measured gates, as they stand in its ``metrics.json``.
    """

    version: ModelVersion
    manifest: Manifest
    gates: tuple[Mapping[str, Any], ...]

    @property
    def failed(self) -> tuple[Mapping[str, Any], ...]:
        """The gates that failed."""
        return tuple(gate for gate in self.gates if gate["passed"] is not True)

    @property
    def summary(self) -> dict[str, Any]:
        """How many gates passed, which failed, and the champion beside which they were judged, for the record."""
        failed = [str(gate["name"]) for gate in self.failed]
        compared = self.version.tags.get("gristmill.champion_before", "")
        return {"passed": len(self.gates) - len(failed), "failed": failed, "champion_before": compared}


def inspect(version: ModelVersion, root: Path | None = None) -> Inspected:
    """Return a version after checking the files that the registry has of it; nothing in them is loaded.

    Raises
    ------
    GateError
        They are not what was registered, or the version was not registered by Gristmill.
    """
    named = f"{version.name} version {version.version}"
    advice = f"Build the case again, and promote that version: ploomber build --env--case {version.name}"
    try:
        tagged = expected_digest(version, root)
        with tempfile.TemporaryDirectory() as folder:  # what was fetched before may be whole where the registry's copy is not
            manifest, content = read_verified(directory_of(version, root, Path(folder)), tagged)
    except (ArtifactError, RegistryError) as error:
        raise GateError(f"{named} is not what was registered: {error}") from error
    if tagged is None:
        raise GateError(f"{named} carries no digest: no build registered it, so that nothing vouches for it. {advice}")
    _require_candidate(version, manifest, f"{named} does not hold the model that was evaluated. {advice}")
    return Inspected(version, manifest, _gates(content, f"{named} holds no gates that could be read. {advice}"))


def expected_digest(version: ModelVersion, root: Path | None = None) -> str | None:
    """Return the digest that the files of a version must have, or None for a version that no build has registered.

    Raises
    ------
    ArtifactError
        Its tags say something else than the record of releases: they were edited.
    """
    tagged = version.tags.get(MODEL_TAG)
    entries = releases.history(version.name, root)
    known = {entry.digest for entry in entries if entry.after == version.version and entry.digest}
    if known - {tagged}:
        raise ArtifactError(
            f"The digest in the tags of {version.name} version {version.version} is not the one it was registered with: the tags "
            "were edited. Do not load it; roll back, or build the case again."
        )
    return tagged


def _require_candidate(version: ModelVersion, manifest: Manifest, refusal: str) -> None:
    """Raise with ``refusal`` unless the files of the candidate have the digest under which it was evaluated."""
    evaluated = version.tags.get(CANDIDATE_TAG)
    files = {name: digest for name, digest in manifest.files.items() if name not in ADDED}
    if evaluated is not None and digest_of(files, manifest.case) != evaluated:
        raise GateError(refusal)


def _gates(content: Mapping[str, bytes], refusal: str) -> tuple[Mapping[str, Any], ...]:
    """Return the gates of a model directory, or raise with ``refusal``."""
    try:
        gates = json.loads(content[METRICS])["gates"]
        usable = bool(gates) and all({"name", "passed", "value", "limit"} <= set(gate) for gate in gates)
    except (ValueError, KeyError, TypeError) as error:
        raise GateError(refusal) from error
    if not usable:
        raise GateError(refusal)
    return tuple(gates)


def change_wanted(gate: Mapping[str, Any]) -> str:
    """Return what a failed gate would have needed: its name, value and limit."""
    value, limit = gate["value"], gate["limit"]
    if value is None or limit is None:
        return f"{gate['name']} could not be determined"
    found, wanted = apart(float(value), float(limit))
    return f"{gate['name']} is {found}, needs {'>=' if value < limit else '<='} {wanted}"
