"""From a judged candidate to a registered version: the model directory, the version, the release, in this order (R33).

What is registered is what was evaluated, by digest. Registering the same candidate on the same evidence again finds the version
that exists.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gristmill import tracking, tracking_trials
from gristmill.build_costs import build_costs
from gristmill.config.case import Case
from gristmill.errors import ArtifactError, GateError
from gristmill.lineage import lineage_tags
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import Manifest, extend, verify
from gristmill.paths import CasePaths, ProjectPaths, project_root
from gristmill.registry import aliases, versions
from gristmill.registry.comparison import Beside
from gristmill.registry.evidence import Evidence, Upstream, candidate_directory
from gristmill.registry.gates import Gate, all_passed, measured
from gristmill.registry.inspection import CANDIDATE_TAG, CARDS, MODEL_TAG, inspect
from gristmill.registry.model_card import description
from gristmill.registry.promotion import promote_built
from gristmill.registry.rules import number

_LOG = logging.getLogger(__name__)
EVIDENCE_TAG = "gristmill.evidence_digest"
STAGE = "11_register"


@dataclass(frozen=True)
class Registration:
    """What became of a candidate.

    Attributes
    ----------
    name
        The registered model.
    version
        Its new version, or the one that held this candidate already; None in a dry run.
    aliases
        Aliases of that version now.
    run_id
        The build's run; None in a dry run.
    promoted
        Whether this version is the champion.
    dry_run
        Whether nothing was registered, because no build asked for it.
    lineage
        Data, code and environment it comes from.
    notes
        Sentences about what became of the release: why it was not promoted, what was found edited by hand.
    """

    name: str
    version: int | None
    aliases: tuple[str, ...]
    run_id: str | None
    promoted: bool
    dry_run: bool
    lineage: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def as_product(self, manifest: Manifest, gates: Sequence[Gate]) -> dict[str, Any]:
        """Return the registration as the JSON-able ``registration.json``."""
        facts = asdict(self) | {"model_digest": manifest.digest}
        unknown = [asdict(gate) for gate in gates if gate.passed is None]
        return facts | {"gates": [asdict(gate) for gate in measured(gates)], "gates_not_measured": unknown}


def is_dry_run() -> bool:
    """Return whether this process belongs to no build, so that nothing may be registered."""
    return not os.environ.get(tracking.BUILD_ID)


def metrics_record(
    case: Case, evidence: Evidence, gates: Sequence[Gate], registration: Registration | None = None
) -> dict[str, Any]:
    """Return the headline figures of a build as the JSON-able ``metrics.json``; its form is a contract with other programs."""
    evaluation, threshold = evidence.evaluation, evidence.selection.get("threshold")
    return {
        "case": case.name,
        "task": case.task,
        "primary_metric": case.primary_metric,
        "test": evaluation["test"],
        "validation": evaluation["validation"],
        "baseline": evaluation["baseline"],
        "threshold": number(threshold),
        "gates": [gate.as_metric() for gate in measured(gates)],
        "model": {
            "name": case.name,
            "version": None if registration is None else registration.version,
            "aliases": [] if registration is None else list(registration.aliases),
        },
    }


def write_model(
    case: Case, evidence: Evidence, gates: Sequence[Gate], upstream: Upstream, directory: Path, card: Mapping[str, bytes]
) -> Manifest:
    """Write the model directory: the candidate byte for byte, with its card and its metrics; return the manifest.

    Neither names a version: a directory is the same whichever version it becomes.

    Parameters
    ----------
    case, evidence, gates
        The case, what is known, and the verdicts.
    upstream
        Stage -> product -> path.
    directory
        Where the model directory is written.
    card
        Name of the file -> the model card; see :func:`gristmill.registry.model_card.finished`.

    Raises
    ------
    ArtifactError
        The candidate is not the one that was selected and evaluated.
    """
    digests = {"evaluated": evidence.evaluation.get("candidate_digest"), "selected": evidence.selection.get("digest")}
    for what, digest in digests.items():
        if digest != evidence.candidate.digest:
            raise ArtifactError(
                f"The candidate of the case {case.name!r} ({evidence.candidate.digest[:12]}) is not the one that was {what} "
                f"({str(digest)[:12]}); nothing is registered. Build the case again."
            )
    metrics = json.dumps(metrics_record(case, evidence, gates), indent=2, ensure_ascii=False, allow_nan=False).encode()
    return extend(candidate_directory(upstream), directory, {**card, "metrics.json": metrics}, evidence.candidate.digest)


def register(
    case: Case,
    evidence: Evidence,
    gates: Sequence[Gate],
    directory: Path,
    manifest: Manifest,
    beside: Beside = None,
    root: Path | None = None,
) -> Registration:
    """Make a model directory a registered version, and promote it if every measured gate has passed.

    Otherwise the release and its aliases stay as they are; a person may put the version on the alias ``staging`` or ``challenger``.
    Outside a build nothing is registered.

    Parameters
    ----------
    case, evidence, gates
        The case, what is known, and the verdicts.
    directory, manifest
        What :func:`write_model` wrote.
    beside
        What the candidate was compared with; another champion than this is not replaced.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    ArtifactError
        The model directory, or what the registry has of it, is not what was written.
    RegistryError, StateError
        The registry or the state database does not answer.
    """
    folder = project_root() if root is None else root
    lineage = _lineage(folder, evidence)
    if is_dry_run():
        return Registration(case.name, None, (), None, promoted=False, dry_run=True, lineage=lineage)
    with tracking.build_run(case.name, folder, data_digest=evidence.snapshot.get("digest")) as run:
        verify(directory, manifest.digest)
        aliases.opened(case.name, folder)  # before there is a version that somebody could put the alias on by hand
        _log_outcome(run, case, evidence, gates, directory)
        _log_costs(run, evidence, ProjectPaths(folder).case(case.name))
        found = _version(run, case, evidence, gates, directory, manifest, beside, folder)
        outcome = promote_built(
            found, [gate.as_metric() for gate in gates if gate.failed], None if beside is None else beside.version, folder
        )
        held = tuple(sorted(alias for alias, meant in outcome.release.versions.items() if meant == found.version))
        promoted = versions.CHAMPION in held
        tracking.log_tags(run, {"gristmill.model_version": found.version, "gristmill.promoted": promoted})
    return Registration(
        case.name, found.version, held, run.run_id, promoted=promoted, dry_run=False, lineage=lineage, notes=outcome.notes
    )


def _lineage(root: Path, evidence: Evidence) -> dict[str, str]:
    """Return data, code and environment of a candidate."""
    tags = lineage_tags(root, evidence.snapshot.get("digest"))
    return {name.removeprefix("gristmill."): value for name, value in tags.items()}


def _log_outcome(run: tracking.Run, case: Case, evidence: Evidence, gates: Sequence[Gate], directory: Path) -> None:
    """Log the headline figures and the card to the build's run."""
    failed = [gate.name for gate in gates if gate.failed]
    tracking.log_metrics(run, {f"test_{name}": number(score) for name, score in evidence.evaluation["test"].items()})
    tracking.log_metrics(run, {"gates_measured": len(measured(gates)), "gates_failed": len(failed)})
    tracking.log_params(run, {"task": case.task, "target": case.target})
    tracking.link_families(run, {family: search["mlflow_run_id"] for family, search in evidence.searches.items()})
    tracking.log_tags(run, {"gristmill.gates": "passed" if not failed else f"failed: {', '.join(failed)}"})
    searches = {**evidence.searches, **evidence.selection.get("searches", {})}
    weights = evidence.selection.get("weights")
    tracking_trials.log_plan(run, searches, weights and {"name": evidence.selection["chosen"], "weights": weights})
    for name in (*CARDS, "metrics.json"):
        tracking.log_file(run, directory / name)


