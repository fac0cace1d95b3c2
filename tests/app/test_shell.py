"""The frame of the app, where there is nothing to see yet."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest


def test_a_project_without_a_case_says_how_to_begin_on_every_page(pages: Callable[..., AppTest], tmp_path: Path):
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    at = pages(tmp_path)
    for page in ("predict", "batch"):
        at.switch_page(f"screens/{page}.py").run()
        assert not at.exception
        assert [one.value for one in at.title] == [page.capitalize()]
        assert "gristmill init TABLE --target COLUMN" in at.info[0].value


def test_the_case_of_the_address_is_chosen_and_one_that_is_not_built_says_what_to_do(pages: Callable[..., AppTest], tmp_path: Path):
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    (tmp_path / "configs").mkdir()
    for name in ("alpha", "beta"):
        (tmp_path / "configs" / f"{name}.yaml").write_text("")
    at = pages(tmp_path)
    (chooser,) = at.sidebar.selectbox
    assert (chooser.label, chooser.options, chooser.value) == ("Case", ["alpha", "beta"], "alpha")
    chooser.set_value("beta").run()
    assert at.query_params["case"] in ("beta", ["beta"])  # as it was set, or as it was read from an address
    assert "make run CASE=beta" in at.info[0].value
