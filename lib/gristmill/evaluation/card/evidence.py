"""What the stages of one build left behind, as the card reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gristmill.config.case import Case
from gristmill.config.stages import StageCase
from gristmill.data.products import read_json

Product = Mapping[str, Any] | None

PRODUCTS = {
    "snapshot": ("01_ingest", "snapshot"),
    "quality": ("02_validate", "quality"),
    "split": ("02_validate", "line"),
    "catalogue": ("04_build_features", "catalogue"),
    "selection": ("06_select", "selection"),
    "evaluation": ("07_evaluate", "evaluation"),
    "explanation": ("08_explain", "explanation"),
    "fairness": ("09_audit_fairness", "fairness"),
}
"""Field of :class:`Evidence` -> the stage that writes it, and the name of its product there."""

TRAINING = "05_train_"
BEFORE_THE_CARD = "10"
"""Stages whose names sort before this one are what a model costs; writing about it is not."""


@dataclass(frozen=True)
class Judged:
    """What is known once the gates have judged a candidate.

    Attributes
    ----------
    gates
        Every gate: ``name, group, passed`` (None: not measured), ``value, limit, message``.
    champion_version
        Version of the model in production beside which the candidate was judged; None if there is no other.
    champion
        How the candidate does beside it, in a plain sentence.
    champion_detail
        The same with margin and tests, in plain sentences.
    champion_scores
        The champion's metrics on the same test rows, each with ``value, low, high``; empty where it could not score them.
    """

    gates: Sequence[Mapping[str, Any]]
    champion_version: int | None = None
    champion: str = ""
    champion_detail: str = ""
    champion_scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """What the stages of one build left behind; None where a stage left nothing.

    Attributes
    ----------
    case
        The whole case, or a stage's view of it that may read every key.
    digest
        Digest of the candidate.
    written_at
        When the card is written.
    selection
        Product of ``06_select``.
    snapshot, quality, split, catalogue, evaluation, explanation, fairness
        Products of ``01``, ``02`` (two), ``04``, ``07``, ``08`` and ``09``.
    searches
        Family -> product ``trials_<family>.json``.
    lineage
        Name -> version of code and environment.
    costs
        Stage -> ``seconds`` of its last run, and ``cpu_seconds`` and ``joules`` where they were measured.
    judged
        Gates and champion; None before they have judged.
    """

    case: Case | StageCase
    digest: str
    written_at: datetime
    selection: Product = None
    snapshot: Product = None
    quality: Product = None
    split: Product = None
    catalogue: Product = None
    evaluation: Product = None
    explanation: Product = None
    fairness: Product = None
    searches: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lineage: Mapping[str, str] = field(default_factory=dict)
    costs: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    judged: Judged | None = None


def gather(
    case: Case | StageCase,
    upstream: Mapping[str, Mapping[str, str]],
    *,
    digest: str,
    written_at: datetime,
    lineage: Mapping[str, str],
    costs: Mapping[str, Mapping[str, float | None]],
    judged: Judged | None = None,
) -> Evidence:
    """Return the evidence of a build: what each stage wrote, None where it wrote nothing.

    Parameters
    ----------
    case, digest, written_at, judged
        See :class:`Evidence`.
    upstream
        Stage -> product -> path, as a build hands it to a notebook.
    lineage
        Tags of :func:`gristmill.lineage.lineage_tags`.
    costs
        Stage -> what its last run took; stages from the card on are left out.

    Raises
    ------
    ArtifactError
        A product is there, but is not JSON.
    """
    found = {name: _read(upstream.get(stage, {}).get(product)) for name, (stage, product) in PRODUCTS.items()}
    trials = {stage.removeprefix(TRAINING): _read(paths.get("trials")) for stage, paths in upstream.items() if TRAINING in stage}
    return Evidence(
        case,
        digest,
        written_at,
        **found,
        searches={family: product for family, product in trials.items() if product is not None},
        lineage={name.removeprefix("gristmill."): value for name, value in lineage.items()},
        costs={stage: cost for stage, cost in sorted(costs.items()) if stage < BEFORE_THE_CARD},
        judged=judged,
    )


def _read(path: str | None) -> dict[str, Any] | None:
    """Return a product, or None where it was not written."""
    return read_json(path) if path is not None and Path(path).is_file() else None
