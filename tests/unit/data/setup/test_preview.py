"""What a build would do is said, or refused, before it is done (R2, R5)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.conftest import write_case

from gristmill.config.loading import load_case
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.preview import preview
from gristmill.data.setup.writing import write_case as infer_and_write
from gristmill.data.snapshots import history, snapshot
from gristmill.data.sources.opening import open_source
from gristmill.data.splits import stored
from gristmill.data.splits.assignment import assign
from gristmill.errors import DataError
from gristmill.paths import ProjectPaths

REGRESSION = "name: small\ntask: regression\nsource: rows.csv\ntarget: y\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipeline.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(root: Path, frame: pd.DataFrame, case: str) -> str:
    frame.to_csv(root / "rows.csv", index=False)
    write_case(root, case)
    return preview(ProjectPaths(root).case("small"))


def test_classes_are_spelt_as_the_case_file_spells_them(root, customers):
    frame = customers.drop(columns="customer").assign(y=pd.Series([0.0, 1.0, 0.0, None] * 50))
    assert "Classes     0 66.7%, 1 33.3%" in said(
        root, frame, 'name: small\ntask: binary\nsource: rows.csv\ntarget: "y"\npositive_class: 1\n'
    )


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (["no", "yes"] * 100, "200 of its 200 values are none, such as 'no', 'yes'"),
        (["1.5", "2.5"] * 99 + ["abc", "3"], "1 of its 200 values is none, such as 'abc'"),
        ([3.5] * 200, "at least two different numbers"),
    ],
)
def test_a_target_that_is_no_number_is_refused_in_a_sentence(root, customers, target, sentence):
    with pytest.raises(DataError, match=sentence):
        said(root, customers.assign(y=target), REGRESSION)


def test_numbers_of_any_size_and_infinite_ones_are_described(root, customers):
    frame = customers.drop(columns="customer").assign(y=np.arange(200.0) % 7)
    frame["spend"] = frame["spend"].mask(frame.index % 9 == 0, 1.797e308)
    frame["visits"] = frame["visits"].astype(float).mask(frame.index % 11 == 0, np.inf)
    assert "Features    5 columns" in said(root, frame, REGRESSION)
    frame["code"] = (frame.index % 13 + 1) * 1e20
    assert "Features    6 columns" in said(root, frame, REGRESSION)


@pytest.mark.parametrize("columns", [["y"], ["customer", "y"]])
def test_no_case_file_is_written_for_a_table_without_a_column_to_learn_from(root, customers, columns):
    customers[columns].to_csv(root / "rows.csv", index=False)
    only_target = ": the table has only the target 'y'. Add columns.$" if columns == ["y"] else ".*Add columns.$"
    with pytest.raises(DataError, match="No column is left to learn from" + only_target):
        infer_and_write("rows.csv", Answers("small", "y"), ProjectPaths(root))
    assert not (root / "configs").exists()


def test_rows_in_a_gap_are_said_to_be_used_by_nobody(root, customers):
    case = REGRESSION.replace("target: y", "target: spend") + "id_columns: [customer]\n"
    text = said(root, customers.assign(hour=range(200)), case + "time_column: hour\nsplit: {gap: 5, n_splits: 3}\n")
    assert "132 for training (time, 3 folds), 36 kept for the test, 12 not used" in text


def test_what_earlier_snapshots_decided_is_part_of_the_preview(root, customers):
    frame = customers.dropna().assign(hour=range(180))
    case = REGRESSION.replace("target: y", "target: spend") + "time_column: hour\nid_columns: [customer]\n"
    assert "36 kept for the test" in said(root, frame, case)
    paths = ProjectPaths(root).case("small")
    one = load_case("small", root)
    rows = frame.set_axis(frame["customer"].rename("row_key"))
    uri = open_source("rows.csv", root=root).uri
    line = stored.open_line(paths, one, uri)
    stored.keep(paths, one, uri, line, rows, assign(rows, one), product=paths.artifacts / "split.json")
    assert "18 kept for the test" in said(root, frame.head(162), case)


def test_a_restored_test_table_is_looked_at_instead_of_its_source(root, customers):
    customers[:50].to_csv(root / "test.csv", index=False)
    case = REGRESSION.replace("target: y", "target: spend") + "id_columns: [customer]\nsplit: {test_source: test.csv}\n"
    assert "45 kept for the test" in said(root, customers[50:], case)
    paths = ProjectPaths(root).case("small").own_test
    taken = snapshot.take(open_source("test.csv", root=root), paths.project)
    history.record(paths, taken)
    history.restore(paths, taken.digest)
    (root / "test.csv").unlink()
    assert "45 kept for the test" in preview(ProjectPaths(root).case("small"))


def test_behaviour_that_the_table_does_not_have_is_refused_before_anything_is_built(root, customers):
    case = f"{REGRESSION}behaviour: {{tests: {{more: {{change: {{vists: up}}, expect: not down}}}}}}\n"
    frame = customers.drop(columns="customer").assign(y=np.arange(200.0) % 37)
    with pytest.raises(DataError, match=r"`behaviour\.tests\.more\.change` .* 'vists', .* did you mean 'visits'\?"):
        said(root, frame, case)
    assert "Features" in said(root, frame, case.replace("vists", "visits"))
