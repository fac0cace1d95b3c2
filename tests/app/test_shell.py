"""The frame of the app, where there is nothing to see yet."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from tests.app.conftest import MAIN, SECONDS_TO_LOAD


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


def test_names_of_a_table_are_names_on_a_page_whatever_signs_they_hold(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(MAIN.parent))
    import shell  # noqa: PLC0415

    assert shell.label("total_charges (euros)") == "total_charges (euros)"
    assert shell.label("![x](http://y/z.png) _a_ $b$ :red[c]") == (r"!\[x\](http\://y/z.png) \_a\_ \$b\$ \:red\[c\]")
    rows = pd.DataFrame({"a*b*": ["<b>"]}, index=pd.Index(["![x](y)"], name="_n_"))
    at = AppTest.from_function(_table, args=(rows,), default_timeout=SECONDS_TO_LOAD).run()
    (shown,) = at.table
    assert shown.value.index.tolist() == [r"\!\[x\]\(y\)"]
    assert shown.value.iloc[0, 0] == r"\<b\>"


def _table(rows: "pd.DataFrame") -> None:
    import shell  # noqa: PLC0415

    shell.table(rows)
