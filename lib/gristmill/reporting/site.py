"""The report site: index, design and builds of each case, the index over all cases, and the search over all reports.

Everything comes from the products of the build, times included, so that the same products give the same pages.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from markupsafe import Markup

from gristmill.paths import ProjectPaths
from gristmill.reporting.builds.history import Entry, read_history
from gristmill.reporting.builds.latest import latest_builds, since_the_build_before
from gristmill.reporting.builds.page import render_builds
from gristmill.reporting.dag_svg import NodeState, draw_dag
from gristmill.reporting.design import render_design
from gristmill.reporting.record import BuildRecord, StageRecord, read_record
from gristmill.reporting.search.index import INDEX_FILE, index_case, read_index, render_search
from gristmill.reporting.stage_report import stage_label
from gristmill.reporting.summary import (
    drivers,
    fairness_rows,
    gate_groups,
    gates,
    headline,
    model_facts,
    next_steps,
    score_rows,
    verdict,
)
from gristmill.reporting.templating import render, style_sheet
from gristmill.reporting.wording import count, share, shorten

MOST_LATEST = 15
"""Builds of all cases that the index names, the latest."""

TASK_WORDS = {"binary": "two classes", "multiclass": "several classes", "regression": "a number"}


def write_site(root: Path, case: str, statuses: Mapping[str, str] | None = None) -> Path:
    """Write the pages of ``case``, the index over all cases and the search; return the case's index.

    A page whose bytes would not change is left alone.

    Parameters
    ----------
    root
        The project's folder.
    case
        Name of the case that was built.
    statuses
        Stage -> how its task ended, as Ploomber says it (``executed``, ``skipped``, ``errored``, ``aborted``, ...); what is
        not named is told by the reports that exist.
    """
    project = ProjectPaths(Path(root))
    folder = project.case(case).reports
    record = read_record(project, case, statuses)
    if record.case is not None:
        _write(folder / "design.html", render_design(record))
    builds = read_history(project.case(case).build_history)
    _write(folder / "builds.html", render_builds(case, builds))
    record = read_record(project, case, statuses)
    _write(folder / "index.html", render_case(record, builds))
    others = sorted({*project.cases, *(page.parent.name for page in project.reports.glob("*/index.html"))} - {case})
    records = [record, *(read_record(project, other) for other in others)]
    histories = {one.name: read_history(project.case(one.name).build_history) for one in records}
    in_order = sorted(records, key=lambda one: (not one.was_built, one.name))
    _write(project.reports / "index.html", render_index(in_order, histories))
    _write_search(project, case, [one.name for one in in_order])
    return folder / "index.html"


def _write_search(project: ProjectPaths, case: str, cases: Sequence[str]) -> None:
    """Write the index of what the reports of ``case`` hold, and the page that searches those of all cases."""
    index = index_case(project.case(case).reports)
    _write(project.case(case).reports / INDEX_FILE, json.dumps(index, ensure_ascii=False, separators=(",", ":")))
    indices = [index if one == case else read_index(project.case(one).reports) for one in cases]
    _write(project.reports / "search.html", render_search(indices))


def _write(path: Path, page: str) -> None:
    """Write a page whole, unless it already reads so; builds of two cases may write the pages over all cases at once."""
    content = page.encode("utf-8")
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{uuid4().hex[:8]}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def render_case(record: BuildRecord, builds: Sequence[Entry] = ()) -> str:
    """Return the index page of one case.

    Parameters
    ----------
    record
        What is known of its last build.
    builds
        Its completed builds, oldest first.
    """
    return render(
        "case.html.j2",
        site_css=_css(),
        home="../index.html",
        record=record,
        summary=sentence(record),
        verdict=verdict(record),
        dag=picture(record),
        headline=headline(record),
        confidence=share(record.case.evaluation.confidence if record.case is not None else 0.95),
        rows=score_rows(record),
        groups=gate_groups(record),
        model=model_facts(record),
        drivers=drivers(record),
        fairness=fairness_rows(record),
        facts=provenance(record),
        steps=next_steps(record),
        since=since_the_build_before(builds),
        others=_other_reports(record),
    )


def _other_reports(record: BuildRecord) -> list[tuple[str, str]]:
    """Return page and name of the reports that are none of the pipeline's stages: those of monitoring."""
    stages = {stage.name for stage in record.stages}
    return [
        (page, stage_label(page.removesuffix(".html")))
        for page in sorted(record.reports)
        if page.removesuffix(".html") not in stages
    ]


