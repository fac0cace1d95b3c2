"""What is known of a case's last build, read from its products; every one of them may be missing."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from gristmill.config.case import Case
from gristmill.config.loading import load_case
from gristmill.config.stages import FAMILY_STAGES
from gristmill.errors import CaseFileError
from gristmill.paths import CasePaths, ProjectPaths
from gristmill.reporting.dag import Stage, read_stages
from gristmill.reporting.stage_report import stage_label

PRODUCTS = ("snapshot", "quality", "contract", "selection", "evaluation", "explanation", "fairness", "metrics", "registration")
"""Products that the pages tell of, without their ending."""

PAGES = ("model_card.html", "profile.html", "data_docs/index.html", "design.html", "builds.html")
"""Pages beside the stages' reports that a case may have."""

_DONE = frozenset({"executed", "skipped", "done"})
_FAILED = frozenset({"errored", "failed", "broken_product", "brokenproduct"})
_FACT = re.compile(r'<meta name="gristmill-(\w+)" content="([^"]*)">')
_HEAD_BYTES = 4000


@dataclass(frozen=True)
class StageRecord:
    """One stage of the build.

    Parameters
    ----------
    state
        ``done``, ``failed``, ``missing`` or ``off``.
    href
        Its report, seen from the case's index; empty when there is none.
    facts
        What the report's head says: title, question, finished, seconds, error.
    """

    name: str
    state: str
    href: str = ""
    purpose: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How the stage is written."""
        return stage_label(self.name)


@dataclass(frozen=True)
class BuildRecord:
    """All that the pages tell of one case."""

    name: str
    case: Case | None
    problem: str
    pipeline: list[Stage]
    stages: list[StageRecord]
    products: Mapping[str, Mapping[str, Any]]
    pages: frozenset[str]
    reports: frozenset[str] = frozenset()

    def product(self, name: str) -> Mapping[str, Any]:
        """Return a product's content, empty when it is missing."""
        return self.products.get(name, {})

    @property
    def finished(self) -> str:
        """When the last stage ended, as its report says."""
        return max((stage.facts.get("finished", "") for stage in self.stages), default="")

    @property
    def was_built(self) -> bool:
        """Whether any stage left a report."""
        return any(stage.href for stage in self.stages)


def read_record(project: ProjectPaths, name: str, statuses: Mapping[str, str] | None = None) -> BuildRecord:
    """Return what is known of the case ``name``.

    Parameters
    ----------
    project
        The project's folders.
    name
        Name of the case.
    statuses
        Stage -> how its task ended (``executed``, ``skipped``, ``errored``, ...); reports speak for the stages not named.
    """
    paths = project.case(name)
    case, problem = _case(project, name)
    pipeline = read_stages(project.root / "pipeline.yaml")
    products = {product: content for product in PRODUCTS if (content := _json(paths.artifacts / f"{product}.json"))}
    pages = frozenset(page for page in PAGES if (paths.reports / page).is_file())
    stages = [_stage(paths, stage, (statuses or {}).get(stage.name, "")) for stage in pipeline]
    reports = frozenset(page.name for page in paths.reports.glob("[0-9][0-9]_*.html"))
    return BuildRecord(name, case, problem, pipeline, stages, products, pages, reports)


def _case(project: ProjectPaths, name: str) -> tuple[Case | None, str]:
    """Return the case, or why there is none."""
    try:
        return load_case(name, project.root), ""
    except CaseFileError as error:
        return None, str(error)


def _json(path: Path) -> Mapping[str, Any]:
    """Return the mapping in a JSON file, empty when it is missing or is not one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _stage(paths: CasePaths, stage: Stage, status: str) -> StageRecord:
    """Return what is known of one stage."""
    report = paths.reports / f"{stage.name}.html"
    facts = _facts(report)
    return StageRecord(
        name=stage.name,
        state=_state(paths, stage.name, status.rpartition(".")[2].lower(), facts),
        href=report.name if facts is not None else "",
        purpose=stage.purpose,
        facts=facts or {},
    )


def _state(paths: CasePaths, name: str, status: str, facts: Mapping[str, str] | None) -> str:
    """Return how a stage stands: the build's word first, its report's second."""
    if status in _FAILED or (status not in _DONE and facts is not None and facts.get("state") == "failed"):
        return "failed"
    if facts is None or (status and status not in _DONE):
        return "missing"
    trials = _json(paths.artifacts / f"trials_{FAMILY_STAGES.get(name, '')}.json")
    return "off" if trials.get("enabled") is False else "done"


def _facts(report: Path) -> Mapping[str, str] | None:
    """Return what the head of a report says, or None when there is no report."""
    try:
        with report.open("rb") as page:
            head = page.read(_HEAD_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return None
    return {key: unescape(value) for key, value in _FACT.findall(head)}
