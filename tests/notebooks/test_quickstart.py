"""The quick start: from a table to a prediction in about ten cells, in a project that has nothing yet (R57)."""

import ast
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import papermill
import pytest
import yaml
from sklearn.metrics import log_loss
from tests.conftest import REPOSITORY, copy_project

from gristmill.config.loading import load_case
from gristmill.data.products import read_json

QUICKSTART = REPOSITORY / "notebooks" / "00_quickstart.ipynb"
NOTEBOOK = nbformat.read(QUICKSTART, as_version=4)
CODE = [cell.source for cell in NOTEBOOK.cells if cell.cell_type == "code"]
PROSE = [cell.source for cell in NOTEBOOK.cells if cell.cell_type == "markdown"]


def test_it_is_the_first_notebook_and_no_stage():
    assert sorted(path.name for path in QUICKSTART.parent.glob("*.ipynb"))[0] == QUICKSTART.name
    tasks = yaml.safe_load((REPOSITORY / "pipeline.yaml").read_text(encoding="utf-8"))["tasks"]
    assert QUICKSTART.stem not in {task["name"] for task in tasks}


def test_it_opens_with_a_title_one_question_and_what_goes_in_and_out():
    assert PROSE[0].startswith("# ")
    assert PROSE[0].count("?") == 1
    assert all(f"| {word} |" in PROSE[1] for word in ("Inputs", "Products", "Parameters"))


def test_it_has_about_ten_short_cells_of_code_that_define_nothing():
    assert 9 <= len(CODE) <= 12
    assert len(PROSE) >= 0.7 * len(CODE)
    for source in CODE:
        assert source.count("\n") < 15
        assert not re.search(r"^\s*(def|class)\s", source, re.MULTILINE)
        ast.parse(source)


def test_it_carries_no_outputs_and_no_figure_typed_by_hand():
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in NOTEBOOK.cells)
    assert NOTEBOOK.metadata.kernelspec.name == "python3"
    assert not re.search(r"\b\d+\.\d{2,}\b|\b\d{2,}(\.\d+)? ?%", "\n".join(PROSE))


def test_its_case_is_not_one_of_the_repository():
    (parameters,) = [cell.source for cell in NOTEBOOK.cells if "parameters" in cell.metadata.get("tags", [])]
    names = {target.id: ast.literal_eval(line.value) for line in ast.parse(parameters).body for target in line.targets}
    assert set(names) == {"table", "target", "case", "budget_seconds"}
    assert not (REPOSITORY / "configs" / f"{names['case']}.yaml").exists()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nbformat.NotebookNode]:
    """Return a project that had nothing, and the notebook that was run in it."""
    root = copy_project(tmp_path_factory.mktemp("quickstart") / "project")
    done = papermill.execute_notebook(
        str(root / "notebooks" / QUICKSTART.name),
        str(root.parent / "done.ipynb"),
        parameters={"budget_seconds": 2},
        cwd=str(root / "notebooks"),
        progress_bar=False,
    )
    return root, done


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # papermill's and Jupyter's own
def test_it_runs_from_top_to_bottom_in_the_folder_of_the_notebooks(ran: tuple[Path, nbformat.NotebookNode]):
    project, done = ran
    assert load_case("quickstart", project).training.budget_seconds == 2
    assert [path.name for path in (project / "configs").iterdir()] == ["quickstart.yaml"]
    said = json.dumps([cell.get("outputs") for cell in done.cells])
    assert "11_register" in said
    assert "../reports/quickstart/index.html" in said
    assert (project / "reports/quickstart/index.html").is_file()
    shown = next(output for output in done.cells[-2].outputs if "text/html" in output.get("data", {}))["data"]["text/html"]
    assert {"rownames", "prediction", "probability_Adelie"} <= set(re.findall(r"<th>(\w+)</th>", shown))
    assert len(re.findall(r"<td>(?:Adelie|Chinstrap|Gentoo)</td>", shown)) == 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # papermill's and Jupyter's own
def test_its_table_of_several_classes_is_learnt_and_measured(ran: tuple[Path, nbformat.NotebookNode]):
    artifacts = ran[0] / "artifacts" / "quickstart"
    metrics, predictions = read_json(artifacts / "metrics.json"), pd.read_parquet(artifacts / "predictions.parquet")
    probabilities = predictions[["probability_Adelie", "probability_Chinstrap", "probability_Gentoo"]]
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert metrics["test"]["log_loss"]["value"] == pytest.approx(log_loss(predictions["truth"], probabilities))
    assert metrics["test"]["accuracy"]["value"] > 0.9
