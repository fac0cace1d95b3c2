"""Reports are found, and shut in frames that reach nothing."""

import json
from html import unescape
from pathlib import Path

from gristmill.reporting.stage_report import StageRun, render_stage_report
from gristmill.views import reports


def project(root: Path) -> Path:
    """Make a project with the report of one stage, a card, and one of the monitoring."""
    (root / "pipeline.yaml").write_text(
        "tasks:\n  # takes the rows\n  - source: notebooks/01_ingest.ipynb\n  - source: notebooks/02_validate.ipynb\n"
    )
    (root / "pipeline.monitor.yaml").write_text("tasks:\n  # looks at drift\n  - source: notebooks/22_drift.ipynb\n")
    folder = root / "reports" / "small"
    folder.mkdir(parents=True)
    notebook = {"cells": [{"cell_type": "markdown", "source": "# Ingest\n\nWhich rows?", "metadata": {}}], "metadata": {}}
    run = StageRun(case="small", stage="01_ingest", finished="2026-01-31 12:00 UTC")
    (folder / "01_ingest.html").write_text(render_stage_report(notebook, run))
    for name in ("model_card.html", "22_drift.html"):
        (folder / name).write_text("<html><head></head><body>page</body></html>")
    return root


def test_the_reports_there_are_are_listed_with_their_question(tmp_path: Path):
    found = reports.documents(project(tmp_path), "small")
    assert [(one.group, one.title, one.question) for one in found] == [
        (reports.STAGES, "01 Ingest", "Which rows?"),
        (reports.MODEL, "Model card", "Should one use this model, for what, and with what care?"),
        (reports.MONITORING, "22 Drift", "looks at drift"),
    ]
    assert found[0].written == "2026-01-31 12:00 UTC"
    assert reports.documents(tmp_path, "nobody") == []


def test_a_frame_lets_a_report_reach_nothing_and_leaves_its_own_anchors(tmp_path: Path):
    page = reports.read(reports.documents(project(tmp_path), "small")[0])
    evil = '<a class="x" href="../../secret.html">out</a> <a href="#here">in</a> <a href=\'https://example.org\'>far</a></body>'
    frame = reports.framed(page.replace("</body>", evil), 'a "quoted" title')
    assert 'sandbox="allow-scripts allow-popups"' in frame
    assert frame.count("<iframe") == 1
    assert "allow-same-origin" not in frame
    assert 'title="a &quot;quoted&quot; title"' in frame
    inner = unescape(frame.partition('srcdoc="')[2].partition('"></iframe>')[0])
    assert '<a class="x">out</a> <a href="#here">in</a> <a href=\'https://example.org\'>far</a>' in inner
    assert 'href="02_validate.html"' not in inner
    assert "Which rows?" in inner


def test_a_stage_that_stopped_says_why(tmp_path: Path):
    root = project(tmp_path)
    output = {"output_type": "error", "ename": "DataError", "evalue": "no rows", "traceback": []}
    cell = {"cell_type": "code", "source": "load()", "metadata": {}, "outputs": [output], "execution_count": 1}
    (root / "reports/small/02_validate.html").write_text(
        render_stage_report(json.loads(json.dumps({"cells": [cell], "metadata": {}})))
    )
    assert [one.failed for one in reports.documents(root, "small")][:2] == ["", "DataError: no rows"]
