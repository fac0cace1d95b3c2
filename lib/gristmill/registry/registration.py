"""From a judged candidate to a registered version: the model directory, the version, the alias, in this order (R33).

What is registered is what was evaluated, by digest. Registering the same candidate on the same evidence again finds the version
that exists and changes nothing.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gristmill import tracking, tracking_trials
from gristmill.config.case import Case
from gristmill.errors import ArtifactError
from gristmill.evaluation.measure import cell
from gristmill.lineage import lineage_tags
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import Manifest, extend
from gristmill.paths import project_root
from gristmill.registry import versions
from gristmill.registry.evidence import Evidence, Upstream, candidate_directory
from gristmill.registry.gates import Gate, all_passed, measured
from gristmill.registry.rules import number
from gristmill.reporting.wording import metric_label

EVIDENCE_TAG = "gristmill.evidence_digest"


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
    """

    name: str
    version: int | None
    aliases: tuple[str, ...]
    run_id: str | None
    promoted: bool
    dry_run: bool
    lineage: Mapping[str, str]

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


def write_model(case: Case, evidence: Evidence, gates: Sequence[Gate], upstream: Upstream, directory: Path) -> Manifest:
    """Write the model directory: the candidate byte for byte, with its card and its metrics; return the manifest.

    The metrics in it name no version: a directory is the same whichever version it becomes.

    Raises
    ------
    ArtifactError
        The candidate is not the one that was evaluated.
    """
    if evidence.candidate.digest != evidence.evaluation.get("candidate_digest"):
        raise ArtifactError(
            f"The candidate of the case {case.name!r} ({evidence.candidate.digest[:12]}) is not the one that was evaluated "
            f"({str(evidence.evaluation.get('candidate_digest'))[:12]}); nothing is registered. Build the case again."
        )
    metrics = json.dumps(metrics_record(case, evidence, gates), indent=2, ensure_ascii=False, allow_nan=False).encode()
    return extend(candidate_directory(upstream), directory, {**evidence.card, "metrics.json": metrics})


def register(
    case: Case, evidence: Evidence, gates: Sequence[Gate], directory: Path, manifest: Manifest, root: Path | None = None
) -> Registration:
    """Make a model directory a registered version, and move the alias that its gates have earned.

    ``champion`` if every measured gate has passed; ``challenger`` if only the comparison with the champion has failed; else
    ``staging``. Outside a build nothing is registered.

    Parameters
    ----------
    case, evidence, gates
        The case, what is known, and the verdicts.
    directory, manifest
        What :func:`write_model` wrote.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    RegistryError
        The registry does not answer.
    """
    folder = project_root() if root is None else root
    lineage = _lineage(folder, evidence)
    if is_dry_run():
        return Registration(case.name, None, (), None, promoted=False, dry_run=True, lineage=lineage)
    with tracking.build_run(case.name, folder, data_digest=evidence.snapshot.get("digest")) as run:
        _log_outcome(run, case, evidence, gates, directory)
        number = _version(run, case, evidence, gates, directory, manifest, folder)
        alias = alias_for(gates)
        found = versions.find_version(case.name, number, folder)
        if found is not None and versions.CHAMPION not in found.aliases:
            versions.set_alias(run.client, case.name, alias, number)
            found = versions.find_version(case.name, number, folder)
        aliases = () if found is None else found.aliases
        promoted = versions.CHAMPION in aliases
        tracking.log_tags(run, {"gristmill.model_version": number, "gristmill.promoted": promoted})
    return Registration(case.name, number, aliases, run.run_id, promoted=promoted, dry_run=False, lineage=lineage)


def alias_for(gates: Sequence[Gate]) -> str:
    """Return the alias that a version with these verdicts may have."""
    if all_passed(gates):
        return versions.CHAMPION
    failed = [gate.name for gate in gates if gate.failed]
    return versions.CHALLENGER if failed == ["not_worse_than_champion"] else versions.STAGING


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
    for name in ("card.md", "metrics.json"):
        tracking.log_file(run, directory / name)


def _version(
    run: tracking.Run, case: Case, evidence: Evidence, gates: Sequence[Gate], directory: Path, manifest: Manifest, root: Path
) -> int:
    """Return the version that holds this candidate on this evidence, made if there is none yet."""
    key = evidence.digest(case)
    existing = versions.find_by_tags(case.name, {EVIDENCE_TAG: key}, root)
    if existing is not None:
        return existing.version
    champion = versions.find_version(case.name, versions.CHAMPION, root)
    tags = {
        EVIDENCE_TAG: key,
        "gristmill.candidate_digest": evidence.candidate.digest,
        "gristmill.model_digest": manifest.digest,
        "gristmill.gates": "passed" if all_passed(gates) else "failed",
        "gristmill.champion_before": str(champion.version) if champion else "none",
        **{f"gristmill.{name}": value for name, value in _lineage(root, evidence).items()},
        **({"gristmill.source": str(evidence.snapshot["uri"])} if evidence.snapshot.get("uri") else {}),
    }
    return versions.register(
        run, case.name, directory, signature(directory), tags=tags, description=_summary(case, evidence, gates)
    )


def signature(directory: Path) -> tuple[dict[str, bool], dict[str, str]]:
    """Return the inputs (column -> required) and outputs (column -> type) of a model directory, for MLflow."""
    model = FittedModel.load(directory)
    inputs = dict.fromkeys(model.id_columns, False) | dict.fromkeys(model.feature_columns, True)
    if not model.classes:
        return inputs, {"prediction": "double"}
    names = ["probability"] if model.task == "binary" else [f"probability_{name}" for name in model.classes]
    return inputs, {"prediction": "string"} | dict.fromkeys(names, "double")


def _summary(case: Case, evidence: Evidence, gates: Sequence[Gate]) -> str:
    """Return what the registry's page says about a version."""
    score = evidence.evaluation["test"][case.primary_metric]
    failed = [gate for gate in gates if gate.failed]
    verdict = "All measured gates passed." if not failed else "Failed gates: " + " ".join(gate.message for gate in failed)
    headline = f"{metric_label(case.primary_metric)} on the test rows: {cell(score)}."
    return f"{headline} {verdict}\n\nThe model card is `card.md` in the model."
