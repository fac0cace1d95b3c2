"""A build inside the test's own process, and one worker without a process."""

import json
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from tests.pipeline import toy
from tests.pipeline.test_executor import put, ran
from tests.pipeline.toy import DAGBuildError, DAGSpec

from gristmill.paths import ProjectPaths
from gristmill.pipeline.decisions import decide
from gristmill.pipeline.explain import _brief, status, status_lines, why
from gristmill.pipeline.worker import Job, run
from gristmill.reporting.builds.differences import differences
from gristmill.reporting.builds.facts import kinds_changed
from gristmill.reporting.builds.history import read_history

pytestmark = pytest.mark.filterwarnings("ignore")  # papermill's and Jupyter's own


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = toy.make_toy(tmp_path / "project")
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.setenv("PYTHONPATH", str(root))
    return root


def dag(root: Path):
    return DAGSpec(str(root / "pipeline.yaml")).to_dag()


def test_a_build_leaves_every_task_fresh_and_explains_it(root: Path, capfd: pytest.CaptureFixture[str]):
    assert {one.state for one in status(root, "toy")} == {"new"}
    report = dag(root).build(show_progress=False)
    assert sorted(report["name"]) == sorted(toy.STAGES)
    assert "Building toy: 7 tasks to run" in capfd.readouterr().out
    assert {one.state for one in status(root, "toy")} == {"fresh"}
    history = ProjectPaths(root).case("toy").build_history
    assert [(build["number"], build["ran"]) for build in read_history(history)] == [(1, list(toy.STAGES))]
    assert "06_select is fresh: nothing it depends on has moved" in why(root, "toy", "06_select")[0].sentence
    remembered = history.read_bytes()
    assert not any(dag(root).build(show_progress=False)["Ran?"])
    assert history.read_bytes() == remembered
    lock = root / "requirements.lock"
    lock.write_text(lock.read_text().replace("pandas==2.3.1", "pandas==2.3.2"))
    assert "requirements.lock changed, pandas==2.3.1 is gone, pandas==2.3.2 is new." in why(root, "toy", "01_ingest")[0].sentence
    assert status_lines(root, "toy")[1].split()[:2] == ["01_ingest", "stale"]


def test_the_status_names_what_a_task_reads_from_by_number_where_a_number_is_enough():
    tasks = ["02_validate", "04_build", "05_train_forest", "05_train_linear", "06_select"]
    assert _brief(["02_validate", "05_train_linear", "05_train_forest"], tasks) == ["02", "05"]
    assert _brief(["02_validate", "05_train_linear"], tasks) == ["02_validate", "05_train_linear"]


@pytest.mark.slow
def test_each_completed_build_is_remembered_with_what_it_was_made_from(root: Path):
    dag(root).build(show_progress=False)
    (root / "configs/toy.yaml").write_text(toy.CASE.replace("budget_seconds: 5", "budget_seconds: 7"))
    put(root, "08_explain", 'raise RuntimeError("half way")')
    with pytest.raises(DAGBuildError):
        dag(root).build(show_progress=False)
    history = ProjectPaths(root).case("toy").build_history
    assert [build["number"] for build in read_history(history)] == [1]  # what stopped half way was not completed
    path = root / "notebooks/08_explain.ipynb"
    path.write_text(path.read_text().replace("raise RuntimeError", "print"))
    dag(root).build(show_progress=False)
    first, second = read_history(history)
    assert kinds_changed(first, second) == ("code", "parameters")
    found = {part["heading"]: [fact["name"] for fact in part["facts"]] for part in differences(first, second)["sections"]}
    assert found["Code"] == ["08_explain.ipynb"]
    assert found["Parameters of the case file"] == ["training.budget_seconds"]
    assert set(second["ran"]) == {"08_explain", "11_register"}
    shutil.rmtree(root / "artifacts")
    shutil.rmtree(root / "reports")
    dag(root).build(show_progress=False)
    assert [build["number"] for build in read_history(history)] == [1, 2, 3]
    assert 'href="#compare-2-3"' in (root / "reports/toy/builds.html").read_text()


