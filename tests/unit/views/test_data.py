"""Versions of a table, their differences, the checks and the contract, as a page is given them."""

import json
from pathlib import Path

import pytest
from tests.conftest import write_case

from gristmill.data.contract import acceptance
from gristmill.data.contract.checks import Check
from gristmill.data.snapshots import history, snapshot
from gristmill.data.sources.opening import open_source
from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths
from gristmill.views import data

ROWS = "id,spend,plan,y\n" + "".join(f"{n},{10 + n % 7},{'ab'[n % 2]},{'yn'[n % 3 > 0]}\n" for n in range(60))


@pytest.fixture
def paths(tmp_path: Path) -> CasePaths:
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    write_case(tmp_path, "name: small\ntask: binary\nsource: rows.csv\ntarget: y\npositive_class: y\nid_columns: [id]\n")
    return CasePaths(tmp_path, "small")


def take(paths: CasePaths, text: str) -> None:
    """Have a build take these rows."""
    (paths.root / "rows.csv").write_text(text)
    history.record(paths, snapshot.take(open_source("rows.csv", root=paths.root), paths.project))


def test_a_case_that_was_not_built_has_nothing_and_no_error(paths: CasePaths):
    assert data.versions(paths) == []
    assert data.quality(paths) is None
    sentence, table = data.contract(paths)
    assert "There is no data contract yet" in sentence
    assert table.empty


def test_versions_are_listed_described_and_compared(paths: CasePaths):
    take(paths, ROWS)
    take(paths, ROWS.replace(",10,", ",99,").replace("id,spend", "id,spend"))
    new, old = data.versions(paths)
    table = data.version_table([new, old], paths)
    assert list(table["state"]) == ["current", "\u2013"]
    assert list(table["rows"]) == ["60", "60"]
    columns = data.column_table(new, paths).set_index("column")
    assert columns.loc["spend", "maximum"] == "99"
    assert columns.loc["plan", "distinct"] == 2
    words, moved = data.difference(old, new, paths)
    assert "9 changed, 51 unchanged" in next(line for line in words if line.startswith("Rows:"))
    assert words[-1] == "Values: distributed otherwise in 1 of 4 columns."
    assert list(moved["column"]) == ["spend"]
    assert "larger, mean from" in moved.loc[0, "how"]
    (paths.root / old.snapshot.path).unlink()
    assert list(data.version_table([new, old], paths)["state"]) == ["current", "its file is missing"]
    with pytest.raises(ArtifactError):
        data.difference(old, new, paths)


def test_the_contract_says_for_which_rows_it_was_accepted_and_what_others_would_change(paths: CasePaths):
    take(paths, ROWS)
    acceptance.accept(paths)
    sentence, table = data.contract(paths)
    assert "It was last accepted for the current rows" in sentence
    assert list(table["column"]) == ["id", "spend", "plan", "y"]
    take(paths, ROWS.replace(",a,", ",c,"))
    before = paths.contract_file.read_text()
    assert "the current rows are version" in data.contract(paths)[0]
    assert any("expect.levels: + 'c'" in line for line in data.proposal(paths))
    assert paths.contract_file.read_text() == before


def test_broken_rules_stand_with_those_that_stop_a_build_first(paths: CasePaths):
    paths.artifacts.mkdir(parents=True)
    checks = [
        Check("outliers", "spend", "warn", passed=False, count=3, message="3 rows are far out."),
        Check("never missing", "plan", "stop", passed=False, count=1, message="1 row has no plan."),
        Check("type", "id", "stop", passed=True, count=0, message="Fine."),
    ]
    record = {"rows": 60, "completeness": 0.995, "checks": [one.to_dict() for one in checks], "leakage": [checks[1].to_dict()]}
    (paths.artifacts / "quality.json").write_text(json.dumps(record))
    found = data.quality(paths)
    assert found is not None
    assert found.sentence == "1 of 3 rules hold on 60 rows; 1 warns and 1 stops a build. 99.50 % of the values are there."
    assert list(found.broken["verdict"]) == ["stops", "warns"]
    assert len(found.leaks) == 1
    (paths.artifacts / "quality.json").write_text("{")
    with pytest.raises(ArtifactError, match="Build the case again"):
        data.quality(paths)
