"""What the stages of a build have found out about its candidate, gathered for the gates and the registry."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill import tracking
from gristmill.config.case import Case
from gristmill.data.products import read_json
from gristmill.modeling.artifact.model_directory import Manifest, verify

Upstream = Mapping[str, Mapping[str, str]]
"""Stage -> product -> path, as the build hands it to a notebook."""

TRAINING = "05_train_"


@dataclass(frozen=True)
class Evidence:
    """The products that speak about one candidate.

    Attributes
    ----------
    snapshot, quality, catalogue, selection, evaluation, explanation, fairness
        The JSON products of those names.
    searches
        Family -> its ``trials_<family>.json``.
    tracked
        Family -> number of trials that the tracking store holds.
    candidate
        Manifest of the candidate, verified when the evidence was gathered.
    card
        The model card of ``10_write_model_card``, in Markdown: as far as it can be written before the gates have judged.
    """

    snapshot: Mapping[str, Any]
    quality: Mapping[str, Any]
    catalogue: Mapping[str, Any]
    searches: Mapping[str, Mapping[str, Any]]
    tracked: Mapping[str, int]
    selection: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    explanation: Mapping[str, Any]
    fairness: Mapping[str, Any]
    candidate: Manifest
    card: bytes

    def digest(self, case: Case) -> str:
        """Return one SHA-256 over all that was known: equal digests mean the same model, judged on the same grounds."""
        parts = [self.snapshot, self.quality, self.searches, self.selection, self.evaluation, self.explanation, self.fairness]
        asked = {key: repr(getattr(case, key)) for key in Case.model_fields}
        text = json.dumps([*parts, self.candidate.digest, asked], sort_keys=True)
        return hashlib.sha256(text.encode() + self.card).hexdigest()


def candidate_directory(upstream: Upstream) -> Path:
    """Return the folder of the candidate that ``06_select`` wrote."""
    return Path(upstream["06_select"]["candidate"]).parent


def gather(upstream: Upstream, root: Path | None = None) -> Evidence:
    """Return the evidence of a build.

    Raises
    ------
    ArtifactError
        A product is missing, or the candidate is not what its manifest says.
    """
    searches = {
        stage.removeprefix(TRAINING): read_json(products["trials"])
        for stage, products in sorted(upstream.items())
        if stage.startswith(TRAINING)
    }
    runs = {family: found["mlflow_run_id"] for family, found in searches.items() if found["trials"] and found["mlflow_run_id"]}
    return Evidence(
        snapshot=read_json(upstream["01_ingest"]["snapshot"]),
        quality=read_json(upstream["02_validate"]["quality"]),
        catalogue=read_json(upstream["04_build_features"]["catalogue"]),
        searches=searches,
        tracked={family: tracking.count_children(run_id, root) for family, run_id in runs.items()},
        selection=read_json(upstream["06_select"]["selection"]),
        evaluation=read_json(upstream["07_evaluate"]["evaluation"]),
        explanation=read_json(upstream["08_explain"]["explanation"]),
        fairness=read_json(upstream["09_audit_fairness"]["fairness"]),
        candidate=verify(candidate_directory(upstream)),
        card=Path(upstream["10_write_model_card"]["card"]).read_bytes(),
    )
