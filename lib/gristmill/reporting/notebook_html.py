"""The nbconvert exporter called ``gristmill``, which Ploomber renders the stages' reports with."""

import json
from pathlib import Path
from typing import Any

from nbconvert.exporters.exporter import Exporter

from gristmill.reporting.stage_report import render_stage_report


class ReportExporter(Exporter):
    """Turns an executed notebook into a stage's report; named in ``pyproject.toml`` as an entry point."""

    export_from_notebook = "Gristmill report"
    output_mimetype = "text/html"

    @property
    def file_extension(self) -> str:
        """Ending of the files it writes."""
        return ".html"

    def from_notebook_node(self, nb: Any, resources: Any = None, **options: Any) -> Any:
        """Return the report of the notebook ``nb``, and nbconvert's resources."""
        prepared, resources = super().from_notebook_node(nb, resources, **options)
        return render_stage_report(prepared), resources


def render_notebook(notebook: Path, report: Path) -> None:
    """Write the report of the executed notebook in the file ``notebook``; one that stopped half-way is fine.

    Parameters
    ----------
    notebook
        An ``.ipynb`` file, such as the one a failed task leaves behind.
    report
        The HTML file to write.
    """
    content = json.loads(notebook.read_text(encoding="utf-8"))
    report.write_text(render_stage_report(content), encoding="utf-8")
