"""The DAG from inside a notebook (R54)."""

from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from tests.pipeline import toy

from gristmill.errors import CaseFileError
from gristmill.pipeline.magics import behind, build_command, products


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = toy.make_toy(tmp_path / "project")
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    toy.pretend_built(root)
    return root


def test_the_extension_brings_the_magics_and_products(root: Path, capsys: pytest.CaptureFixture[str]):
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "gristmill")
    assert {"run_stage", "run_downstream", "why"} <= set(shell.magics_manager.magics["line"])
    assert shell.user_ns["products"]("06_select")["selection"] == root / "artifacts/toy/selection.json"
    shell.run_line_magic("why", "06_select")
    assert "06_select is fresh: nothing it depends on has moved" in capsys.readouterr().out


def test_what_is_behind_a_stage_comes_in_order(root: Path):
    assert behind("05_train_linear", root, "toy") == ["05_train_linear", "06_select", "08_explain", "11_register"]


def test_another_case_can_be_chosen(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRISTMILL_CASE", "other")
    assert products("06_select")["selection"] == root / "artifacts/other/selection.json"


def test_an_unknown_stage_is_refused_with_those_that_exist(root: Path):
    with pytest.raises(CaseFileError, match=r"one of the stages 01_ingest, .*, got '06_selct'"):
        products("06_selct")


def test_the_build_command_names_the_case(root: Path):
    assert build_command("toy", "--force")[1:] == ["build", "--env--case", "toy", "--force"]
    assert Path(build_command("toy")[0]).is_file()