def render_index(records: Sequence[BuildRecord], histories: Mapping[str, Sequence[Entry]] | None = None) -> str:
    """Return the index page over all cases.

    Parameters
    ----------
    records
        What is known of each case, in the order of the page.
    histories
        Case -> its completed builds, oldest first.
    """
    cards = [
        {
            "name": record.name,
            "href": f"{record.name}/index.html" if record.was_built else "",
            "verdict": verdict(record),
            "summary": sentence(record),
            "problem": shorten(record.problem, 240),
            "metric": next(iter(headline(record, 1)), None),
            "gates": gates(record),
            "passed": sum(gate["passed"] is True for gate in gates(record)),
            "measured": sum(gate["passed"] is not None for gate in gates(record)),
            "finished": record.finished,
        }
        for record in records
    ]
    latest = latest_builds(histories or {}, MOST_LATEST)
    return render("index.html.j2", site_css=_css(), home="index.html", cards=cards, latest=latest)


def _css() -> Markup:
    """Return the style of the site's pages, the picture's included."""
    return Markup(style_sheet("site.css") + style_sheet("dag.css"))  # noqa: S704 - our own files


def sentence(record: BuildRecord) -> str:
    """Return what the case is, in one sentence."""
    case = record.case
    if case is None:
        return ""
    columns = len(record.product("snapshot").get("columns") or {})
    source = case.source.uri
    what = f"Predicts {TASK_WORDS[case.task]}, the column {case.target!r}"
    if case.positive_class is not None:
        what = f"Predicts whether {case.target!r} is {case.positive_class!r}"
    known = f" from {columns - 1} other columns" if columns > 1 else ""
    return f"{what}{known} of {source}."


def picture(record: BuildRecord) -> Markup:
    """Return the DAG of the build, each stage in the colour of its state and leading to its report."""
    return draw_dag(record.pipeline, {stage.name: _node(stage) for stage in record.stages})


def _node(stage: StageRecord) -> NodeState:
    """Return how a stage is drawn."""
    seconds = stage.facts.get("seconds", "")
    return NodeState(
        state=stage.state, note=f"{float(seconds):.0f} s" if seconds and stage.state == "done" else "", href=stage.href
    )


def provenance(record: BuildRecord) -> list[tuple[str, str]]:
    """Return when and from what the model was made, as pairs of a name and a value."""
    snapshot, registration, evaluation = (record.product(name) for name in ("snapshot", "registration", "evaluation"))
    lineage: Mapping[str, Any] = registration.get("lineage") or {}
    version = registration.get("version")
    aliases = ", ".join(map(str, registration.get("aliases") or []))
    uses = evaluation.get("test_set_uses")
    changed = lineage.get("code_dirty") == "true"
    pairs = [
        ("Built", record.finished),
        ("Data", str(snapshot.get("uri", ""))),
        (
            "Rows and columns",
            f"{count(snapshot['rows'])} \u00d7 {len(snapshot.get('columns') or {})}" if "rows" in snapshot else "",
        ),
        ("Data version", _digest(snapshot.get("digest") or lineage.get("data_digest"))),
        ("Ingested", str(snapshot.get("ingested_at", "")).replace("T", " ")[:16]),
        ("Code version", _digest(lineage.get("code_version")) + (" and changes since" if changed else "")),
        ("Locked environment", _digest(lineage.get("lock_digest"))),
        ("Model", f"{registration.get('name', record.name)}, version {version}" if version is not None else ""),
        ("Aliases", aliases or ("none" if version is not None else "")),
        ("MLflow run", _digest(registration.get("run_id"))),
        ("Candidate", _digest(evaluation.get("candidate_digest"))),
        ("Uses of the test rows", count(uses) if isinstance(uses, int) else ""),
    ]
    return [(name, value) for name, value in pairs if value]


def _digest(value: object) -> str:
    """Return the first characters of a hash, enough to tell it from others."""
    return str(value).removeprefix("sha256:")[:12] if value else ""
