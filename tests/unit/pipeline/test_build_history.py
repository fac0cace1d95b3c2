"""Which builds are entered into the history of a case."""

from pathlib import Path

import pytest
from tests.pipeline import toy

from gristmill.paths import ProjectPaths
from gristmill.pipeline.build_history import remember_build
from gristmill.pipeline.decisions import decide
from gristmill.pipeline.records import Records
from gristmill.reporting.builds.history import read_history

STAGES = list(toy.STAGES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = toy.make_toy(tmp_path / "project")
    toy.pretend_built(root)
    return root


def test_a_build_in_which_every_stage_is_of_one_piece_is_entered_once(root: Path):
    assert remember_build(root, "toy", "b1", STAGES, ["11_register"])
    assert not remember_build(root, "toy", "b2", STAGES, [])
    (entry,) = read_history(ProjectPaths(root).case("toy").build_history)
    assert (entry["build"], entry["ran"], set(entry["seconds"])) == ("b1", ["11_register"], set(STAGES))
    assert entry["code"]["parts"].keys() > {"06_select.ipynb", "pipeline entry 06_select"}


def test_a_stage_that_was_run_by_itself_is_no_build(root: Path):
    toy.keep(root, Records(root, "toy"), decide(root, "toy")["05_train_linear"], run_id="second")
    assert not remember_build(root, "toy", "b1", STAGES, ["05_train_linear"])
    (root / "state/builds/toy/06_select.json").unlink()
    assert not remember_build(root, "toy", "b2", STAGES, ["05_train_linear"])
    assert read_history(ProjectPaths(root).case("toy").build_history) == []
