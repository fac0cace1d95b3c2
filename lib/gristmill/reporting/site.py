"""The report site: one index per case, one over all cases, and each case's design page.

Everything comes from the products of the build, times included, so that the same products give the same pages.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from gristmill.paths import ProjectPaths
from gristmill.reporting.dag_svg import NodeState, draw_dag
from gristmill.reporting.design import render_design
from gristmill.reporting.record import BuildRecord, StageRecord, read_record
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

TASK_WORDS = {"binary": "two classes", "multiclass": "several classes", "regression": "a number"}


def write_site(root: Path, case: str, statuses: Mapping[str, str] | None = None) -> Path:
    """Write the design page and the index of ``case``, and the index over all cases; return the case's index.

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
        record = read_record(project, case, statuses)
    _write(folder / "index.html", render_case(record))
    others = sorted({*project.cases, *(page.parent.name for page in project.reports.glob("*/index.html"))} - {case})
    records = [record, *(read_record(project, other) for other in others)]
    _write(project.reports / "index.html", render_index(sorted(records, key=lambda one: (not one.was_built, one.name))))
    return folder / "index.html"


def _write(path: Path, page: str) -> None:
    """Write a page whole, unless it already reads so."""
    content = page.encode("utf-8")
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    temporary.replace(path)


def render_case(record: BuildRecord) -> str:
    """Return the index page of one case."""
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
    )


def render_index(records: list[BuildRecord]) -> str:
    """Return the index page over all cases."""
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
    return render("index.html.j2", site_css=_css(), home="index.html", cards=cards)


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
