"""JupyterLab on the toy project, through its own interface (R54)."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tests.conftest import REPOSITORY
from tests.pipeline import toy
from tests.pipeline.lab_server import Lab, running_lab

from gristmill.environment import JUPYTER_SETTINGS, with_jupyter_settings
from gristmill.pipeline.decisions import decide


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a toy project that looks as if it had been built."""
    root = toy.make_toy(tmp_path / "project")
    monkeypatch.syspath_prepend(str(root))
    toy.pretend_built(root)
    return root


@pytest.fixture
def lab(root: Path) -> Iterator[Lab]:
    with running_lab(root) as lab:
        yield lab


def injected(model: dict) -> str:
    """Return the cell that the server put into a notebook."""
    cells = model["content"]["cells"]
    return next(cell["source"] for cell in cells if "injected-parameters" in cell["metadata"].get("tags", []))


def test_jupyter_finds_the_settings_behind_the_users_own(tmp_path: Path):
    assert (Path(JUPYTER_SETTINGS) / "jupyter_server_config.py").is_file()
    once = with_jupyter_settings(str(tmp_path))
    assert once.split(os.pathsep) == [str(tmp_path), JUPYTER_SETTINGS]
    assert with_jupyter_settings(once) == once
    assert with_jupyter_settings("") == JUPYTER_SETTINGS


@pytest.mark.slow
def test_a_notebook_opens_with_its_inputs_and_a_save_reruns_nothing(lab: Lab):
    root = lab.root
    model = lab.ask("contents/notebooks/06_select.ipynb")
    cell = injected(model)
    assert f'"trials": "{root}/artifacts/toy/trials_linear.json"' in cell
    assert f'"selection": "{root}/artifacts/toy/scratch/selection.json"' in cell
    assert f'"nb": "{root}/artifacts/toy/scratch/06_select.html"' in cell
    lab.ask("contents/notebooks/06_select.ipynb", {"type": "notebook", "format": "json", "content": model["content"]})
    assert "injected-parameters" not in (root / "notebooks/06_select.ipynb").read_text()
    assert not [name for name, decision in decide(root, "toy").items() if decision.stale]
    assert (root / "reports/toy/.06_select.html.metadata").is_file()


@pytest.mark.slow
def test_a_notebook_of_another_pipeline_opens_runs_and_is_saved_beside_what_was_built(lab: Lab):
    root, place = lab.root, "notebooks/24_weekly_report.ipynb"
    entries = [
        toy.ENTRY.format(name=name, upstream=upstream, key="found", product=f"monitoring/{name}.json")
        for name, upstream in (("22_drift", ""), ("24_weekly_report", "22_drift"))
    ]
    (root / "pipeline.monitor.yaml").write_text(toy.PIPELINE + "".join(entries))
    for name in ("22_drift", "24_weekly_report"):
        (root / f"notebooks/{name}.ipynb").write_text(toy.stage_notebook(name, "found"))
        built = root / f"artifacts/toy/monitoring/{name}.json"
        built.parent.mkdir(exist_ok=True)
        built.write_text(f"found by {name}")
    original = nbformat.read(root / place, as_version=4)

    content = lab.ask(f"contents/{place}")["content"]
    NotebookClient(nbformat.from_dict(content), resources={"metadata": {"path": str(root)}}).execute()
    made = json.loads((root / "artifacts/toy/scratch/monitoring/24_weekly_report.json").read_text())
    assert made["read"] == ["found by 22_drift"]
    assert (root / "artifacts/toy/monitoring/24_weekly_report.json").read_text() == "found by 24_weekly_report"

    lab.ask(f"contents/{place}", {"type": "notebook", "format": "json", "content": content})
    assert [cell.source for cell in nbformat.read(root / place, as_version=4).cells] == [cell.source for cell in original.cells]
    assert "06_select" in injected(lab.ask("contents/notebooks/06_select.ipynb"))


@pytest.mark.slow
def test_the_quick_start_opens_and_is_saved_as_it_is(lab: Lab):
    place = "notebooks/00_quickstart.ipynb"
    shutil.copy(REPOSITORY / place, lab.root / place)
    content = lab.ask(f"contents/{place}")["content"]
    assert not [cell for cell in content["cells"] if "injected-parameters" in cell["metadata"].get("tags", [])]
    lab.ask(f"contents/{place}", {"type": "notebook", "format": "json", "content": content})
    saved, original = (nbformat.read(folder / place, as_version=4) for folder in (lab.root, REPOSITORY))
    assert [cell.source for cell in saved.cells] == [cell.source for cell in original.cells]
    assert not [name for name, decision in decide(lab.root, "toy").items() if decision.stale]


@pytest.mark.slow
def test_a_wrong_case_file_does_not_end_the_server(lab: Lab):
    (lab.root / "configs/toy.yaml").write_text("name: [")
    assert lab.ask("contents/notebooks/06_select.ipynb")["name"] == "06_select.ipynb"
    os.utime(lab.root / "pipeline.yaml")
    assert "version" in lab.ask("")


@pytest.mark.slow
def test_the_environment_chooses_another_case(root: Path):
    (root / "configs/other.yaml").write_text(toy.CASE.replace("name: toy", "name: other"))
    with running_lab(root, GRISTMILL_CASE="other") as lab:
        cell = injected(lab.ask("contents/notebooks/06_select.ipynb"))
    assert 'case = "other"' in cell
    assert f'"trials": "{root}/artifacts/other/trials_linear.json"' in cell
    assert f'"selection": "{root}/artifacts/other/scratch/selection.json"' in cell
    assert sorted(path.name for path in root.glob("env*")) == ["env.yaml"]
