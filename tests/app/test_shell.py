"""The frame of the app, where there is nothing to see yet."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest


def test_a_project_without_a_case_says_how_to_begin_on_every_page(pages: Callable[..., AppTest], tmp_path: Path):
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    at = pages(tmp_path)
    for page in ("predict", "batch"):
        at.switch_page(f"pages/{page}.py").run()
        assert not at.exception
        assert [one.value for one in at.title] == [page.capitalize()]
        assert "gristmill init TABLE --target COLUMN" in at.info[0].value
