"""Runs of a build (R22, R23), kept by a real MLflow store."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from gristmill import tracking
from gristmill.errors import RegistryError
from gristmill.paths import ProjectPaths


@pytest.fixture
def build_id(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    monkeypatch.setenv(tracking.BUILD_ID, f"id-{request.node.name[:60]}")
    return os.environ[tracking.BUILD_ID]


def get(run: tracking.Run):
    return run.client.get_run(run.run_id)


def test_importing_the_module_does_not_import_mlflow() -> None:
    code = "import sys, gristmill.tracking; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_stages_of_one_build_share_one_parent_run(tracked: ProjectPaths, build_id: str) -> None:
    with tracking.build_run("shared", tracked.root) as first:
        pass
    with tracking.build_run("shared", tracked.root, data_digest="sha256:d") as second:
        assert first.run_id == second.run_id
    assert get(second).data.tags[tracking.BUILD_TAG] == build_id
    assert get(second).data.tags["gristmill.data_digest"] == "sha256:d"
    assert get(second).info.status == "FINISHED"


def test_stages_that_start_at_once_make_one_store_and_one_parent(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    code = "from gristmill import tracking\nwith tracking.build_run('race') as run: print(run.run_id)"
    environment = {**os.environ, tracking.BUILD_ID: "race"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    started = [
        subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    answers = [process.communicate()[0].decode().strip() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(set(answers)) == 1
    assert answers[0]


@pytest.mark.usefixtures("build_id")
def test_another_build_gets_another_parent(tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    with tracking.build_run("others", tracked.root) as first:
        pass
    monkeypatch.setenv(tracking.BUILD_ID, "a later one")
    with tracking.build_run("others", tracked.root) as second:
        assert second.run_id != first.run_id
        assert second.experiment_id == first.experiment_id


def test_a_notebook_run_by_hand_is_tagged_interactive(tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tracking.BUILD_ID, raising=False)
    with tracking.build_run("byhand", tracked.root) as run:
        assert get(run).data.tags[tracking.INTERACTIVE_TAG] == "true"
        assert tracking.BUILD_TAG not in get(run).data.tags
    with tracking.build_run("byhand", tracked.root) as again:
        assert again.run_id != run.run_id


def fail_in_a_stage(root: Path) -> None:
    with tracking.build_run("fails", root):
        raise ValueError("no convergence")


@pytest.mark.usefixtures("build_id")
def test_a_failed_stage_marks_the_build_and_no_sister_takes_it_back(tracked: ProjectPaths) -> None:
    with pytest.raises(ValueError, match="convergence"):
        fail_in_a_stage(tracked.root)
    with tracking.build_run("fails", tracked.root) as run:
        pass
    assert get(run).info.status == "FAILED"


def test_lineage_stands_on_the_parent(tracked: ProjectPaths, build_id: str) -> None:
    (tracked.root / "requirements.lock").write_text("numpy==2.3.0\n")
    with tracking.build_run("lineage", tracked.root) as run:
        tags = get(run).data.tags
    assert tags["gristmill.code_version"].startswith("sha256:")
    assert len(tags["gristmill.lock_digest"]) == 64


def test_children_of_an_unknown_run_are_none(tracked: ProjectPaths) -> None:
    assert tracking.count_children("0" * 32, tracked.root) == 0


@pytest.mark.usefixtures("build_id")
def test_odd_names_and_values_are_logged_as_far_as_they_can_be(tracked: ProjectPaths) -> None:
    with tracking.build_run("odd", tracked.root) as run:
        tracking.log_metrics(run, {"roc auc (é)": 0.5, "none": None, "nan": float("nan"), "inf": float("inf")})
        tracking.log_params(run, {f"p{n}": n for n in range(250)} | {"long": "x" * 9999, "a?b": 1})
        tracking.log_tags(run, {"chosen by": "hand"})
    data = get(run).data
    assert data.metrics == {"roc auc ___": 0.5}
    assert len(data.params) == 252
    assert len(data.params["long"]) == tracking.LONGEST_PARAM
    assert data.params["a_b"] == "1"
    assert data.tags["chosen by"] == "hand"


@pytest.mark.usefixtures("build_id")
def test_figures_and_files_are_kept(tracked: ProjectPaths, tmp_path: Path) -> None:
    (tmp_path / "card.md").write_text("# Card")
    with tracking.build_run("files", tracked.root) as run:
        tracking.log_figures(run, {"roc curve": Figure()})
        tracking.log_file(run, tmp_path / "card.md")
        tracking.log_event_files(run, {})
        assert "tensorboard" not in {item.path for item in run.client.list_artifacts(run.run_id)}
        tracking.log_event_files(run, {"training": [0.75, 0.5]})
    assert {item.path for item in run.client.list_artifacts(run.run_id)} == {"card.md", "figures", "tensorboard"}
    assert [item.path for item in run.client.list_artifacts(run.run_id, "tensorboard")] == ["tensorboard/training"]
    assert run.client.list_artifacts(run.run_id, "figures")[0].path == "figures/roc_curve.png"
    assert get(run).info.artifact_uri.startswith((tracked.root / "mlruns" / "artifacts" / "files").as_uri())


@pytest.mark.usefixtures("build_id")
def test_family_runs_of_an_earlier_build_are_linked(tracked: ProjectPaths) -> None:
    with tracking.build_run("links", tracked.root) as run:
        tracking.link_families(run, {"linear": "abc", "neural": None})
    links = {name: value for name, value in get(run).data.tags.items() if name.startswith("gristmill.family_run.")}
    assert links == {"gristmill.family_run.linear": "abc"}


@pytest.mark.usefixtures("build_id")
def test_a_deleted_experiment_is_restored(tracked: ProjectPaths) -> None:
    with tracking.build_run("deleted", tracked.root) as run:
        pass
    run.client.delete_experiment(run.experiment_id)
    with tracking.build_run("deleted", tracked.root) as again:
        assert again.experiment_id == run.experiment_id


def test_the_environment_names_another_store(tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://tracking.example")
    assert tracking.tracking_uri(tracked.root) == "https://tracking.example"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert tracking.tracking_uri(tracked.root) == f"sqlite:///{tracked.root}/mlruns/mlflow.db"


def test_a_store_that_does_not_answer_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "readme.txt").write_text("no database")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/readme.txt/mlflow.db")
    with pytest.raises(RegistryError, match="MLFLOW_TRACKING_URI"):
        tracking.connect(tmp_path)


@pytest.mark.parametrize(("uri", "path"), [("file:///a%20b/c", "/a b/c"), ("/a b/c%20", "/a b/c%20")])
def test_artifacts_on_this_machine_are_used_where_they_lie(tmp_path: Path, uri: str, path: str) -> None:
    assert tracking.local_copy(uri, tmp_path) == Path(path)