def _log_costs(run: tracking.Run, evidence: Evidence, paths: CasePaths) -> None:
    """Log what the build took, this stage as far as it has come, and how much data it had; a GPU by name, or that there is none."""
    costs = build_costs(paths).with_running(STAGE, os.environ.get(tracking.BUILD_ID, ""))
    size = {"build_rows": evidence.snapshot.get("rows"), "build_features": len(evidence.catalogue.get("features", []))}
    tracking.log_metrics(run, {**costs.as_metrics(), **size})
    tracking.log_params(run, {"gpu": costs.gpu})


def _version(
    run: tracking.Run,
    case: Case,
    evidence: Evidence,
    gates: Sequence[Gate],
    directory: Path,
    manifest: Manifest,
    beside: Beside,
    root: Path,
) -> versions.ModelVersion:
    """Return the version that holds this candidate on this evidence, made if there is none yet."""
    key = evidence.digest(case)
    existing = versions.find_by_tags(case.name, {EVIDENCE_TAG: key, CANDIDATE_TAG: evidence.candidate.digest}, root)
    if existing is not None and _stands(existing, root):
        return existing
    tags = {
        EVIDENCE_TAG: key,
        CANDIDATE_TAG: evidence.candidate.digest,
        MODEL_TAG: manifest.digest,
        "gristmill.gates": "passed" if all_passed(gates) else "failed",
        "gristmill.champion_before": "none" if beside is None else str(beside.version),  # not one of since: that was not compared
        **{f"gristmill.{name}": value for name, value in _lineage(root, evidence).items()},
        **({"gristmill.source": str(evidence.snapshot["uri"])} if evidence.snapshot.get("uri") else {}),
    }
    number = versions.register(run, case.name, directory, signature(directory), tags=tags, description=description(directory))
    return versions.ModelVersion(case.name, number, (), tags, run.run_id)


def _stands(version: versions.ModelVersion, root: Path) -> bool:
    """Return whether a version still is what was registered; one that is not is registered anew."""
    try:
        inspect(version, root)
    except GateError as error:
        _LOG.warning("%s It is registered anew.", error)
        return False
    return True


def signature(directory: Path) -> tuple[dict[str, bool], dict[str, str]]:
    """Return the inputs (column -> required) and outputs (column -> type) of a model directory, for MLflow."""
    model = FittedModel.load(directory)
    inputs = dict.fromkeys(model.id_columns, False) | dict.fromkeys(model.feature_columns, True)
    if not model.classes:
        return inputs, {"prediction": "double"}
    names = ["probability"] if model.task == "binary" else [f"probability_{name}" for name in model.classes]
    return inputs, {"prediction": "string"} | dict.fromkeys(names, "double")
