"""The pages of monitoring, models, reports and data, as Streamlit draws them."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tests.app.conftest import MAIN, SECONDS_TO_LOAD
from tests.models import customers
from tests.watched import asked, watched_project

from gristmill.data.snapshots import history, snapshot
from gristmill.data.sources.opening import open_source
from gristmill.paths import ProjectPaths
from gristmill.reporting.stage_report import StageRun, render_stage_report

Pages = Callable[..., AppTest]


def take(root: Path, n_rows: int) -> None:
    """Have a build take some customers as the table of the case."""
    paths = ProjectPaths(root).case("small")
    customers(n_rows).to_csv(root / "customers.csv", index=False)
    history.record(paths, snapshot.take(open_source("customers.csv", root=root), paths.project))


def fill(root: Path) -> Path:
    """Give a project what the four pages show: a log with a wrong unit, versions of the data, checks, and a report."""
    rows = customers(300, seed=6)
    asked(root, rows.assign(charge=rows["charge"] * 100), n_labels=50, now=time.time())
    take(root, 60)
    take(root, 80)
    check = {"rule": "outliers", "column": "charge", "severity": "warn", "passed": False, "count": 3, "message": "3 are far out."}
    record = {"rows": 80, "completeness": 1.0, "checks": [check], "leakage": []}
    (root / "artifacts/small/quality.json").write_text(json.dumps(record))
    (root / "pipeline.yaml").write_text("tasks:\n  # takes the rows\n  - source: notebooks/01_ingest.ipynb\n")
    notebook = {"cells": [{"cell_type": "markdown", "source": "# Ingest\n\nWhich rows?", "metadata": {}}], "metadata": {}}
    (root / "reports/small").mkdir(parents=True, exist_ok=True)
    page = render_stage_report(notebook, StageRun("small", "01_ingest", "", "2026-01-31 12:00 UTC", 2.0))
    (root / "reports/small/01_ingest.html").write_text(page)
    return root


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which there is something to see."""
    return fill(watched_project(tmp_path_factory.mktemp("pages") / "project"))


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Pages:
    """Return what opens a page at once, as by its address, without the first page of the app and its model."""
    monkeypatch.syspath_prepend(str(MAIN.parent))

    def opened(root: Path, page: str) -> AppTest:
        monkeypatch.chdir(root)
        at = AppTest.from_file(str(MAIN), default_timeout=SECONDS_TO_LOAD)
        at.switch_page(f"screens/{page}.py").run()
        assert not at.exception
        return at

    return opened


def words_of(at: AppTest) -> str:
    """Return all that a page says, without the signs that keep Markdown from reading it."""
    said = [one.value for kind in (at.markdown, at.info, at.warning, at.error, at.success, at.caption) for one in kind]
    return "\n".join(said).replace("\\", "")


def test_monitoring_tells_traffic_drift_and_labels_and_what_to_do(pages: Pages, full: Path):
    at = pages(full, "monitoring")
    assert not at.error
    assert [one.value for one in at.header] == [
        "Alerts",
        "Traffic and answers",
        "Data quality and drift",
        "Performance with late labels",
    ]
    assert at.main.selectbox[0].value == "Last 7 days"
    week, said = int(at.metric[0].value), words_of(at)
    assert "too few to judge" in said
    assert "`gristmill performance small`" in said
    at.main.selectbox[0].set_value("All").run()
    assert not at.exception
    assert (week < 171, at.metric[0].value, at.metric[3].value) == (True, "300", "16.7 %")
    said = words_of(at)
    assert "1 of 3 columns has values that the model has not learnt from" in said
    assert "Look at this: " in said


def test_data_shows_versions_their_differences_checks_and_the_contract(pages: Pages, full: Path):
    at = pages(full, "data")
    assert not at.error
    assert [one.value for one in at.header] == ["Snapshots", "Validation", "Data contract", "Differences between versions"]
    said = words_of(at)
    assert "0 of 1 rules hold on 80 rows; 1 warns and 0 stop a build" in said
    assert "Rows: 20 added, 0 removed" in said
    assert "There is no data contract yet" in said


def test_reports_are_shown_in_a_frame_of_their_own(pages: Pages, full: Path):
    at = pages(full, "reports")
    assert not at.error
    assert at.main.selectbox[1].value.title == "01 Ingest"
    (frame,) = at.get("iframe")
    assert "sandbox=&quot;" not in frame.proto.srcdoc
    assert 'sandbox="allow-scripts allow-popups"' in frame.proto.srcdoc
    assert "Which rows?" in frame.proto.srcdoc


def test_a_case_that_was_not_built_says_what_to_do_on_every_page(pages: Pages, tmp_path: Path):
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/small.yaml").write_text("name: small\ntask: regression\nsource: rows.csv\ntarget: y\n")
    for page in ("monitoring", "models", "reports", "data"):
        at = pages(tmp_path, page)
        assert [one.value for one in at.title] == [page.capitalize()]
        assert not at.error
        assert "make run CASE=small" in words_of(at), page


@pytest.mark.slow
def test_models_read_the_registry_meanwhile_and_then_show_versions(pages: Pages, project_of_app: Path):
    at = pages(project_of_app, "models")
    assert [one.value for one in at.header] == ["Audit trail"]
    end = time.monotonic() + 300
    while len(at.header) == 1:
        assert time.monotonic() < end
        time.sleep(0.1)
        at.run()
    assert not at.exception
    assert [one.value for one in at.header] == ["Versions", "One version", "Promote or roll back", "Audit trail"]
    assert at.multiselect[0].value
    at.text_input(key="admin_key").set_value("gm_wrong").run()
    assert "Expected a valid key" in words_of(at)
    assert not at.button
