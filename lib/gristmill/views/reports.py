"""The reports of a case as documents to be read inside another page: which there are, and each shut in a frame of its own."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from gristmill.paths import ProjectPaths
from gristmill.reporting.dag import read_stages
from gristmill.reporting.record import BuildRecord, read_record
from gristmill.reporting.stage_report import stage_label
from gristmill.reporting.wording import moment

STAGES, MODEL, DATA, MONITORING = "Stages of the build", "The model", "The data", "Monitoring"
GROUPS = (STAGES, MODEL, DATA, MONITORING)
MONITOR_PIPELINE = "pipeline.monitor.yaml"

_PAGES = {
    "model_card.html": (MODEL, "Model card", "Should one use this model, for what, and with what care?"),
    "design.html": (MODEL, "Design", "What was to be built, how, and by which milestones?"),
    "profile.html": (DATA, "Profile", "What does every column of the training rows hold?"),
    "data_docs/index.html": (DATA, "Data docs", "How did the checks of the table go?"),
    "data_docs/suite.html": (DATA, "Data docs: the rules", "Which rules is the table held against?"),
}
_RELATIVE_LINK = re.compile(r"""(<a\b[^>]*?)\shref=(?:"(?!#|[a-zA-Z][\w+.-]*:)[^"]*"|'(?!#|[a-zA-Z][\w+.-]*:)[^']*')""")
_OWN_NAVIGATION = "<style>.top, .side nav[aria-label=Stages], .turn { display: none } .layout { padding-top: 0.5rem }</style>"
_SANDBOX = "allow-scripts allow-popups"


@dataclass(frozen=True)
class Document:
    """One report.

    Attributes
    ----------
    name
        Its file, seen from the case's folder of reports.
    group
        One of :data:`GROUPS`.
    title
        What it is called.
    question
        The question it answers.
    file
        Where it lies.
    written
        When, as people write it.
    failed
        Why its stage stopped; empty if it did not.
    """

    name: str
    group: str
    title: str
    question: str
    file: Path
    written: str
    failed: str = ""

    @property
    def size(self) -> str:
        """How large the file is."""
        return f"{self.file.stat().st_size / 1e6:.1f} MB"


def documents(root: Path, case: str) -> list[Document]:
    """Return the reports that a case has, in the order in which they are read; none if it was not built."""
    project = ProjectPaths(root)
    record, folder = read_record(project, case), project.case(case).reports
    pages = [_page(folder, name) for name in _PAGES if (folder / name).is_file()]
    return [*_stages(record, folder), *pages, *_monitoring(root, folder)]


def _stages(record: BuildRecord, folder: Path) -> list[Document]:
    """Return the reports of the build's stages."""
    found = [stage for stage in record.stages if stage.href]
    return [
        Document(one.href, STAGES, one.label, one.facts.get("question") or one.purpose, folder / one.href,
                 one.facts.get("finished", ""), one.facts.get("error", "") if one.state == "failed" else "")
        for one in found
    ]  # fmt: skip


def _page(folder: Path, name: str) -> Document:
    """Return a page that is no stage's report."""
    group, title, question = _PAGES[name]
    return Document(name, group, title, question, folder / name, _written(folder / name))


def _monitoring(root: Path, folder: Path) -> list[Document]:
    """Return the reports of the monitoring, where the project has its pipeline and it has run."""
    pipeline = root / MONITOR_PIPELINE
    if not pipeline.is_file():
        return []
    there = [stage for stage in read_stages(pipeline) if (folder / f"{stage.name}.html").is_file()]
    return [
        Document(f"{one.name}.html", MONITORING, stage_label(one.name), one.purpose, folder / f"{one.name}.html",
                 _written(folder / f"{one.name}.html"))
        for one in there
    ]  # fmt: skip


def _written(file: Path) -> str:
    """Return when a file was written."""
    return moment(datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat())


def framed(page: str, title: str) -> str:
    """Return a page that holds nothing but a report in a sandboxed frame.

    The report may run its own scripts, but reaches neither the page around it nor what that page may ask: its frame has an origin
    of its own. Links to files beside it lead nowhere from within, so that they are plain text there; its own navigation is hidden.

    Parameters
    ----------
    page
        The report's HTML.
    title
        What a screen reader calls the frame.
    """
    inner = _RELATIVE_LINK.sub(r"\1", page)
    inner = inner.replace("</head>", f"{_OWN_NAVIGATION}</head>", 1)
    outer = "<style>html, body { margin: 0; height: 100% } iframe { width: 100%; height: 100%; border: 0; display: block }</style>"
    frame = f'<iframe sandbox="{_SANDBOX}" title="{escape(title)}" srcdoc="{escape(inner)}"></iframe>'
    return f'<!doctype html><html lang="en"><head><title>{escape(title)}</title>{outer}</head><body>{frame}</body></html>'


def read(document: Document) -> str:
    """Return a report's HTML."""
    return document.file.read_text(encoding="utf-8", errors="replace")
