"""From an executed notebook to the report of a stage: the narrative first, code folded away.

A notebook that stopped with an error becomes a report too; what ran is shown, and the error is named at the top.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from markupsafe import Markup
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters.html import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

from gristmill.config.stages import READS
from gristmill.reporting.markdown import to_html, with_anchors
from gristmill.reporting.safe_html import safe
from gristmill.reporting.tables import align, scoped
from gristmill.reporting.templating import render, style_sheet

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

_UNTITLED = re.compile(r"<\S+( object at |.* with \d+ Axes)|$")
"""How a figure is named that has no title: by its type, its size, or its address."""

_ERROR_MARK = "papermill-error-cell-tag"
"""Tag of the cells in raw HTML that papermill adds to a notebook that failed; the page has a banner of its own."""

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class StageRun:
    """What is known of a notebook's execution: all of it may be missing."""

    case: str = ""
    stage: str = ""
    started: str = ""
    finished: str = ""
    seconds: float | None = None


def stage_label(stage: str) -> str:
    """Return how a stage is written: ``05_train_linear`` is ``05 Train linear``."""
    number, _, words = stage.partition("_")
    if not number.isdigit():
        return stage.replace("_", " ")
    return f"{number} {words.replace('_', ' ').capitalize()}"


def describe_run(notebook: Mapping[str, Any]) -> StageRun:
    """Return case, stage and times of an executed notebook, from what papermill wrote into it."""
    record = notebook.get("metadata", {}).get("papermill", {}) or {}
    output = PurePath(str(record.get("output_path") or ""))
    seconds = record.get("duration")
    return StageRun(
        case=output.parent.name,
        stage=output.stem,
        started=_minute(record.get("start_time")),
        finished=_minute(record.get("end_time")),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
    )


def _minute(stamp: object) -> str:
    """Return an ISO time as ``2026-01-31 12:00 UTC``, or nothing."""
    if not isinstance(stamp, str) or not stamp:
        return ""
    try:
        return datetime.fromisoformat(stamp).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return ""


def render_stage_report(notebook: Mapping[str, Any], run: StageRun | None = None) -> str:
    """Return the report of an executed notebook as one HTML page.

    Parameters
    ----------
    notebook
        The notebook's JSON, version 4.
    run
        What is known of its execution; read from the notebook when omitted.
    """
    run = run or describe_run(notebook)
    cells = [cell for cell in notebook.get("cells", []) if _ERROR_MARK not in cell.get("metadata", {}).get("tags", ())]
    blocks = _blocks(cells)
    sections: list[dict[str, str]] = []
    taken = {"content", "error", "all-code"}
    for block in blocks:
        if block["kind"] == "prose":
            block["html"], found = with_anchors(block["html"], taken)
            sections += found
        block["under"] = sections[-1]["text"] if sections else ""
    error = next((block["summary"] for block in blocks if block["kind"] == "error"), "")
    title, question = _title_and_question(cells)
    title = title or stage_label(run.stage) or "Notebook"
    return render(
        "report.html.j2",
        report_css=Markup(style_sheet("report.css")),  # noqa: S704 - our own file
        home="../index.html",
        title=title,
        case=run.case,
        stage_label=stage_label(run.stage),
        facts=_facts(run, title, question, error),
        lines=_lines(run),
        error=error,
        blocks=blocks,
        sections=sections,
        has_code=any(block["kind"] == "code" for block in blocks),
        **_neighbours(run.stage),
    )


def _facts(run: StageRun, title: str, question: str, error: str) -> dict[str, str]:
    """Return what the index page reads from a report's head."""
    facts = {
        "case": run.case,
        "stage": run.stage,
        "title": title,
        "question": question,
        "state": "failed" if error else "done",
        "error": error,
        "finished": run.finished,
        "seconds": "" if run.seconds is None else f"{run.seconds:.1f}",
    }
    return {name: value for name, value in facts.items() if value}


def _lines(run: StageRun) -> list[str]:
    """Return the facts that stand above the title."""
    took = "" if run.seconds is None else f"took {run.seconds:.0f} s"
    return [line for line in (stage_label(run.stage), run.finished, took) if line]