@pytest.mark.slow
def test_workers_can_be_spawned_where_they_cannot_be_forked(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gristmill.pipeline.build.START_METHOD", "spawn")
    asked = ["01_ingest", "02_validate", "05_train_forest", "05_train_linear"]
    report = dag(root).build_partially("05_*", show_progress=False)  # two after each other, and two side by side
    assert (sorted(report["name"]), set(report["Ran?"])) == (asked, {True})
    assert sorted(one.task for one in status(root, "toy") if one.state == "fresh") == asked


def test_bad_data_ends_the_build_with_its_exit_code(root: Path, capfd: pytest.CaptureFixture[str]):
    path = root / "notebooks/01_ingest.ipynb"
    content = json.loads(path.read_text())
    content["cells"][2]["source"] = 'from gristmill.errors import LeakageError\nraise LeakageError("It leaks.")'
    path.write_text(json.dumps(content))
    with pytest.raises(SystemExit) as stopped:
        dag(root).build(show_progress=False)
    assert stopped.value.code == 2
    assert capfd.readouterr().err.strip().endswith("gristmill: It leaks.")
    assert status(root, "toy")[0].state == "failed"
    assert why(root, "toy", "01_ingest")[0].sentence == "01_ingest is stale: it failed when it last ran: LeakageError: It leaks."


def failure(root: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Build what fails, and return all that is said."""
    with pytest.raises(DAGBuildError) as failed:
        dag(root).build(show_progress=False)
    return "\n".join([*capfd.readouterr(), str(failed.value)])


@pytest.mark.slow
def test_an_error_of_that_name_in_another_library_is_not_ours(root: Path, capfd: pytest.CaptureFixture[str]):
    put(root, "02_validate", 'import pandas as pd\npd.DataFrame({"a": ["x"]}).rolling(2).sum()')
    said = failure(root, capfd)
    assert "DataError: Cannot aggregate non-numeric type: object" in said
    assert "Traceback" in said


@pytest.mark.slow
def test_a_product_that_is_not_written_fails_the_task(root: Path, capfd: pytest.CaptureFixture[str]):
    content = json.loads((root / "notebooks/01_ingest.ipynb").read_text())
    content["cells"][3]["source"] = "x = 1"
    (root / "notebooks/01_ingest.ipynb").write_text(json.dumps(content))
    assert "did not write its product artifacts/toy/snapshot.json" in failure(root, capfd)


@pytest.mark.slow
def test_a_hung_cell_is_ended_after_the_time_allowed(root: Path, capfd: pytest.CaptureFixture[str]):
    put(root, "01_ingest", "import time\ntime.sleep(600)")
    allowed = 'case: "{{case}}"\n  cell_timeout: 2\ntasks:'
    (root / "pipeline.yaml").write_text((root / "pipeline.yaml").read_text().replace('case: "{{case}}"\ntasks:', allowed))
    (root / "configs/toy.yaml").write_text(toy.CASE.replace("budget_seconds: 5", "budget_seconds: 0.1"))
    begin = time.monotonic()
    said = failure(root, capfd)
    assert time.monotonic() - begin < 60
    assert "did not end in the time allowed" in said


@pytest.mark.slow
def test_a_kernel_that_dies_fails_its_task_only(root: Path, capfd: pytest.CaptureFixture[str]):
    put(root, "05_train_forest", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    said = failure(root, capfd)
    assert "05_train_forest failed" in said
    assert "05_train_linear" in ran(said)


def test_an_unknown_parameter_is_refused_before_a_kernel_starts(root: Path, capfd: pytest.CaptureFixture[str]):
    text = (root / "pipeline.yaml").read_text()
    (root / "pipeline.yaml").write_text(text.replace("    params:\n", "    params:\n      depht: 3\n", 1))
    with pytest.raises(SystemExit) as stopped:
        dag(root).build(show_progress=False)
    assert stopped.value.code == 2
    assert "The notebook 01_ingest has no parameter 'depht'" in capfd.readouterr().err
    assert not (root / "artifacts").exists()


def test_kernels_start_below_a_temporary_folder_with_a_long_name(root: Path, monkeypatch: pytest.MonkeyPatch):
    folder = root.parent / ("long_name_" * 9)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert list(dag(root).build_partially("01_ingest", show_progress=False)["Ran?"]) == [True]


def test_a_worker_leaves_products_report_and_no_partial_notebook(root: Path):
    from gristmill.reporting.notebook_html import ReportExporter  # noqa: PLC0415 - nbconvert warns when imported

    stage = decide(root, "toy")["01_ingest"].stage
    notebook = json.loads(stage.notebook.read_text())
    products = {key: str(path) for key, path in stage.products.items()}
    notebook["cells"].insert(2, toy.cell(f"product = {products!r}", tags=("injected-parameters",)))
    job = Job(root, stage, json.dumps(notebook), ReportExporter, {}, {}, {}, root / "log")
    outcome = run(job)
    assert outcome.succeeded, outcome.traceback
    assert set(outcome.files) == {"reports/toy/01_ingest.html", "artifacts/toy/snapshot.json"}
    assert not stage.products["nb"].with_suffix(".ipynb").exists()
    assert [path.name for path in (root / "artifacts/toy").iterdir()] == ["snapshot.json"]


def test_a_product_edited_after_its_stage_had_ended_stops_the_stage_that_reads_it(root: Path, monkeypatch, capfd):
    from gristmill.pipeline.build import Build  # noqa: PLC0415

    keep = Build._keep

    def keep_and_edit(build, name, outcome):
        keep(build, name, outcome)
        if name == "06_select":
            (root / "artifacts/toy/selection.json").write_text('{"stage": "forged"}')

    monkeypatch.setattr(Build, "_keep", keep_and_edit)
    with pytest.raises(SystemExit) as stopped:
        dag(root).build(show_progress=False)
    assert stopped.value.code == 2
    said = capfd.readouterr().err
    assert "artifacts/toy/selection.json, which 08_explain reads, was edited after its stage had ended" in said
    assert "06_select is stale: its product artifacts/toy/selection.json was edited" in why(root, "toy", "06_select")[0].sentence
