"""Figures of every column, over all rows and exact (R8)."""

import ast
import importlib.util
import json

import numpy as np
import pandas as pd
import pytest

from gristmill.data.exploration import summaries as module
from gristmill.data.exploration.summaries import distinct_in_words, summaries


def test_summaries_are_those_of_all_rows(customers):
    found = summaries(customers)
    assert found.loc["visits", "mean"] == pytest.approx(customers["visits"].mean())
    assert found.loc["spend", "missing"] == 0.1
    assert found.loc["plan", "commonest"] == customers["plan"].mode()[0]
    assert found["type"].tolist() == ["text", "number", "whole number", "text", "true or false", "moment", "text"]


def test_distinct_values_and_quantiles_are_exact():
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"number": chance.normal(size=50_000), "whole": chance.integers(0, 40_000, 50_000)})
    frame["text"] = "c" + frame["whole"].astype(str)
    found = summaries(frame)
    assert found["distinct"].tolist() == frame.nunique().tolist()
    wanted = frame[["number", "whole"]].quantile([0.25, 0.5, 0.75]).T.to_numpy()
    np.testing.assert_allclose(found.loc[["number", "whole"], ["q25", "median", "q75"]].to_numpy(float), wanted)
    assert distinct_in_words(found, len(frame))["number"] == "50,000"


def test_distinct_values_of_very_many_rows_are_estimated_and_say_so(monkeypatch):
    monkeypatch.setattr(module, "MOST_COUNTED", 1_000)
    frame = pd.DataFrame({"number": np.arange(5_000)})
    found = summaries(frame)
    assert found.loc["number", "distinct"] == pytest.approx(5_000, rel=0.1)
    assert distinct_in_words(found, len(frame))["number"].startswith("about ")


def test_a_file_is_summed_up_as_its_rows_are(customers, tmp_path):
    customers.to_parquet(tmp_path / "rows.parquet", index=False)
    pd.testing.assert_frame_equal(summaries(tmp_path / "rows.parquet"), summaries(customers))


def test_columns_that_differ_in_case_alone_are_both_summed_up():
    found = summaries(pd.DataFrame({"Sex": [1, 2], "sex": [3, 5], "none": [None, None]}))
    assert found["mean"].tolist()[:2] == [1.5, 4.0]
    assert found.loc["none", "type"] == "no value"


def test_values_fit_into_a_cell():
    frame = pd.DataFrame({"text": ["long " * 20], "number": [1 / 3], "day": [pd.Timestamp("2024-05-01")]})
    found = summaries(frame.astype({"day": "datetime64[us]"}))
    assert found.loc["text", "commonest"] == "long long long long…"
    assert found.loc["number", "minimum"] == "0.333333"
    assert found.loc["text", ["minimum", "maximum"]].tolist() == [None, None]
    assert found.loc["day", ["minimum", "maximum", "commonest"]].tolist() == ["2024-05-01"] * 3


def test_ends_of_what_has_none_are_empty_beside_those_of_numbers():
    found = summaries(pd.DataFrame({"text": ["a", "b"], "whole": [1, 2]}))
    assert found["minimum"].tolist() == [None, "1"]


def test_numbers_whose_sum_is_no_float_leave_the_mean_empty():
    found = summaries(pd.DataFrame({"big": [1.797e308, 1.797e308, 1.0]}))
    assert np.isnan(found.loc["big", "mean"])
    assert found.loc["big", "maximum"] == "1.797e+308"


def test_infinite_numbers_of_a_raw_table_are_summed_up_too():
    found = summaries(pd.DataFrame({"big": [np.inf, 1.0, 2.0, -np.inf, np.nan]}))
    assert found.loc["big", "distinct"] == 4
    assert found.loc["big", ["minimum", "maximum"]].tolist() == ["-inf", "inf"]


def test_the_notebooks_find_what_they_import(repository):
    for notebook in sorted(repository.glob("notebooks/*.ipynb")):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("gristmill.data."):
                made = importlib.import_module(str(node.module))
                places = {name.name: f"{node.module}.{name.name}" for name in node.names if not hasattr(made, name.name)}
                assert [name for name, place in places.items() if importlib.util.find_spec(place) is None] == [], notebook.name