def _neighbours(stage: str) -> dict[str, Any]:
    """Return the links to the other stages; none for a notebook that is not a stage."""
    if stage not in READS:
        return {"stages": [], "before": None, "after": None}
    links = [{"href": f"{name}.html", "label": stage_label(name), "current": name == stage} for name in READS]
    place = list(READS).index(stage)
    return {
        "stages": links,
        "before": links[place - 1] if place else None,
        "after": links[place + 1] if place + 1 < len(links) else None,
    }


def _source(cell: Cell) -> str:
    """Return a cell's source as one text."""
    return _text(cell.get("source", ""))


def _text(value: Any) -> str:
    """Return a text that notebooks store whole or as a list of lines."""
    return "".join(value) if isinstance(value, list) else str(value)


def _title_and_question(cells: list[Cell]) -> tuple[str, str]:
    """Return the first heading, and the first paragraph under it, without Markdown's marks."""
    first = next((_source(cell) for cell in cells if cell.get("cell_type") == "markdown"), "")
    paragraphs = [part.strip() for part in first.split("\n\n") if part.strip()]
    title = paragraphs[0].partition("\n")[0].lstrip("# ").strip() if paragraphs and paragraphs[0].startswith("#") else ""
    rest = [part for part in paragraphs if not part.startswith(("#", "|"))]
    if paragraphs and "\n" in paragraphs[0] and title:
        rest.insert(0, paragraphs[0].partition("\n")[2].strip())
    question = re.sub(r"[*_`]|\[(.*?)\]\(.*?\)", r"\1", rest[0]) if rest else ""
    return title, " ".join(question.split())


def _blocks(cells: list[Cell]) -> list[dict[str, Any]]:
    """Return what the report shows, top to bottom; neighbouring code without output is folded into one."""
    blocks: list[dict[str, Any]] = []
    for cell in cells:
        source = _source(cell)
        if cell.get("cell_type") == "markdown" and source.strip():
            blocks.append({"kind": "prose", "html": to_html(source)})
        elif cell.get("cell_type") == "code":
            if source.strip():
                _add_code(blocks, source)
            blocks += [block for output in cell.get("outputs", []) if (block := _output(output)) is not None]
    return blocks


def _add_code(blocks: list[dict[str, Any]], source: str) -> None:
    """Append code, to the block before it if that is code as well."""
    if not blocks or blocks[-1]["kind"] != "code":
        blocks.append({"kind": "code", "parts": [], "lines": 0})
    blocks[-1]["parts"].append(_highlighted(source))
    blocks[-1]["lines"] += len(source.strip("\n").splitlines())


def _highlighted(source: str) -> Markup:
    """Return Python code with its parts marked for the style sheet."""
    return Markup(highlight(source.strip("\n"), PythonLexer(), HtmlFormatter(nowrap=True)))  # noqa: S704 - pygments escapes


def _output(output: Cell) -> dict[str, Any] | None:
    """Return how one output of a cell is shown."""
    kind = output.get("output_type")
    if kind == "stream":
        text = _ANSI.sub("", _text(output.get("text", "")))
        return {"kind": "messages" if output.get("name") == "stderr" else "text", "text": text} if text.strip() else None
    if kind == "error":
        trace = _ANSI.sub("", "\n".join(output.get("traceback", [])))
        summary = f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
        return {"kind": "error", "text": trace or summary, "summary": summary}
    return _rich(output.get("data", {}), output.get("metadata", {}) or {})


def _rich(data: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the best of the representations a cell offers."""
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            about = metadata.get(mime, {}) or {}
            source = f"data:{mime};base64,{''.join(_text(data[mime]).split())}"
            said = _text(data.get("text/plain", ""))
            alt = about.get("alt") or ("" if _UNTITLED.match(said) else said)
            return {"kind": "image", "src": source, "alt": alt, "width": about.get("width"), "height": about.get("height")}
    if "text/html" in data:
        return {"kind": "html", "html": Markup(scoped(align(safe(_text(data["text/html"])))))}  # noqa: S704 - made safe
    if "image/svg+xml" in data:
        return {"kind": "html", "html": Markup(safe(_text(data["image/svg+xml"])))}  # noqa: S704 - made safe
    if "text/markdown" in data:
        return {"kind": "prose", "html": to_html(_text(data["text/markdown"]))}
    if "application/json" in data:
        return {"kind": "text", "text": json.dumps(data["application/json"], indent=2, ensure_ascii=False)}
    if "text/plain" in data:
        return {"kind": "text", "text": _ANSI.sub("", _text(data["text/plain"]))}
    return None
