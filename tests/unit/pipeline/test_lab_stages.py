"""The notebooks of monitoring and of batch scoring as JupyterLab opens them (R54)."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import REPOSITORY
from tests.pipeline import toy

from gristmill.paths import CasePaths, ProjectPaths
from gristmill.pipeline.definition import read_cells
from gristmill.pipeline.lab_stages import OpenedStage, side_stages
from gristmill.pipeline.parameters import check_parameters
from gristmill.pipeline.records import Record, Records


@pytest.fixture
def paths(tmp_path: Path) -> CasePaths:
    """Return a case of a project with the pipelines of this repository, notebooks and all."""
    for file in (*REPOSITORY.glob("pipeline*.yaml"), *REPOSITORY.glob("env*.yaml")):
        shutil.copy(file, tmp_path)
    (tmp_path / "notebooks").symlink_to(REPOSITORY / "notebooks")
    return ProjectPaths(tmp_path).case("bikes")


def opened(paths: CasePaths) -> dict[str, OpenedStage]:
    return {stage.stage.name: stage for stage in side_stages(paths)}


def given(paths: CasePaths, name: str) -> dict[str, Any]:
    """Return what the cell that is put into a notebook assigns."""
    found = opened(paths)[name].to_dict()
    inside = {key: found[key].to_json_serializable() for key in ("product", "upstream") if found[key]}
    return {**found, **inside}


def asked(paths: CasePaths, name: str, finished: float, **params: str) -> None:
    """Keep the record of a run."""
    pipeline = opened(paths)[name].pipeline
    known = {"case": paths.name, "code_version": "0", **params}
    Records(paths.root, paths.name).write(Record(name, "r", "b", finished, 1.0, 1.0, "0", {}, {}, {}, known, pipeline=pipeline))


def test_every_notebook_reads_the_products_of_the_last_run_and_writes_to_scratch(paths: CasePaths):
    names = ["21_data_quality", "22_drift", "23_performance", "24_weekly_report", "31_score_batch"]
    assert list(opened(paths)) == names
    weekly = given(paths, "24_weekly_report")
    assert weekly["upstream"]["22_drift"]["drift"] == str(paths.artifacts / "monitoring/drift.json")
    assert weekly["product"]["weekly"] == str(paths.scratch / "monitoring/weekly.json")
    for name in names:
        found = given(paths, name)
        written = [Path(file) for file in found["product"].values()]
        assert all(paths.scratch in file.parents and file.parent.is_dir() for file in written)
        assert found["case"] == "bikes"
        check_parameters(name, read_cells(paths.root / "notebooks" / f"{name}.ipynb"), found)


def test_predictions_go_to_scratch_and_rows_come_from_where_the_last_run_had_them(paths: CasePaths):
    assert given(paths, "31_score_batch")["input"] == "data/to_score.csv"
    asked(paths, "31_score_batch", 2e9, input="june.csv", output="artifacts/bikes/june.csv", model="3")
    found = given(paths, "31_score_batch")
    assert (found["input"], found["model"], found["output"]) == ("june.csv", "3", str(paths.scratch / "june.csv"))
    os.utime(paths.root / "env.score.yaml", (2.1e9, 2.1e9))
    assert given(paths, "31_score_batch")["output"] == str(paths.scratch / "scored.csv")
    assert given(paths, "31_score_batch")["input"] == "data/to_score.csv"


def test_a_damaged_pipeline_takes_nothing_from_the_others(paths: CasePaths, caplog: pytest.LogCaptureFixture):
    (paths.root / "pipeline.monitor.yaml").write_text("tasks: [")
    (paths.root / "pipeline.own.yaml").write_text(toy.ENTRY.format(name="41_own", upstream="", key="x", product="x.json"))
    assert list(opened(paths)) == ["31_score_batch"]
    assert "pipeline.monitor.yaml" in caplog.text
    assert "pipeline.own.yaml" in caplog.text
