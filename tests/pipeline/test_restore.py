"""A build after ``gristmill data restore`` is made from the restored rows."""

import shutil
from pathlib import Path

import pytest
from tests.pipeline.conftest import Build, run

pytestmark = pytest.mark.slow


def ingested(root: Path) -> dict:
    return Build(root, "sample", "").json("snapshot.json")


def test_a_build_uses_the_restored_snapshot_until_the_source_is_asked_for_again(sample_build: Build, tmp_path: Path):
    root = shutil.copytree(sample_build.root, tmp_path / "project")
    build = ("ploomber", "task", "01_ingest", "--env--case", "sample")
    first = ingested(root)
    rows = (root / "sample.csv").read_text().splitlines()
    (root / "sample.csv").write_text("\n".join(rows[:-50]) + "\n")
    run(root, *build)
    assert ingested(root)["rows"] == first["rows"] - 50
    assert "0 added, 50 removed, 0 changed, 250 unchanged" in run(root, "gristmill", "data", "diff", "sample")

    run(root, "gristmill", "data", "restore", "sample", first["digest"][:8])
    (root / "sample.csv").unlink()
    assert f"the restored snapshot is new ({first['digest'][:12]})" in run(
        root, "gristmill", "why", "01_ingest", "--case", "sample"
    )
    run(root, *build)
    assert ingested(root) == first
    assert "01_ingest is fresh" in run(root, "gristmill", "why", "01_ingest", "--case", "sample")

    run(root, "gristmill", "data", "restore", "sample", "source")
    assert "01_ingest is stale: the file sample.csv is new" in run(root, "gristmill", "why", "01_ingest", "--case", "sample")
