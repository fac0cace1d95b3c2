"""What the training rows looked like."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.products import write_json
from gristmill.modeling.artifact.drift_reference import binned, describe, drift_reference, even_edges, shares_by_level


def test_quantile_bins_hold_equal_shares_and_gaps_are_counted():
    made = binned(np.append(np.arange(100.0), [np.nan] * 25), 4)
    assert made["shares"] == [0.25] * 4
    assert made["missing_share"] == pytest.approx(0.2)
    assert len(made["edges"]) == 3


def test_a_value_on_an_edge_lies_above_it():
    made = binned(np.array([0.0, 0.0, 0.0, 1.0]), 10)
    edges = np.array(made["edges"])
    counts = np.bincount(np.searchsorted(edges, [0.0, 0.0, 0.0, 1.0], side="right"), minlength=len(edges) + 1)
    assert made["shares"] == (counts / 4).tolist()
    assert sum(made["shares"]) == 1


def test_a_column_of_gaps_has_no_bins():
    assert binned(np.array([np.nan, np.nan]), 10)["missing_share"] == 1.0


def test_levels_have_shares_and_the_rare_ones_are_counted_together():
    values = np.array(["a"] * 60 + [f"rare {n}" for n in range(60)] + ["(missing)"] * 30, dtype=object)
    made = shares_by_level(values)
    assert made["shares"]["a"] == pytest.approx(0.4)
    assert made["missing_share"] == pytest.approx(0.2)
    assert sum(made["shares"].values()) + made["other"] + made["missing_share"] == pytest.approx(1)
    assert len(made["shares"]) == 50


@pytest.mark.parametrize(
    ("values", "kind", "mean"),
    [
        (pd.Series([True, False, None], dtype=object), "boolean", 0.5),
        (pd.Series(pd.to_datetime(["1970-01-01 00:00:10", None])), "date", 10.0),
        (pd.Series(["two words", "one", None]), "text", 1.5),
    ],
)
def test_every_kind_is_described(values: pd.Series, kind: str, mean: float):
    assert describe(values, kind, 5)["mean"] == mean


def test_the_reference_can_be_written(tmp_path):
    train = pd.DataFrame({"x": [1.0, 2.0, None], "c": ["a", None, "b"]})
    contract = {"classes": ["no", "yes"], "columns": [{"name": "x", "kind": "numeric"}, {"name": "c", "kind": "categorical"}]}
    made = drift_reference(train, contract, ["x", "c"], np.array([[0.2, 0.8], [0.7, 0.3]]), 10)
    write_json(tmp_path / "reference.json", made)
    assert set(made["columns"]) == {"x", "c"}
    assert made["predictions"]["yes"]["mean"] == pytest.approx(0.55)


def test_a_value_that_most_rows_have_gets_a_bin_of_its_own():
    flags = np.repeat([0.0, 1.0], [960, 40])
    assert even_edges(flags, 10).tolist() == [0.0, 1.0]
    spent = np.concatenate([np.zeros(900), np.linspace(1, 100, 100)])
    edges = even_edges(spent, 10)
    assert edges[:2].tolist() == [0.0, 1.0]
    assert len(edges) == 3
    assert len(even_edges(np.linspace(0, 1, 1000), 10)) == 9


def test_cells_hold_every_row_and_the_bins_are_among_them():
    values = np.append(np.random.default_rng(0).lognormal(size=5000), np.nan)
    cells = binned(values, 10, 50)["cells"]
    assert sum(cells["counts"]) + cells["missing"] == 5001
    assert set(cells["bins"]) <= set(cells["edges"])
    assert sum(cells["sums"]) == pytest.approx(np.nansum(values))
    assert (cells["minimum"], cells["maximum"]) == (np.nanmin(values), np.nanmax(values))
